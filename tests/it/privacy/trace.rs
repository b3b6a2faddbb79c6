//! What clients send to the exporter, valid or not, is not in its log at any level.

use std::path::Path;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ADDRESS, SUBJECT, WORD, an_hour_old, assert_nothing_of, in_base64};
use crate::support::client::client;
use crate::support::exporter::{SID, TOKEN};
use crate::support::program::Program;
use crate::support::twilio::Twilio;

/// The value of a label that is registered: it is saved and shown, but not logged.
const LABEL: &str = "registered-label-of-the-test";
/// The password of a client.
const PASSWORD: &str = "made-up-password-of-a-client";

/// Bodies of registrations: refused ones with an address in every possible place, and accepted ones.
fn bodies(id: &str) -> Vec<String> {
    vec![
        json!({"operationId": id, "to": [{"address": ADDRESS}], "content": {"subject": SUBJECT}})
            .to_string(),
        json!({"id": id, "labels": {"campaign": LABEL}}).to_string(),
        json!([{"id": id, "labels": {"campaign": LABEL}}, {"id": ADDRESS}]).to_string(),
        json!({"id": ADDRESS}).to_string(),
        json!({"id": id, "account": ADDRESS}).to_string(),
        json!({"id": id, ADDRESS: 1}).to_string(),
        json!({"id": id, "labels": {ADDRESS: "x"}}).to_string(),
        json!({"id": id, "labels": {"campaign": format!("{ADDRESS}\n{SUBJECT}")}}).to_string(),
        json!({"id": id, "labels": {"campaign": WORD.repeat(100)}}).to_string(),
        json!({"id": id, "labels": [ADDRESS]}).to_string(),
        format!("Dear {ADDRESS}"),
        format!("{{\"id\": \"{ADDRESS}"),
    ]
}

/// Bytes that are not HTTP, or only a part of a request.
fn fragments() -> Vec<String> {
    vec![
        format!("GET /{WORD} HTTP/9.9\r\n\r\n"),
        format!("{WORD} {ADDRESS}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{WORD} : {PASSWORD}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {PASSWORD}\0\r\n\r\n"),
        format!(
            "POST /api/v1/operations HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{ADDRESS}"
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
            WORD.repeat(50_000)
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_log_at_trace_level() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &base_url),
        ("TWILIO_EMAIL_WEB_ENABLE_API", "true"),
        ("TWILIO_EMAIL_WEB_ENABLE_LIFECYCLE", "true"),
    ];
    for format in ["logfmt", "json"] {
        let directory = tempfile::tempdir().unwrap();
        let storage = format!("--storage.path={}", directory.path().display());
        let arguments = ["--log.level=trace", "--log.format", format, &storage];
        let mut program = Program::exporter(&arguments, &variables);
        let address = program.address().to_string();
        let accepted = send_all(&address).await;
        assert_eq!(
            accepted, 3,
            "three bodies have an operation that may be registered"
        );
        program.signal("TERM");
        let finished = program.wait();
        assert!(
            finished.stderr.contains("closed a connection")
                || finished.stderr.contains("request to Twilio")
        );
        let encoded = in_base64();
        for secret in [WORD, PASSWORD, LABEL, SID, TOKEN, &encoded] {
            let secret = secret.to_lowercase();
            assert_nothing_of(&secret, &finished.stderr, "the log");
            assert_nothing_of(&secret, &finished.stdout, "stdout");
        }
        the_state_file_holds_no_secret(directory.path(), &encoded);
    }
}

/// Sends everything; returns how many registrations were accepted.
async fn send_all(address: &str) -> usize {
    let client = client();
    let id = an_hour_old();
    let url = |path: &str| format!("http://{address}{path}");
    let mut accepted = 0;
    for body in bodies(&id) {
        let request = client.post(url("/api/v1/operations")).body(body);
        let request = request.header("content-type", "application/json");
        let request = request.basic_auth(WORD, Some(PASSWORD));
        let text = request.send().await.unwrap().text().await.unwrap();
        accepted += usize::from(text.contains("\"created\"") || text.contains(LABEL));
    }
    for (method, path) in [
        (Method::GET, format!("/{WORD}?{WORD}={ADDRESS}")),
        (Method::GET, format!("/probe?target={ADDRESS}")),
        (
            Method::GET,
            format!("/probe?target={id}&account={ADDRESS}&debug=true"),
        ),
        (Method::GET, format!("/sd?account={ADDRESS}")),
        (
            Method::GET,
            format!("/api/v1/operations?label=campaign={ADDRESS}"),
        ),
        (Method::GET, "/metrics".to_owned()),
        (Method::GET, "/".to_owned()),
        (Method::DELETE, format!("/api/v1/operations/{WORD}")),
        (Method::POST, format!("/-/reload?{WORD}={ADDRESS}")),
    ] {
        for (name, value) in [
            ("origin", format!("https://{ADDRESS}")),
            ("referer", format!("https://{ADDRESS}/?{WORD}")),
            ("user-agent", WORD.to_owned()),
            ("cookie", format!("{WORD}={PASSWORD}")),
            ("authorization", format!("Bearer {PASSWORD}")),
            ("x-prometheus-scrape-timeout-seconds", WORD.to_owned()),
        ] {
            let request = client
                .request(method.clone(), url(&path))
                .header(name, value);
            request.send().await.unwrap().bytes().await.unwrap();
        }
    }
    for fragment in fragments() {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The exporter may refuse before it has read everything.
        let _ = stream.write_all(fragment.as_bytes()).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    accepted
}

/// Neither refused registrations nor credentials are saved.
fn the_state_file_holds_no_secret(directory: &Path, encoded: &str) {
    let files = std::fs::read_dir(directory).unwrap();
    let mut has_label = false;
    for file in files {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        let content = String::from_utf8_lossy(&content).to_lowercase();
        for secret in [WORD, PASSWORD, SID, TOKEN, encoded] {
            assert!(
                !content.contains(&secret.to_lowercase()),
                "the state holds {secret}"
            );
        }
        has_label |= content.contains(LABEL);
    }
    assert!(has_label, "the label that was registered is saved");
}
