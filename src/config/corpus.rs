//! Runs the files of `tests/config`: the good ones load, the bad ones fail with exactly the text next to them.
//!
//! `BLESS=1 cargo test --lib config::corpus` rewrites the texts; read the difference before you commit it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Config, ConfigError, Overrides};

/// The environment of every file.
const ENVIRONMENT: [(&str, &str); 2] = [
    ("TWILIO_API_KEY", "SK00000000000000000000000000000000"),
    ("TWILIO_API_SECRET", "not-a-secret"),
];

/// Tests run in the root of the package, so the texts name files the same way on every machine.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    assert!(!paths.is_empty(), "no files in {}", folder.display());
    paths
}

fn load(path: &Path) -> Result<Config, ConfigError> {
    let overrides = Overrides {
        config_file: Some(path.to_owned()),
        ..Overrides::default()
    };
    let variable = |name: &str| ENVIRONMENT.iter().find(|(each, _)| *each == name);
    Config::load(&overrides, &|name| {
        variable(name).map(|(_, value)| (*value).to_owned())
    })
}

/// Compares `reported` with the text next to `path`.
pub(crate) fn expect(path: &Path, reported: &str) {
    let beside = path.with_extension("txt");
    if std::env::var_os("BLESS").is_some() && !reported.is_empty() {
        fs::write(&beside, reported).unwrap();
    }
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    assert_eq!(
        reported,
        expected,
        "{} and {}",
        path.display(),
        beside.display()
    );
}

/// The text next to a good file has its notices.
#[test]
fn good_files_load() {
    for path in files(Path::new("tests/config/good")) {
        let config = load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(!config.accounts.is_empty(), "{}", path.display());
        let mut reported = String::new();
        for notice in &config.notices {
            writeln!(reported, "{notice}").unwrap();
        }
        expect(&path, &reported);
    }
}

#[test]
fn bad_files_fail_with_the_text_beside_them() {
    for path in files(Path::new("tests/config/bad")) {
        let Err(error) = load(&path) else {
            panic!("{} was expected to fail", path.display());
        };
        expect(&path, &format!("{error}\n"));
    }
}

/// A secret in the wrong place is refused without being repeated.
#[test]
fn no_secret_of_a_file_is_in_an_error() {
    for path in files(Path::new("tests/config/bad")) {
        let reported =
            load(&path).map_or_else(|error| format!("{error} {error:?}"), |_| String::new());
        assert!(!reported.contains("s3cret"), "{reported}");
    }
}
