//! URLs: valid responses, and every invalid one.

use std::time::Duration;

use twilio_email_exporter::config::OperationUrl;
use twilio_email_exporter::sources::{News, SourceError, Url};

use super::lists::{Lists, Reply};
use super::{Scene, account_of, id, list};
use crate::support::eventually;
use crate::support::exporter::{account_at, files};

/// The sources of an account with this one URL.
fn scene(url: &str) -> Scene {
    Scene::new(&format!("operation_urls: [{{url: '{url}'}}]"), &[])
}

#[tokio::test]
async fn a_list_is_reported_when_it_is_new_and_when_it_changes() {
    let lists = Lists::start(Reply::json(list(&["41", "42"]))).await;
    let scene = scene(&lists.url("/targets?team=mail"));
    assert_eq!(scene.metric("up"), None);
    assert_eq!(scene.fetch().await, ["listed 41 42"]);
    scene.clock.set(scene.clock.now() + Duration::from_mins(1));
    assert_eq!(scene.fetch().await, [""; 0]);
    let now = scene.clock.now().as_seconds();
    assert_eq!(scene.metric("up"), Some(1.0));
    assert_eq!(scene.metric("operations"), Some(2.0));
    assert_eq!(scene.metric("last_success_timestamp_seconds"), Some(now));
    let shown = scene.shown();
    let up = shown.family("twilio_email_source_up").unwrap();
    let source = &up.samples[0].labels["source"];
    let (origin, fingerprint) = source.split_once('#').expect("a fingerprint");
    assert_eq!((origin, fingerprint.len()), (&*lists.url(""), 4));
    let labeled = format!(
        r#"[{{"targets": ["{}"], "labels": {{"campaign": "spring", "__meta": "x"}}}}]"#,
        id("43")
    );
    lists.reply(Reply::typed("application/json; charset=utf-8", labeled));
    assert_eq!(scene.fetch().await, ["listed 43,campaign=spring"]);
    lists.reply(Reply::json("[]"));
    assert_eq!(scene.fetch().await, ["listed"]);
    assert_eq!(scene.metric("operations"), Some(0.0));
}

#[tokio::test]
async fn requests_have_the_headers_of_prometheus_http_sd() {
    let lists = Lists::start(Reply::json("[]")).await;
    let scene = scene(&lists.url("/targets?team=mail&x=%20"));
    scene.fetch().await;
    let (uri, _) = lists.requests().pop().unwrap();
    assert_eq!(uri.to_string(), "/targets?team=mail&x=%20");
    assert_eq!(lists.last("accept").as_deref(), Some("application/json"));
    assert_eq!(
        lists
            .last("x-prometheus-refresh-interval-seconds")
            .as_deref(),
        Some("60")
    );
    assert_eq!(lists.last("authorization"), None);
    assert!(
        lists
            .last("user-agent")
            .unwrap()
            .starts_with("twilio-email-exporter/")
    );
}

/// Replies that are not lists, and the report of each.
fn faults() -> Vec<(&'static str, Reply, &'static str)> {
    let html = "<html>Sign in</html>";
    let large = " ".repeat(16 * 1024 * 1024 + 1);
    vec![
        (
            "no such path",
            Reply::status(404),
            "the server responded with status 404: check the URL",
        ),
        (
            "an error",
            Reply::status(500),
            "the server responded with status 500; 200 is expected",
        ),
        (
            "nothing",
            Reply::status(204),
            "the server responded with status 204; 200 is expected",
        ),
        (
            "a login",
            Reply::status(401),
            "the server responded with status 401: it rejects the credentials; check `basic_auth` or `authorization`",
        ),
        (
            "a page",
            Reply::typed("text/html", html),
            "the response has no `Content-Type: application/json`",
        ),
        (
            "no type",
            Reply::Response(200, Vec::new(), list(&["41"])),
            "the response has no `Content-Type: application/json`",
        ),
        (
            "a page called JSON",
            Reply::json(html),
            "line 1, column 1: not JSON: expected value",
        ),
        (
            "half a list",
            Reply::json("[{\"targets\": ["),
            "line 1, column 14: not JSON: EOF while parsing a list",
        ),
        (
            "an empty body",
            Reply::json(""),
            "empty; a list without operations is written `[]`",
        ),
        (
            "another list",
            Reply::json("[{\"targets\": [\"10.0.0.1:80\"]}]"),
            "[0].targets[0]: an operation id starts with `comms_operation_`",
        ),
        (
            "too much",
            Reply::json(large),
            "it is larger than 16 MiB; split it",
        ),
        (
            "no end",
            Reply::Endless,
            "it is larger than 16 MiB; split it",
        ),
    ]
}

#[tokio::test]
async fn an_invalid_response_keeps_the_last_list_and_is_reported_once() {
    let good = Reply::json(list(&["41"]));
    let lists = Lists::start(good.clone()).await;
    let scene = scene(&lists.url("/"));
    assert_eq!(scene.fetch().await, ["listed 41"]);
    for (what, fault, reports) in faults() {
        let before = scene.metric("last_success_timestamp_seconds");
        scene.clock.set(scene.clock.now() + Duration::from_mins(1));
        lists.reply(fault);
        assert_eq!(
            scene.fetch().await,
            [format!("broken ({reports})")],
            "{what}"
        );
        assert_eq!(scene.fetch().await, [""; 0], "{what}, again");
        assert_eq!(scene.metric("up"), Some(0.0), "{what}");
        assert_eq!(scene.metric("operations"), Some(1.0), "{what}");
        assert_eq!(
            scene.metric("last_success_timestamp_seconds"),
            before,
            "{what}"
        );
        lists.reply(good.clone());
        assert_eq!(scene.fetch().await, ["listed 41"], "after {what}");
        assert_eq!(scene.metric("up"), Some(1.0), "after {what}");
    }
}

