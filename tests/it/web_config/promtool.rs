//! `promtool check web-config` accepts the files of the corpus that have only keys of the exporter-toolkit, and the example.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::WebFiles;

/// The keys that Debian 12's promtool does not know yet.
const NEWER: [&str; 5] = [
    "cert",
    "key",
    "client_ca",
    "client_allowed_sans",
    "rate_limit",
];

/// The problems that promtool reports, line by line.
fn problems(path: &Path) -> Vec<String> {
    let output = Command::new("promtool")
        .args(["check", "web-config"])
        .arg(path)
        .output();
    let output = output.expect("promtool is not installed here; run the tests with tests/run");
    if output.status.success() {
        return Vec::new();
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/web_config")
        .join(folder);
    let files = crate::support::files_below(&folder, "yml");
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

fn is_about_a_newer_key(line: &str) -> bool {
    let known = |key: &&str| line.contains(&format!("field {key} not found"));
    line.contains("unmarshal errors") || NEWER.iter().any(known)
}

#[test]
fn promtool_accepts_the_good_files_of_the_toolkit() {
    for path in corpus("good") {
        let mut problems = problems(&path);
        problems.retain(|line| !is_about_a_newer_key(line));
        assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
    }
}

#[test]
fn promtool_refuses_this_exporters_own_keys() {
    for path in corpus("good_beyond_toolkit") {
        let problems = problems(&path).join("\n");
        for key in ["read_only_users", "health_without_auth"] {
            let expected = format!("field {key} not found");
            assert!(problems.contains(&expected), "{problems}");
        }
    }
}

#[test]
fn promtool_and_the_exporter_accept_the_example() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/web.yml");
    let files = WebFiles::new(&std::fs::read_to_string(example).unwrap());
    assert_eq!(problems(&files.path("web.yml")), [""; 0]);
    let now = twilio_email_exporter::clock::Clock::System.now();
    let before = twilio_email_exporter::web_config::ReadFiles::default();
    let (config, _) = twilio_email_exporter::web_config::load(&files.path("web.yml"), now, &before);
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    assert!(config.tls.is_some() && !config.users.is_empty());
    assert!(config.notices.is_empty(), "{:?}", config.notices);
}
