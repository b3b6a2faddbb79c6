//! Web configurations that change, or are wrong, while the exporter runs.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::exposition::{Build, Instruments};
use crate::ongoing_failure::log::Log;

/// A made-up text in the form of a hash.
const HASH: &str = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

struct Scene {
    directory: TempDir,
    config: CurrentWebConfig,
}

fn users(names: &[&str]) -> String {
    let lines = names.iter().map(|name| format!("  {name}: {HASH}\n"));
    "basic_auth_users:\n".to_owned() + &lines.collect::<String>()
}

/// TLS with the certificates of the corpus, and `more` keys.
fn tls(more: &str) -> String {
    let certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/web_config/certificates");
    format!(
        "tls_server_config:\n  cert_file: {certificates}/server.crt\n  key_file: {certificates}/server.key\n{}",
        more.replace("CERTIFICATES", certificates)
    )
}

impl Scene {
    fn new(yaml: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.yml");
        fs::write(&path, yaml).unwrap();
        let build = Build {
            version: "0",
            revision: "0",
        };
        let instruments = Instruments::new(build).unwrap().show_web_config().unwrap();
        let config = CurrentWebConfig::open(&path, Clock::System, instruments).unwrap();
        Self { directory, config }
    }

    fn write(&self, yaml: &str) {
        fs::write(self.directory.path().join("web.yml"), yaml).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let config = self.config.get();
        let users = config.users.all().iter();
        users.map(|user| user.name.clone()).collect()
    }

    async fn check(&self) -> bool {
        self.config.check(Cause::Interval).await.is_ok()
    }
}

#[tokio::test]
async fn a_change_is_applied_when_two_checks_read_the_same() {
    let scene = Scene::new(&users(&["a"]));
    assert!(scene.check().await && scene.check().await);
    // The file is being written: it is cut off at the first check and complete at the second one.
    scene.write(&users(&["b"]));
    assert!(scene.check().await);
    assert_eq!(scene.names(), ["a"]);
    scene.write(&users(&["b", "c"]));
    assert!(scene.check().await);
    assert_eq!(scene.names(), ["a"]);
    assert!(scene.check().await);
    assert_eq!(scene.names(), ["b", "c"]);
    // A change that is gone at the next check does not count.
    scene.write(&users(&["d"]));
    assert!(scene.check().await);
    scene.write(&users(&["b", "c"]));
    assert!(scene.check().await);
    scene.write(&users(&["d"]));
    assert!(scene.check().await);
    assert_eq!(scene.names(), ["b", "c"]);
}

#[tokio::test]
async fn a_broken_file_is_logged_once_and_when_it_is_valid_again() {
    let scene = Scene::new(&users(&["a"]));
    let (log, _guard) = Log::start();
    scene.write("basic_auth_users: {a: s3cret}\nrate_limit: 1s\n");
    for _ in 0..5 {
        scene.check().await;
    }
    assert_eq!(log.lines("cannot reload"), 2, "one line per problem");
    assert_eq!(log.lines("s3cret"), 0);
    scene.write("basic_auth_users: {a: other}\n");
    for _ in 0..5 {
        scene.check().await;
    }
    assert_eq!(log.lines("cannot reload"), 3, "another problem");
    let _ = scene.config.reload().await;
    assert_eq!(log.lines("cannot reload"), 4, "a reload reports again");
    scene.write(&users(&["a"]));
    for _ in 0..5 {
        assert!(scene.check().await);
    }
    assert_eq!(log.lines("has its current content again"), 1);
    assert_eq!(
        log.lines("reloaded the web configuration"),
        0,
        "nothing is new"
    );
}

