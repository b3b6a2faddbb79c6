//! Credentials for URLs, and their rotation.

use std::process::Command;
use std::time::{Duration, Instant};

use super::lists::{Lists, Reply};
use super::tls::Authority;
use super::{Scene, list};
use crate::support::eventually;
use crate::support::log::Log;

const BASIC: &str = "\n  basic_auth: {username: made-up, password_file: password}";

async fn lists() -> Lists {
    Lists::start(Reply::json(list(&["41"]))).await
}

fn scene(lists: &Lists, login: &str) -> Scene {
    let yaml = format!("operation_urls:\n- url: {}{login}", lists.url("/"));
    Scene::new(&yaml, &[("password", "one\n")])
}

#[tokio::test]
async fn each_way_to_authenticate_sends_its_header() {
    let authorization =
        |more: &str| format!("\n  authorization: {{{more}credentials_file: password}}");
    for (login, header) in [
        (BASIC.to_owned(), "Basic bWFkZS11cDpvbmU="),
        (authorization(""), "Bearer one"),
        (authorization("type: Bearer, "), "Bearer one"),
        (authorization("type: Token, "), "Token one"),
    ] {
        let lists = lists().await;
        assert_eq!(
            scene(&lists, &login).fetch().await,
            ["listed 41"],
            "{login}"
        );
        assert_eq!(
            lists.last("authorization").as_deref(),
            Some(header),
            "{login}"
        );
    }
}

#[tokio::test]
async fn a_new_secret_is_used_immediately() {
    let lists = lists().await;
    let scene = scene(&lists, BASIC);
    scene.fetch().await;
    scene.write("password", "two");
    scene.fetch().await;
    assert_eq!(
        lists.last("authorization").as_deref(),
        Some("Basic bWFkZS11cDp0d28=")
    );
}

#[tokio::test]
async fn while_the_file_has_no_secret_the_last_one_is_used() {
    let bearer = "\n  authorization: {credentials_file: password}";
    for (key, login, [first, second]) in [
        (
            "basic_auth.password_file",
            BASIC,
            ["Basic bWFkZS11cDpvbmU=", "Basic bWFkZS11cDp0d28="],
        ),
        (
            "authorization.credentials_file",
            bearer,
            ["Bearer one", "Bearer two"],
        ),
    ] {
        let lists = lists().await;
        let scene = scene(&lists, login);
        let log = Log::start();
        assert_eq!(scene.fetch().await, ["listed 41"], "{key}");
        let path = scene.path("password");
        let large = "s3cret".repeat(20_000);
        for (content, why) in [
            (None, "cannot read "),
            (Some(""), "is empty; write the secret into it"),
            (Some("s3cret\ns3cret"), "control characters"),
            (Some(r#"{"password": "s3cret"}"#), "holds JSON"),
            (Some(&large), "it is larger than 64 KiB"),
        ] {
            match content {
                Some(content) => scene.write("password", content),
                None => std::fs::remove_file(&path).unwrap(),
            }
            for _ in 0..2 {
                assert_eq!(scene.fetch().await, [""; 0], "{key}: {why}");
                assert_eq!(lists.last("authorization").as_deref(), Some(first), "{why}");
                assert_eq!(scene.metric("up"), Some(1.0), "{key}: {why}");
            }
            let lines = log.take();
            assert_eq!(lines.len(), 1, "{lines:?}");
            for part in ["WARN cannot use the file", why, key] {
                assert!(lines[0].contains(part), "no {part} in {lines:?}");
            }
            assert!(!lines[0].contains("s3cret"), "{lines:?}");
        }
        assert_eq!(lists.requests().len(), 11, "{key}");
        scene.write("password", "two");
        assert_eq!(scene.fetch().await, [""; 0], "{key}");
        assert_eq!(lists.last("authorization").as_deref(), Some(second));
        let lines = log.take();
        assert_eq!(lines.len(), 2, "read again, new content: {lines:?}");
    }
}

#[tokio::test]
async fn a_password_may_contain_spaces_and_its_file_a_byte_order_mark() {
    let lists = lists().await;
    let scene = scene(&lists, BASIC);
    scene.write("password", "\u{feff}made up \r\n");
    scene.fetch().await;
    // made-up:made up
    assert_eq!(
        lists.last("authorization").as_deref(),
        Some("Basic bWFkZS11cDptYWRlIHVw")
    );
}

/// Like a mount whose server is gone: nobody writes into the pipe, so opening it hangs.
#[tokio::test]
async fn a_file_that_hangs_is_read_once_and_delays_no_later_poll() {
    let lists = lists().await;
    let pem = Authority::new().pem();
    let login = format!("{BASIC}\n  tls_config: {{ca_file: ca.pem}}");
    let yaml = format!("operation_urls:\n- url: {}{login}", lists.url("/"));
    let scene = Scene::new(&yaml, &[("password", "one"), ("ca.pem", &pem)]);
    let path = scene.path("ca.pem");
    std::fs::remove_file(&path).unwrap();
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let why = "reading takes longer than 1 s; check the disk or mount it is on";
    let reports = scene.fetch().await;
    assert!(
        reports.len() == 1 && reports[0].contains(why),
        "{reports:?}"
    );
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(scene.fetch().await, [""; 0], "as before");
        let took = began.elapsed();
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
    assert_eq!(scene.metric("up"), Some(0.0));
    assert_eq!(lists.requests().len(), 0);
    // Only one read waits for the pipe; more reads would wait for another writer.
    std::fs::write(&path, &pem).unwrap();
    eventually("the read that hung has finished", || async {
        scene.fetch().await == ["listed 41"]
    })
    .await;
    // A pipe returns its content once, so the content of the first read stays in use.
    scene.write("password", "two");
    assert_eq!(scene.fetch().await, [""; 0]);
    assert_eq!(
        lists.last("authorization").as_deref(),
        Some("Basic bWFkZS11cDp0d28=")
    );
}
