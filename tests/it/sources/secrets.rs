//! Secrets in a source's URL and the content of its responses are neither exposed nor logged.

use serde_json::json;

use super::id;
use super::lists::{Lists, Reply};
use crate::support::client::client;
use crate::support::eventually;
use crate::support::exporter::{account_at, files, one_account};
use crate::support::program::{Program, run};
use crate::support::twilio::Twilio;

/// In every text that must not be exposed or logged.
const MARK: &str = "s3cret";

/// Responses that are not lists, with the mark in every possible place.
fn broken() -> Vec<String> {
    let (long, address) = (MARK.repeat(500), format!("{MARK}@example.com"));
    let key = |key: &str| json!([{key: 1}, {"targets": [], key: [], "labels": {}}]);
    let label = |name: &str| json!([{"targets": [id("41")], "labels": {"a": "b", name: "c"}}]);
    let mut documents = vec![
        json!({MARK: {MARK: MARK}}),
        json!(MARK),
        json!([MARK, {MARK: MARK}]),
        json!([{"targets": MARK}]),
        json!([{"targets": [MARK, 5, {MARK: MARK}]}]),
        json!([{"targets": [format!("comms_operation_{MARK}")]}]),
        json!([{"labels": {MARK: {MARK: 1}}}]),
        json!([{"labels": {"a": MARK.repeat(100)}}]),
        json!([{"labels": {"a": format!("{MARK}\u{1b}[31m")}}]),
    ];
    for text in [MARK, &long, &address, "targets s3cret", "s3cret\n\u{1b}"] {
        documents.push(key(text));
        documents.push(label(&format!("{text}-")));
    }
    let mut texts: Vec<String> = documents.iter().map(ToString::to_string).collect();
    texts.push(format!(r#"[{{"{MARK}": 1, "{MARK}": 2}}]"#));
    texts.push(format!(
        r#"[{{"labels": {{"{MARK}": "1", "{MARK}": "2"}}}}]"#
    ));
    texts.push(format!("Dear {MARK},"));
    texts.push(format!(r#"[{{"{MARK}": "#));
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_url_or_its_responses_is_exposed_or_logged() {
    let lists = Lists::start(Reply::json(format!(r#"[{{"targets": ["{}"]}}]"#, id("41")))).await;
    let twilio = Twilio::empty().await;
    let url = lists.url(&format!("/hooks/{MARK}?key={MARK}"));
    let yaml = format!(
        "operation_urls:\n- {{url: '{url}', refresh_interval: 100ms}}\n- {{url: '{url}&b', name: crm, refresh_interval: 100ms}}"
    );
    let config = files(&one_account(&twilio, &yaml));
    let config = config.config.to_str().unwrap();
    let mut program = Program::exporter(
        &[
            "--config.file",
            config,
            "--web.enable-api",
            "--log.level",
            "debug",
        ],
        &[],
    );
    let base = format!("http://{}", program.address());
    let client = client();
    let get = |path: &str| {
        let request = client.get(format!("{base}{path}"));
        async move { request.send().await.unwrap().text().await.unwrap() }
    };
    let operation = format!("/api/v1/operations/{}", id("41"));
    eventually("both list it", || async {
        let seen = get("/metrics").await;
        let up = "twilio_email_source_up{account=\"default\",source=";
        seen.contains(&format!("{up}\"{}#", lists.url("")))
            && seen.contains(&format!("{up}\"crm\"}} 1"))
    })
    .await;
    let received = |count: usize| lists.requests().len() >= count;
    let mut replies: Vec<_> = broken().into_iter().map(Reply::json).collect();
    replies.push(Reply::status(404));
    let to = ("location", format!("http://127.0.0.1:1/{MARK}"));
    replies.push(Reply::Response(302, vec![to], MARK.to_owned()));
    replies.push(Reply::typed(&format!("text/{MARK}"), MARK));
    replies.push(Reply::Cut(MARK.to_owned()));
    for reply in replies {
        lists.reply(reply);
        let before = lists.requests().len();
        // Both URLs were polled a second time, so both have processed the first response.
        eventually("polled again", || async { received(before + 4) }).await;
        for path in ["/metrics", "/", "/api/v1/operations", &operation] {
            let page = get(path).await;
            assert!(!page.contains(MARK), "{path}:\n{page}");
        }
    }
    drop(lists);
    program.line(&["source=crm", "no connection"]);
    program.signal("TERM");
    let finished = program.wait();
    for line in finished.stderr.lines() {
        assert!(!line.contains(MARK), "{line}");
        // The longest is ten problems with one list.
        assert!(line.len() < 2000, "{line}");
    }
    let logged = finished.stderr;
    assert!(logged.contains("[0].labels, key 2: a label"), "{logged}");
    assert!(logged.contains("[0]: key 1 is not allowed"), "{logged}");
}

#[test]
fn no_problem_with_the_configuration_of_a_url_repeats_it() {
    let url = format!("https://c.example/{MARK}?key={MARK}");
    for wrong in [
        format!("- url: {url}\n- url: {url}"),
        format!("- url: {url}\n  refresh_interval: 1y"),
        format!("- {{url: '{url}', name: ''}}"),
        format!("- {{url: '{url}', name: a}}\n- {{url: '{url}2', name: a}}"),
        format!("- url: https://user:{MARK}@c.example/"),
        format!("- url: 'https://c.example/#{MARK}'"),
        format!("- url: 'ftp://c.example/{MARK}'"),
        format!("- url: '{MARK}'"),
        format!("- url: ['{MARK}']"),
        format!("- url: 'https://[{MARK}/'"),
    ] {
        let yaml = account_at(
            "a",
            "http://127.0.0.1:1/v1",
            &format!("operation_urls:\n{wrong}"),
        );
        let config = files(&format!("accounts:\n{yaml}"));
        let finished = run(
            &["once", "--config.file", config.config.to_str().unwrap()],
            &[],
        );
        assert_eq!(finished.code, Some(2), "{wrong}: {}", finished.stderr);
        assert!(
            !finished.stderr.contains(MARK),
            "{wrong}: {}",
            finished.stderr
        );
    }
}