#[tokio::test]
async fn a_running_exporter_never_turns_protection_off() {
    let verified = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: CERTIFICATES/client-ca.crt\n";
    let good = tls(verified) + &users(&["a"]);
    let scene = Scene::new(&good);
    for (weaker, place) in [
        (String::new(), "tls_server_config"),
        (users(&["a"]), "tls_server_config"),
        (tls(verified), "basic_auth_users"),
        (tls("") + &users(&["a"]), "client_auth_type"),
        (
            tls(&verified.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"))
                + &users(&["a"]),
            "client_auth_type",
        ),
    ] {
        scene.write(&weaker);
        let error = scene.config.reload().await.unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
        assert!(error.contains("Restart it"), "{error}");
        let config = scene.config.get();
        assert!(config.tls.as_ref().is_some_and(|tls| tls.verifies_clients));
        assert_eq!(scene.names(), ["a"]);
    }
    scene.write(&(tls(verified) + &users(&["b"])));
    assert!(scene.config.reload().await.is_ok());
    assert_eq!(scene.names(), ["b"]);

    let plain = Scene::new(&users(&["a"]));
    plain.write(&(tls("") + &users(&["a"])));
    let error = plain.config.reload().await.unwrap_err().to_string();
    assert!(error.contains("turns TLS on"), "{error}");
}

#[tokio::test]
async fn a_running_exporter_never_drops_names_of_clients_read_only_users_or_the_rate_limit() {
    let verified = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: CERTIFICATES/client-ca.crt\n";
    let names = |names: &str| tls(&format!("{verified}  client_allowed_sans: {names}\n"));
    let read_only = |names: &str| users(&["a", "b"]) + &format!("read_only_users: {names}\n");
    let limit = |interval: &str| format!("rate_limit: {{interval: {interval}, burst: 9}}\n");
    let good = names("[one]") + &read_only("[a, b]") + &limit("1s");
    let scene = Scene::new(&good);
    for (weaker, place) in [
        (
            tls(verified) + &read_only("[a, b]") + &limit("1s"),
            "client_allowed_sans",
        ),
        (
            names("[one]") + &users(&["a", "b"]) + &limit("1s"),
            "read_only_users",
        ),
        (
            names("[one]") + &read_only("[b]") + &limit("1s"),
            "read_only_users",
        ),
        (names("[one]") + &read_only("[a, b]"), "rate_limit"),
        (
            names("[one]") + &read_only("[a, b]") + &limit("0s"),
            "rate_limit",
        ),
    ] {
        scene.write(&weaker);
        let error = scene.config.reload().await.unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
        assert!(error.contains("Restart it"), "{error}");
        assert!(error.contains("1 problem"), "{error}");
        let config = scene.config.get();
        let tls = config.tls.as_ref().unwrap();
        assert!(tls.limits_client_names && config.rate_limit.is_some());
        assert!(config.users.all().iter().all(|user| !user.may_write));
    }
    // Other values are applied, and a user who is gone cannot write.
    let other = names("[two, three]") + &users(&["a"]) + "read_only_users: [a]\n" + &limit("2s");
    scene.write(&other);
    let applied = scene.config.reload().await;
    assert!(applied.is_ok(), "{applied:?}");
    assert_eq!(scene.names(), ["a"]);
}

/// A shell's `<(…)` has its content only once.
#[tokio::test]
async fn a_pipe_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let writer = std::thread::spawn({
        let (path, yaml) = (path.clone(), users(&["a"]));
        move || fs::write(path, yaml).unwrap()
    });
    let build = Build {
        version: "0",
        revision: "0",
    };
    let instruments = Instruments::new(build).unwrap().show_web_config().unwrap();
    let config = CurrentWebConfig::open(&path, Clock::System, instruments).unwrap();
    writer.join().unwrap();
    for cause in [Cause::Interval, Cause::Reload, Cause::Interval] {
        assert!(config.check(cause).await.is_ok(), "{cause:?}");
        assert_eq!(config.get().users.all().len(), 1);
    }
}

/// If no process ever writes to it, a read would hang.
#[tokio::test]
async fn a_pipe_in_place_of_a_file_is_a_problem_and_is_not_read() {
    let scene = Scene::new(&users(&["a"]));
    let path = scene.config.path.clone();
    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    for cause in [Cause::Reload, Cause::Interval] {
        let error = scene.config.check(cause).await.err();
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        // At an interval, a change counts when it was seen twice.
        let expected = cause == Cause::Reload;
        assert_eq!(
            message.contains("a pipe or a device"),
            expected,
            "{message}"
        );
    }
    let error = scene.config.check(Cause::Interval).await.unwrap_err();
    assert!(error.to_string().contains("restart"), "{error}");
    assert_eq!(scene.names(), ["a"], "the current configuration stays");
    fs::remove_file(&path).unwrap();
    scene.write(&users(&["b"]));
    assert!(scene.config.reload().await.is_ok());
    assert_eq!(scene.names(), ["b"]);
}
