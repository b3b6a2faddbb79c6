//! Fuzz target: the web configuration.

use std::path::Path;

use super::ReadFiles;
use super::file::parse;
use super::reading::Reading;
use crate::document::Findings;
use crate::timestamp::Timestamp;

/// Reads `input` as the content of a web configuration.
///
/// # Panics
/// If a file is refused without a reason, or a text has a hash or several lines.
pub fn web_configuration(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else {
        return;
    };
    let mut files = ReadFiles::default();
    let mut findings = Findings::default();
    let mut reading = Reading {
        directory: Path::new(""),
        now: Timestamp::from_millis(1_893_456_000_000),
        files: &mut files,
    };
    match parse(source, &mut reading, &mut findings) {
        Some(config) => {
            let users = format!("{:?}", config.users);
            for hash in hashes(source) {
                assert!(!users.contains(hash), "a hash in {users}");
            }
        }
        None => assert!(
            !findings.problems.is_empty(),
            "refused without a reason: {source:?}"
        ),
    }
    for found in findings.problems.iter().chain(&findings.notices) {
        let text = found.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
        // Keys are repeated in backticks; hashes are values.
        let is_about_users = found.place.starts_with("basic_auth_users") && !text.contains('`');
        for hash in hashes(source).filter(|_| is_about_users) {
            assert!(!found.message.contains(hash), "a hash in {text}");
        }
    }
}

/// What follows the salt of each hash of bcrypt in the file.
fn hashes(source: &str) -> impl Iterator<Item = &str> {
    const LENGTH: usize = 31;
    const BEFORE: usize = "$2y$10$".len() + 22;
    let starts = source.match_indices("$2");
    starts.filter_map(|(at, _)| {
        let start = at.checked_add(BEFORE)?;
        let hash = source.get(start..start.checked_add(LENGTH)?)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/');
        hash.chars().all(plain).then_some(hash)
    })
}
