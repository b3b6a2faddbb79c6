//! The commands and documents that pages show: commands are accepted, requests succeed, and configurations load.

mod commands;
mod documents;
mod shell;

use std::fs;
use std::path::PathBuf;

use crate::pages::pages;

/// A fenced block of a page.
struct Block {
    page: PathBuf,
    language: String,
    text: String,
}

impl Block {
    /// The page, for failures.
    fn place(&self) -> String {
        self.page.display().to_string()
    }
}

/// The blocks of all pages in this language.
fn blocks(language: &str) -> Vec<Block> {
    let blocks = pages().into_iter().flat_map(|(page, text)| {
        let found = fenced(&text);
        found.into_iter().map(move |(language, text)| Block {
            page: page.clone(),
            language,
            text,
        })
    });
    blocks.filter(|block| block.language == language).collect()
}

/// The language and the content of each fenced block. A block in a list is indented.
fn fenced(page: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut indent = None;
    for line in page.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, indent) {
            (Some(language), None) => {
                indent = Some(line.len() - line.trim_start().len());
                found.push((language.trim().to_owned(), String::new()));
            }
            (Some(_), Some(_)) => indent = None,
            (None, Some(indent)) => {
                let (_, text) = found.last_mut().unwrap();
                text.push_str(line.get(indent..).unwrap_or_default());
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// A directory with a file for each name in `names`.
fn directory_with(files: &[(String, String)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

#[test]
fn fenced_blocks_are_found_in_lists_too() {
    let page =
        "a\n```sh\nls\n```\n1. b\n   ```json\n   {\n     \"a\": 1}\n   ```\n```\nplain\n```\n";
    let wanted = [
        ("sh", "ls\n"),
        ("json", "{\n  \"a\": 1}\n"),
        ("", "plain\n"),
    ];
    let wanted = wanted.map(|(language, text)| (language.to_owned(), text.to_owned()));
    assert_eq!(fenced(page), wanted);
}
