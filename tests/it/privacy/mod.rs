//! No personal data and no credential leaves the exporter: not in metrics, pages, logs or errors.

mod trace;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::simulator::operation_id;

use crate::support::client::client;
use crate::support::exporter::{Exporter, SID, TOKEN, account_at, one_account};
use crate::support::program::{Program, run};
use crate::support::stub_server::{StubResponse, StubServer};
use crate::support::twilio::Twilio;

/// Personal data of an email; each piece contains the word `marker`.
const ADDRESS: &str = "marker.person@example.com";
const SUBJECT: &str = "Your marker, \"quoted\" & <b>urgent</b>";
const WORD: &str = "marker";

/// The id of an operation that is an hour old by the system's clock, which the program uses.
fn an_hour_old() -> String {
    operation_id(Clock::System.now() - Duration::from_hours(1), 7).to_string()
}

/// Responses with personal data in every possible place, each with its name.
fn responses(id: &str) -> Vec<(&'static str, StubResponse)> {
    let operation = |extra: &str| format!(r#"{{"id":"{id}"{extra}}}"#);
    let list = |rows: &str, pagination: &str| {
        StubResponse::json(format!(
            r#"{{"operations":[{rows}],"pagination":{pagination}}}"#
        ))
    };
    let subject = json!(SUBJECT).to_string();
    let mut all = vec![
        (
            "a status",
            list(&operation(&format!(r#","status":"{ADDRESS}""#)), "{}"),
        ),
        (
            "the name of a stat",
            list(
                &operation(&format!(
                    r#","status":"COMPLETED","stats":{{"{ADDRESS}":5,{subject}:7,"total":1}}"#
                )),
                "{}",
            ),
        ),
        (
            "the value of a stat",
            list(
                &operation(&format!(
                    r#","status":"COMPLETED","stats":{{"sent":"{ADDRESS}","total":{subject}}}"#
                )),
                "{}",
            ),
        ),
        (
            "undocumented fields",
            list(
                &operation(&format!(
                    r#","status":"COMPLETED","to":["{ADDRESS}"],"content":{{"subject":{subject}}},"tags":{{"a":"{ADDRESS}"}}"#
                )),
                "{}",
            ),
        ),
        (
            "times",
            list(&operation(&format!(r#","updatedAt":"{ADDRESS}""#)), "{}"),
        ),
        (
            "an id",
            list(
                &format!(r#"{{"id":"{ADDRESS}"}},{{"id":{subject}}},"{ADDRESS}""#),
                "{}",
            ),
        ),
        (
            "a page token",
            list("", &format!(r#"{{"next":"{ADDRESS}"}}"#)),
        ),
        (
            "a URL of a next page",
            list("", &format!(r#"{{"next":"https://{ADDRESS}/?{WORD}=1"}}"#)),
        ),
        (
            "no list",
            StubResponse::json(format!(r#"{{"emails":[{{"to":"{ADDRESS}"}}]}}"#)),
        ),
        (
            "no JSON",
            StubResponse::json(format!("Dear {ADDRESS}, {SUBJECT}")),
        ),
        (
            "JSON that breaks off",
            StubResponse::json(format!(r#"{{"operations":[{{"to":"{ADDRESS}"#)),
        ),
    ];
    for status in [202, 400, 401, 403, 404, 429, 500, 503] {
        let body = format!(
            r#"{{"code":1,"message":"{ADDRESS}: {WORD}","errors":[{{"message":"{ADDRESS}"}}]}}"#
        );
        let mut response = StubResponse::error(status, body);
        response
            .headers
            .push(("retry-after", format!("{WORD} {ADDRESS}")));
        response
            .headers
            .push(("www-authenticate", format!("Basic realm=\"{ADDRESS}\"")));
        response
            .headers
            .push(("location", format!("http://{ADDRESS}/{WORD}")));
        all.push(("an error", response));
    }
    let redirect = StubResponse {
        status: 302,
        headers: vec![("location", format!("http://{ADDRESS}/{WORD}"))],
        body: ADDRESS.to_owned(),
    };
    all.push(("a redirect", redirect));
    all
}

#[track_caller]
fn assert_nothing_of(secret: &str, said: &str, what: &str) {
    let found = said
        .lines()
        .find(|line| line.to_lowercase().contains(secret));
    assert!(found.is_none(), "{what} holds {secret:?}: {found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_data_is_exposed_or_logged() {
    let id = an_hour_old();
    for at in 0..responses(&id).len() {
        let what = responses(&id)[at].0;
        let shown = id.clone();
        let twilio = StubServer::start(move |_| responses(&shown).swap_remove(at).1).await;
        let yaml = format!(
            "accounts:\n{}",
            account_at(
                "default",
                &twilio.base_url(),
                &format!("operations:\n- id: {id}")
            )
        );
        let exporter = Exporter::start(&yaml).await.settled().await;
        for path in ["/metrics", "/"] {
            let text = exporter.get(path).await.text().await.unwrap();
            assert!(text.contains("twilio"), "{text}");
            assert_nothing_of(WORD, &text, &format!("{path} after {what}"));
        }
        assert!(!twilio.requests().is_empty());
        for format in ["logfmt", "json"] {
            let finished = once(&twilio.base_url(), format);
            assert!(!finished.stderr.is_empty(), "nothing logged at all");
            for text in [&finished.stderr, &finished.stdout] {
                assert_nothing_of(WORD, text, &format!("once after {what}, {format}"));
            }
        }
    }
}

#[test]
fn a_response_that_is_not_http_is_not_repeated() {
    for said in [
        format!("220 {ADDRESS} ESMTP {WORD}\r\n"),
        format!("HTTP/1.1 200 {WORD}\r\n{ADDRESS}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{ADDRESS}\r\n{WORD}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {WORD}\r\n\r\n{ADDRESS}"),
        format!("HTTP/1.1 {WORD} {ADDRESS}\r\n\r\n"),
        format!("HTTP/1.1 2x0 {}\r\n\r\n", WORD.repeat(20_000)),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", WORD.repeat(200_000)),
        WORD.repeat(20_000),
    ] {
        let address = parrot(said.clone());
        let finished = once(&format!("http://{address}/v1"), "logfmt");
        assert_eq!(finished.code, Some(1), "{said}: {}", finished.stderr);
        for text in [&finished.stderr, &finished.stdout] {
            let said: String = said.chars().take(100).collect();
            assert_nothing_of(WORD, text, &format!("once after {said:?}"));
        }
        assert_short(&finished.stderr);
    }
}

/// The maximum length of an error of the transport in the log, so that a server cannot decide how long a line is.
const LONGEST_ERROR: usize = 200;

#[track_caller]
fn assert_short(log: &str) {
    let errors = log.lines().filter_map(|line| line.split_once("error="));
    let mut seen = 0;
    for (_, error) in errors {
        let length = error.chars().count();
        assert!(length <= LONGEST_ERROR, "{length} characters: {error}");
        seen += 1;
    }
    assert!(seen > 0, "no error in {log}");
}

/// A server that sends `said` to each client.
fn parrot(said: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Runs until the test process ends.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(said.as_bytes());
        }
    });
    address
}

fn once(base_url: &str, format: &str) -> crate::support::program::Finished {
    let id = an_hour_old();
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", base_url),
        ("TWILIO_EMAIL_OPERATIONS", &id),
    ];
    run(
        &["once", "--log.level=trace", "--log.format", format],
        &variables,
    )
}

/// `AC…:token` as a header carries it.
fn in_base64() -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .encode(format!("{SID}:{TOKEN}"))
        .to_lowercase()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_credential_is_exposed_or_logged() {
    let key = "SKfedcba9876543210fedcba9876543210";
    let secret = "made-up-secret-of-a-key";
    for (login, fault) in [
        (true, None),
        (false, Some("401")),
        (true, Some("403")),
        (true, Some("500")),
        (false, None),
    ] {
        let twilio = Twilio::empty().await;
        twilio.put(Duration::from_hours(1), json!({"total": 1}));
        if let Some(fault) = fault {
            twilio.fault(fault);
        }
        let base_url = twilio.base_url();
        let variables = if login {
            [("TWILIO_ACCOUNT_SID", SID), ("TWILIO_AUTH_TOKEN", TOKEN)]
        } else {
            [("TWILIO_API_KEY", key), ("TWILIO_API_SECRET", secret)]
        };
        let variables = [&variables[..], &[("TWILIO_EMAIL_BASE_URL", &base_url)]].concat();
        let mut program = Program::exporter(&["--log.level=trace"], &variables);
        let address = program.address();
        let client = client();
        for path in ["/metrics", "/", "/-/ready", "/nowhere"] {
            let response = client
                .get(format!("http://{address}{path}"))
                .send()
                .await
                .unwrap();
            let text = format!(
                "{:?}\n{}",
                response.headers().clone(),
                response.text().await.unwrap()
            );
            for secret in [SID, TOKEN, key, secret, &in_base64()] {
                assert_nothing_of(&secret.to_lowercase(), &text, path);
            }
        }
        program.signal("TERM");
        let finished = program.wait();
        for secret in [SID, TOKEN, key, secret, &in_base64()] {
            assert_nothing_of(&secret.to_lowercase(), &finished.stderr, "the log");
            assert_nothing_of(&secret.to_lowercase(), &finished.stdout, "stdout");
        }
        assert!(
            finished.stderr.contains("request to Twilio"),
            "the log has requests: {}",
            finished.stderr
        );
    }
}

/// A proxy may authenticate by its path: `https://proxy.example/TOKEN/v1`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_path_of_a_base_url_is_neither_exposed_nor_logged() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url().replace("/v1", "/made-up-secret/v1");
    let origin = base_url.split("/made-up").next().unwrap();
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &base_url),
    ];
    let mut program = Program::exporter(&["--log.level=trace"], &variables);
    let address = program.address();
    let client = client();
    let probe = format!("/probe?target={}", an_hour_old());
    for path in ["/metrics", "/", &probe, &format!("{probe}&debug=true")] {
        let response = client.get(format!("http://{address}{path}")).send();
        let text = response.await.unwrap().text().await.unwrap();
        assert_nothing_of("made-up-secret", &text, path);
    }
    program.signal("TERM");
    let log = program.wait().stderr;
    assert_nothing_of("made-up-secret", &log, "the log");
    for part in [&format!("base_url={origin}\n"), "path=/Emails/Operations"] {
        assert!(log.contains(part), "no {part} in {log}");
    }
}

#[test]
fn credentials_in_the_wrong_place_are_not_repeated() {
    let sid = ("TWILIO_ACCOUNT_SID", SID);
    let token = ("TWILIO_AUTH_TOKEN", TOKEN);
    let in_url = format!("http://{SID}:{TOKEN}@127.0.0.1:1/v1");
    for (arguments, variables) in [
        (&["--twilio.base-url", &in_url][..], &[sid, token][..]),
        (&[], &[sid, token, ("TWILIO_EMAIL_BASE_URL", &in_url)]),
        (&[], &[("TWILIO_ACCOUNT_SID", TOKEN), token]),
        (
            &[],
            &[("TWILIO_API_KEY", TOKEN), ("TWILIO_API_SECRET", SID)],
        ),
        (&[], &[("TWILIO_API_SECRET", TOKEN)]),
        (
            &[],
            &[sid, token, ("TWILIO_AUTH_TOKEN_FILE", "/no/such/file")],
        ),
        // The secret in the place of its file's name, and in a place that takes no value.
        (&[], &[sid, ("TWILIO_AUTH_TOKEN_FILE", TOKEN)]),
        (
            &[],
            &[
                ("TWILIO_OAUTH_CLIENT_ID", "made-up"),
                ("TWILIO_OAUTH_CLIENT_SECRET_FILE", TOKEN),
            ],
        ),
        (&[TOKEN], &[sid, token]),
        (&["once", TOKEN], &[sid, token]),
        (&["--auth-token", TOKEN], &[sid]),
        (&["--log.level", TOKEN], &[sid, token]),
        (&[], &[sid, token, ("TWILIO_EMAIL_LOG_LEVEL", TOKEN)]),
    ] {
        let finished = run(arguments, variables);
        assert_eq!(
            finished.code,
            Some(2),
            "{arguments:?} {variables:?}: {}",
            finished.stderr
        );
        for secret in [SID, TOKEN] {
            assert_nothing_of(&secret.to_lowercase(), &finished.stderr, "stderr");
        }
    }
}

#[tokio::test]
async fn an_account_is_identified_only_by_its_name() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::start(&one_account(&twilio, ""))
        .await
        .settled()
        .await;
    let seen = exporter.scrape().await;
    for sample in seen.families.iter().flat_map(|family| &family.samples) {
        if let Some(account) = sample.labels.get("account") {
            assert_eq!(account, "default", "{sample:?}");
        }
    }
}
