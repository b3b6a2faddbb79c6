//! Fuzz target: the configuration file.

use std::collections::BTreeSet;

use super::Overrides;
use super::file;
use super::problem::Findings;

/// A made-up secret in the environment, which no text about a file may repeat.
const SECRET: &str = "made-up-s3cret-of-the-environment";

/// Reads `input` as the content of a configuration file.
///
/// # Panics
/// If a configuration is accepted that the exporter could not run, or a text repeats a secret or has several lines.
pub fn configuration(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else {
        return;
    };
    let environment = |name: &str| match name {
        "TWILIO_API_KEY" => Some("SK00000000000000000000000000000000".to_owned()),
        "TWILIO_API_SECRET" => Some(SECRET.to_owned()),
        _ => None,
    };
    let mut findings = Findings::default();
    let config = file::config(
        source,
        None,
        &Overrides::default(),
        &environment,
        &mut findings,
    );
    match config {
        Some(config) if findings.problems.is_empty() => {
            let names: BTreeSet<_> = config.accounts.iter().map(|each| &each.name).collect();
            assert_eq!(names.len(), config.accounts.len(), "two accounts of a name");
            assert!(!names.is_empty(), "no account");
            assert!(!format!("{config:?}").contains(SECRET), "a secret in Debug");
        }
        Some(_) => {}
        None => assert!(!findings.problems.is_empty(), "refused without a reason"),
    }
    for found in findings.problems.iter().chain(&findings.notices) {
        let text = found.to_string();
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}