#[tokio::test]
async fn a_response_after_the_timeout_is_a_failure() {
    let lists = Lists::start(Reply::Hang).await;
    let yaml = format!(
        "operation_urls: [{{url: '{}', timeout: 50ms}}]",
        lists.url("/")
    );
    let scene = Scene::new(&yaml, &[]);
    let reports = ["broken (no response within 0.05 s)"];
    assert_eq!(scene.fetch().await, reports);
    assert_eq!(scene.fetch().await, [""; 0]);
}

#[tokio::test]
async fn a_response_that_breaks_off_is_a_failure() {
    let lists = Lists::start(Reply::Cut("[".to_owned())).await;
    let reports = scene(&lists.url("/")).fetch().await;
    assert!(
        reports.len() == 1 && reports[0].starts_with("broken (no connection: "),
        "{reports:?}"
    );
}

#[tokio::test]
async fn a_refused_connection_is_reported_with_the_systems_error() {
    let lists = Lists::start(Reply::Hang).await;
    let scene = scene(&lists.url("/"));
    drop(lists);
    eventually("the port is closed", || async {
        let reports = scene.fetch().await;
        reports.len() == 1 && reports[0].contains("no connection: connection refused")
    })
    .await;
    assert_eq!(scene.metric("up"), Some(0.0));
    assert_eq!(scene.metric("operations"), None);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Lists::start(Reply::json(list(&["41"]))).await;
    for status in [301, 302, 307, 308] {
        let location = vec![("location", elsewhere.url("/"))];
        let lists = Lists::start(Reply::Response(status, location, String::new())).await;
        let reports = scene(&lists.url("/")).fetch().await;
        let expected = format!(
            "broken (the server responded with status {status}: redirects are not followed; configure the URL to which it redirects)"
        );
        assert_eq!(reports, [expected]);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn urls_are_polled_at_their_intervals_and_none_waits_for_another() {
    let lists = Lists::start(Reply::json(list(&["41"]))).await;
    let silent = Lists::start(Reply::Hang).await;
    let yaml = format!(
        "operation_urls:\n- url: {}\n  refresh_interval: 100ms\n- url: {}\n  timeout: 2m",
        lists.url("/"),
        silent.url("/")
    );
    let scene = Scene::new(&yaml, &[]);
    let watched = async {
        eventually("the first list", || async { scene.take() == ["listed 41"] }).await;
        lists.reply(Reply::json(list(&["42"])));
        eventually("the second list", || async {
            scene.take() == ["listed 42"]
        })
        .await;
        eventually("more requests", || async { lists.requests().len() > 5 }).await;
        assert_eq!(scene.take(), [""; 0]);
        assert_eq!(silent.requests().len(), 1);
    };
    tokio::select! {
        () = scene.sources.run(|news| scene.deliver(news)) => panic!("it finished"),
        () = watched => {}
    }
}

#[tokio::test]
async fn without_urls_no_task_runs() {
    let scene = Scene::new("operation_files: [a.yml]", &[]);
    scene.sources.run(|_| panic!("no news")).await;
    scene.sources.fetch(|_| panic!("no news")).await;
}

#[tokio::test]
async fn one_url_can_be_polled_alone() {
    let lists = Lists::start(Reply::json(list(&["41"]))).await;
    let yaml = format!("operation_urls:\n- url: {}?token=s3cret", lists.url("/"));
    let files = files(&format!(
        "accounts:\n{}",
        account_at("default", super::TWILIO, &yaml)
    ));
    let settings: OperationUrl = account_of(&files).operation_urls[0].clone();
    let url = Url::new(&"default".into(), settings);
    let listed = url.fetch().await.unwrap();
    assert_eq!(
        listed.keys().map(ToString::to_string).collect::<Vec<_>>(),
        [id("41")]
    );
    lists.reply(Reply::status(503));
    assert_eq!(url.fetch().await, Err(SourceError::Status(503)));
    assert!(!format!("{url:?}").contains("s3cret"));
}

#[tokio::test]
async fn urls_that_differ_in_their_queries_are_several_sources() {
    let lists = Lists::start(Reply::json(list(&["41"]))).await;
    let (one, other) = (lists.url("/?team=a"), lists.url("/?team=b"));
    let scene = Scene::new(
        &format!(
            "operation_urls:\n- url: {one}\n- {{url: '{other}', name: other}}\n- url: {}",
            lists.url("/")
        ),
        &[],
    );
    scene.sources.fetch(|news| scene.deliver(news)).await;
    let news = std::mem::take(&mut *scene.news.lock().unwrap());
    let mut sources: Vec<_> = news
        .iter()
        .map(|news| match news {
            News::Listed { source, .. } => source.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    sources.sort();
    let [whole, part, named] = &sources[..] else {
        panic!("{sources:?}");
    };
    assert_eq!((whole, &**named), (&lists.url(""), "other"));
    assert!(part.starts_with(&lists.url("#")), "{part}");
}
