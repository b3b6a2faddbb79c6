//! The code follows the style page: its comments and names have no word of the list, and every module says what it holds and why.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{assert_plain, literals, read, root};
use crate::support::files_below;

/// The folders with code.
const FOLDERS: [&str; 4] = ["src", "tests", "benches", "fuzz/fuzz_targets"];
/// A file with fewer lines, without its unit tests, needs one sentence only: its name says the rest.
const SMALL: usize = 60;
/// The most sentences of an opening comment.
const MOST_SENTENCES: usize = 5;

/// The Rust files in `folders`.
fn files(folders: &[&str]) -> Vec<PathBuf> {
    let files = folders
        .iter()
        .flat_map(|folder| files_below(&root().join(folder), "rs"));
    files.collect()
}

#[test]
fn comments_have_no_word_of_the_list() {
    let comments = files(&FOLDERS).into_iter().map(|path| {
        let comments = literals::comments(&read(&path));
        (path.display().to_string(), comments)
    });
    assert_plain(comments, 600);
}

#[test]
fn names_have_no_word_of_the_list() {
    // Names of libraries and of metrics, faults and dashboards are theirs; these words occur in some.
    const OTHERS: [&str; 1] = ["peer"];
    let names = files(&FOLDERS).into_iter().map(|path| {
        let names = literals::names(&read(&path)).to_lowercase();
        let own = names
            .split_whitespace()
            .filter(|word| !OTHERS.contains(word));
        (
            path.display().to_string(),
            own.collect::<Vec<_>>().join(" "),
        )
    });
    assert_plain(names, 600);
}

/// Whether a file is a script, a configuration or a document that people read and change.
fn is_script(path: &Path) -> bool {
    const ENDINGS: [&str; 8] = [
        "py",
        "mjs",
        "sh",
        "yml",
        "yaml",
        "libsonnet",
        "jsonnet",
        "toml",
    ];
    let extension = path.extension().map(|ending| ending.to_string_lossy());
    extension.map_or_else(
        || read_start(path).is_some_and(|start| start.starts_with(b"#!")),
        |ending| ENDINGS.contains(&&*ending),
    )
}

/// The first two bytes of a file; `None` for a shorter one.
fn read_start(path: &Path) -> Option<[u8; 2]> {
    let mut start = [0; 2];
    File::open(path).ok()?.read_exact(&mut start).ok()?;
    Some(start)
}

/// All files in `folder` and the folders in it.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    for folder in folders
        .iter()
        .filter(|path| !path.ends_with("node_modules"))
    {
        files.extend(all_below(folder));
    }
    files
}

#[test]
fn scripts_and_configurations_have_no_word_of_the_list() {
    let folders = ["tests", "benches", "deploy", "grafana", ".github"];
    let files = folders
        .iter()
        .flat_map(|folder| all_below(&root().join(folder)));
    let texts = files.filter(|path| is_script(path)).map(|path| {
        // Names have underscores between their words.
        let text = read(&path).replace('_', " ");
        (path.display().to_string(), text)
    });
    assert_plain(texts, 150);
}

/// The opening comment of a file up to its first heading, without lists and tables.
fn opening(code: &str) -> String {
    let lines = code
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim);
    let prose = lines.take_while(|line| !line.starts_with('#'));
    let mut is_list = false;
    let prose = prose.filter(|line| {
        is_list = line.starts_with(['|', '-']) || (is_list && !line.is_empty());
        !is_list
    });
    prose.collect::<Vec<_>>().join(" ")
}

/// The number of sentences in `text`.
fn sentences(text: &str) -> usize {
    let outside: Vec<_> = text.split('`').step_by(2).collect();
    let text = outside.join("x");
    let words = text.split_whitespace();
    let ends = words.filter(|word| word.trim_end_matches(')').ends_with(['.', '?', '!']));
    ends.count()
}

#[test]
fn every_module_opens_with_a_comment_of_a_few_sentences() {
    let mut wrong = Vec::new();
    let files = files(&["src"]);
    assert!(files.len() > 400, "only {} files found", files.len());
    for path in files {
        let code = read(&path);
        let count = sentences(&opening(&code));
        let own = code.split("#[cfg(test)]\nmod tests {").next();
        let lines = own.unwrap_or_default().lines().count();
        // The names of tests say what a file of tests holds.
        let fewest = 1 + usize::from(lines > SMALL && !literals::is_test(&path));
        if !(fewest..=MOST_SENTENCES).contains(&count) {
            wrong.push(format!("{}: {count}, not {fewest} to 5", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "sentences of opening comments: {wrong:#?}"
    );
}

#[test]
fn sentences_of_an_opening_comment_are_counted() {
    let code = "//! One `a.b`. Two (see `c`).\n//!\n//! - a list. of\n//!   items.\n//!\n//! Three!\n//!\n//! # More\n//! Four.\n\nuse x;";
    assert_eq!(sentences(&opening(code)), 3);
    assert_eq!(sentences(&opening("use x;")), 0);
}
