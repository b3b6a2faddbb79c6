//! The tests that the security page names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::files_below;

/// The words of a test's name; everything shorter in backticks is something else.
const FEWEST_WORDS: usize = 4;

fn functions() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests"].map(|folder| files_below(&root.join(folder), "rs"));
    let mut names = BTreeSet::new();
    for path in files.iter().flatten() {
        let text = fs::read_to_string(path).unwrap();
        for after in text.split("fn ").skip(1) {
            let name = after.split(['(', '<']).next().unwrap_or_default();
            names.insert(name.to_owned());
        }
    }
    names
}

#[test]
fn the_tests_that_the_page_on_security_names_exist() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md");
    let page = fs::read_to_string(page).unwrap();
    let functions = functions();
    let is_name = |text: &&str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        text.chars().all(plain) && text.split('_').count() >= FEWEST_WORDS
    };
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_name).collect();
    assert!(named.len() > 20, "only {named:?}");
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !functions.contains(**name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
