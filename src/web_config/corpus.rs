//! Runs the files of `tests/web_config`: the good ones load, the bad ones fail with exactly the text next to them.
//!
//! `BLESS=1 cargo test --lib web_config::corpus` rewrites the texts; read the difference before you commit it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{ReadFiles, WebConfig, load};
use crate::config::ConfigError;
use crate::config::corpus::{expect, files};
use crate::timestamp::Timestamp;

/// The time of day in the corpus: within the validity of its certificates.
const NOW: &str = "2030-01-01T00:00:00Z";

fn folder(name: &str) -> Vec<PathBuf> {
    files(&Path::new("tests/web_config").join(name))
}

fn loaded(path: &Path) -> Result<WebConfig, ConfigError> {
    let now: Timestamp = NOW.parse().unwrap();
    load(path, now, &ReadFiles::default()).0
}

/// The text next to a good file has its notices.
#[test]
fn good_files_load() {
    for path in ["good", "good_beyond_toolkit"].map(folder).concat() {
        let config = loaded(&path).unwrap_or_else(|error| panic!("{error}"));
        let mut notices = String::new();
        for notice in &config.notices {
            writeln!(notices, "{notice}").unwrap();
        }
        expect(&path, &notices);
    }
}

#[test]
fn bad_files_fail_with_the_text_beside_them() {
    for path in folder("bad") {
        let Err(error) = loaded(&path) else {
            panic!("{} was expected to fail", path.display());
        };
        expect(&path, &format!("{error}\n"));
    }
}

/// Neither a password, a hash nor a key.
#[test]
fn no_secret_of_a_file_is_in_an_error_or_a_debug_text() {
    let folders = ["good", "good_beyond_toolkit", "bad"].map(folder).concat();
    for path in folders {
        let text = match loaded(&path) {
            Ok(config) => format!("{config:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        for secret in ["s3cret", "X0h1gDsP", "NJgRrn", "mDwo.lA", "MIGHAgEA"] {
            assert!(!text.contains(secret), "{}: {text}", path.display());
        }
    }
}

#[test]
fn the_values_of_a_file_are_loaded() {
    let config = loaded(Path::new("tests/web_config/good/tls_all_keys.yml")).unwrap();
    let tls = config.tls.unwrap();
    assert!(tls.verifies_clients);
    assert!(!tls.server.ignore_client_order);
    assert_eq!(tls.server.alpn_protocols, [b"http/1.1".to_vec()]);
    let header = |name| config.headers.iter().find(|header| header.name == name);
    assert_eq!(config.headers.len(), 5);
    assert_eq!(header("X-XSS-Protection").unwrap().value, "0");
    let limit = config.rate_limit.unwrap();
    assert_eq!((limit.interval.as_secs(), limit.burst), (1, 20));
    assert!(config.users.all().iter().all(|user| user.may_write));
    assert!(!config.health_without_auth);

    let own = loaded(Path::new(
        "tests/web_config/good_beyond_toolkit/own_keys.yml",
    ))
    .unwrap();
    let may_write = |name: &str| own.users.get(name.as_bytes()).unwrap().may_write;
    assert!(own.health_without_auth && own.tls.is_none());
    assert_eq!((may_write("prometheus"), may_write("admin")), (false, true));
    assert!(own.users.get(b"nobody").is_none());

    let plain = loaded(Path::new("tests/web_config/good/tls.yml")).unwrap();
    let server = plain.tls.unwrap().server;
    assert!(server.ignore_client_order, "the default is true");
    assert_eq!(
        server.alpn_protocols,
        [b"h2".to_vec(), b"http/1.1".to_vec()]
    );
    for off in ["empty", "no_users", "tls_without_a_certificate"] {
        let config = loaded(&Path::new("tests/web_config/good").join(format!("{off}.yml")));
        let config = config.unwrap();
        assert!(config.tls.is_none() && config.rate_limit.is_none(), "{off}");
        assert!(
            config.users.is_empty() && config.headers.is_empty(),
            "{off}"
        );
    }
}
