//! The Markdown pages: their links resolve, and the files that they name exist.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::files_below;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn pages() -> Vec<(PathBuf, String)> {
    let names = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ];
    let mut pages: Vec<_> = names.iter().map(|name| root().join(name)).collect();
    for folder in ["deploy", "docs", "grafana"] {
        pages.extend(files_below(&root().join(folder), "md"));
    }
    let pages: Vec<_> = pages
        .into_iter()
        .map(|page| {
            let text = fs::read_to_string(&page).unwrap();
            (page, text)
        })
        .collect();
    assert!(pages.len() > 10, "only {} pages found", pages.len());
    pages
}

/// All texts between `begin` and `end`.
fn between<'t>(text: &'t str, begin: &str, end: char) -> Vec<&'t str> {
    let parts = text.split(begin).skip(1);
    parts
        .filter_map(|part| part.split_once(end))
        .map(|(inside, _)| inside)
        .collect()
}

/// The fragment of a heading, as GitHub makes it.
fn fragment(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let text: String = heading.to_lowercase().chars().filter(kept).collect();
    text.trim().replace(' ', "-")
}

fn fragments(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| fragment(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn links_of_pages_resolve() {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        for link in between(&text, "](", ')') {
            if link.starts_with("http://") || link.starts_with("https://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            let has_place = || {
                place.is_empty()
                    || target.extension().is_none_or(|kind| kind != "md")
                    || fragments(&target).iter().any(|fragment| fragment == place)
            };
            if !target.exists() || !has_place() {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_that_pages_name_exist() {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        // Every second part is inside backticks.
        let names: Vec<_> = text.split('`').skip(1).step_by(2).collect();
        for name in names {
            let is_rust = Path::new(name).extension().is_some_and(|kind| kind == "rs");
            let is_file = is_rust && !name.contains(['*', '{', ' ', '<']);
            let found = ["", "src", "src/web", "tests"]
                .iter()
                .any(|folder| root().join(folder).join(name).exists());
            if is_file && !found {
                wrong.push(format!("{}: {name}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
