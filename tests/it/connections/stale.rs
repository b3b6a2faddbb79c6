//! A server that closes an idle connection when the next request arrives: that request is sent once more.

use super::{Act, LIST, Raw, Scene, failures, list};

/// The ways in which a server may close an idle connection.
fn leaves() -> [Act; 3] {
    [Act::Close, Act::Reset, Act::Send(b"HTTP/1.1 2".to_vec())]
}

#[tokio::test]
async fn a_request_to_the_api_is_sent_again_on_a_new_connection_and_counted() {
    for leave in leaves() {
        let raw = Raw::start(Act::Respond, leave.clone()).await;
        let scene = Scene::new(&raw, "").await;
        scene.scrape().await.expect("at first", &[("up", 1.0)]);
        let seen = scene.scrape().await;
        seen.expect(
            &format!("{leave:?}"),
            &[
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", 1.0),
            ],
        );
        assert_eq!(raw.connections(LIST), [1, 1, 2], "{leave:?}");
        assert_eq!(seen.requests("operations", "200"), Some(2.0));
        assert_eq!(seen.requests("operations", "none"), Some(1.0));
        let failed = ("operations".to_owned(), "connect".to_owned(), 1.0);
        assert_eq!(failures(&seen), [failed], "{leave:?}");
    }
}

#[tokio::test]
async fn a_request_that_fails_on_a_new_connection_is_not_sent_again() {
    for leave in leaves() {
        let raw = Raw::start(leave.clone(), leave.clone()).await;
        let scene = Scene::new(&raw, "").await;
        let seen = scene.scrape().await;
        seen.expect(&format!("{leave:?}"), &[("up", 0.0)]);
        assert_eq!(raw.connections(LIST), [1], "{leave:?}");
    }
}

#[tokio::test]
async fn a_request_is_sent_again_only_once() {
    let raw = Raw::start(Act::Respond, Act::Close).await;
    let scene = Scene::new(&raw, "").await;
    scene.scrape().await.expect("at first", &[("up", 1.0)]);
    raw.act(Act::Close, Act::Close);
    scene.scrape().await.expect("closed", &[("up", 0.0)]);
    assert_eq!(raw.connections(LIST), [1, 1, 2]);
    raw.act(Act::Respond, Act::Respond);
    scene.scrape().await.expect("well again", &[("up", 1.0)]);
}

#[tokio::test]
async fn a_request_with_an_invalid_response_is_not_sent_again() {
    let raw = Raw::start(Act::Respond, Act::Send(b"SSH-2.0-x\r\n\r\n".to_vec())).await;
    let scene = Scene::new(&raw, "").await;
    scene.scrape().await.expect("at first", &[("up", 1.0)]);
    scene.scrape().await.expect("not HTTP", &[("up", 0.0)]);
    assert_eq!(raw.connections(LIST), [1, 1]);
}

#[tokio::test]
async fn the_second_request_has_the_rest_of_the_timeout() {
    let raw = Raw::start(Act::Respond, Act::Close).await;
    let scene = Scene::new(&raw, "request_timeout: 500ms").await;
    scene.scrape().await.expect("at first", &[("up", 1.0)]);
    raw.act(Act::Nothing, Act::Close);
    let seen = scene.scrape().await;
    seen.expect("silent", &[("up", 0.0)]);
    assert_eq!(raw.connections(LIST), [1, 1, 2]);
    let reasons: Vec<_> = failures(&seen).into_iter().map(|(_, why, _)| why).collect();
    assert_eq!(reasons, ["connect", "timeout"]);
}

#[tokio::test]
async fn a_request_for_a_token_is_sent_again_on_a_new_connection() {
    for leave in leaves() {
        let raw = Raw::start(Act::Respond, leave.clone()).await;
        let api = Raw::start(Act::Respond, Act::Respond).await;
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "made-up").unwrap();
        let scene = Scene::of(&format!(
            "- name: default\n  base_url: {}\n  max_requests_per_second: 100000\n  \
             oauth: {{client_id: x, client_secret_file: '{}', token_url: '{}'}}\n",
            api.url("/v1"),
            secret.path().display(),
            raw.url("/token"),
        ))
        .await;
        scene.scrape().await.expect("at first", &[("up", 1.0)]);
        let seen = scene.scrape().await;
        seen.expect(&format!("{leave:?}"), &[("up", 1.0)]);
        assert_eq!(raw.connections("/token"), [1, 1, 2], "{leave:?}");
        assert_eq!(seen.requests("token", "none"), Some(1.0), "{leave:?}");
    }
}

#[tokio::test]
async fn a_request_for_a_list_is_sent_again_on_a_new_connection() {
    for leave in leaves() {
        let raw = Raw::start(Act::Respond, leave.clone()).await;
        let url = list(&raw);
        assert!(url.fetch().await.is_ok());
        assert!(url.fetch().await.is_ok(), "{leave:?}");
        assert_eq!(raw.connections("/targets"), [1, 1, 2], "{leave:?}");
        raw.act(leave.clone(), leave.clone());
        assert!(list(&raw).fetch().await.is_err());
        assert_eq!(raw.connections("/targets"), [1, 1, 2, 3], "{leave:?}");
    }
}

#[tokio::test]
async fn connections_closed_while_idle_are_not_used() {
    let served = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 48\r\n\r\n".to_vec(),
        br#"{"operations": [], "pagination": {"next": null}}"#.to_vec(),
    ]
    .concat();
    let raw = Raw::start(Act::Send(served), Act::Close).await;
    let scene = Scene::new(&raw, "").await;
    for scrapes in 1..=3 {
        let seen = scene.scrape().await;
        seen.expect("closed when idle", &[("up", 1.0)]);
        assert_eq!(raw.connections(LIST), (1..=scrapes).collect::<Vec<_>>());
    }
}
