//! What a URL is shown to let the exporter in, and how that is exchanged.

use std::process::Command;
use std::time::{Duration, Instant};

use super::lists::{Lists, Reply};
use super::{Scene, list};
use crate::support::eventually;

const BASIC: &str = "\n  basic_auth: {username: made-up, password_file: password}";

async fn lists() -> Lists {
    Lists::start(Reply::json(list(&["41"]))).await
}

fn scene(lists: &Lists, login: &str) -> Scene {
    let yaml = format!("operation_urls:\n- url: {}{login}", lists.url("/"));
    Scene::new(&yaml, &[("password", "one\n")])
}

#[tokio::test]
async fn each_way_has_its_header() {
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
async fn a_secret_that_is_exchanged_is_used_at_once() {
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
async fn without_its_secret_nothing_is_asked() {
    let lists = lists().await;
    let scene = scene(&lists, BASIC);
    scene.fetch().await;
    std::fs::remove_file(scene.path("password")).unwrap();
    let told = scene.fetch().await;
    assert!(told.len() == 1, "{told:?}");
    assert!(
        told[0].starts_with("broken (password_file: cannot read "),
        "{told:?}"
    );
    for (content, why) in [
        ("", "is empty"),
        ("s3cret\ns3cret", "holds control characters"),
        (r#"{"password": "s3cret"}"#, "holds JSON"),
    ] {
        scene.write("password", content);
        let told = scene.fetch().await;
        assert!(told.len() == 1 && told[0].contains(why), "{told:?}");
        assert!(!told[0].contains("s3cret"), "{told:?}");
    }
    assert_eq!(lists.asked().len(), 1);
    assert_eq!(scene.figure("operations"), Some(1.0));
    scene.write("password", "one");
    assert_eq!(scene.fetch().await, ["listed 41"]);
}

#[tokio::test]
async fn a_password_may_hold_spaces_and_its_file_a_byte_order_mark() {
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

/// As a mount whose server is gone: nobody writes into the pipe, so opening it hangs.
#[tokio::test]
async fn a_secret_on_a_disk_that_hangs_is_waited_for_once() {
    let lists = lists().await;
    let scene = scene(&lists, BASIC);
    scene.fetch().await;
    let path = scene.path("password");
    std::fs::remove_file(&path).unwrap();
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let why = "reading its secret, certificate or key takes longer than 1 s";
    let told = scene.fetch().await;
    assert!(told.len() == 1 && told[0].contains(why), "{told:?}");
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(scene.fetch().await, [""; 0], "as before");
        let took = began.elapsed();
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
    assert_eq!(scene.figure("up"), Some(0.0));
    assert_eq!(lists.asked().len(), 1);
    // One read waits for the pipe; were there others, they would wait for another writer.
    std::fs::write(&path, "two").unwrap();
    eventually("what hung has ended", || async {
        scene.fetch().await == ["listed 41"]
    })
    .await;
    assert_eq!(
        lists.last("authorization").as_deref(),
        Some("Basic bWFkZS11cDp0d28=")
    );
}
