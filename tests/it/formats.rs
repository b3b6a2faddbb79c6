//! The formats and encodings of responses: what a client accepts is what it gets, and concurrent scrapes share it.

use std::io::Read;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, VARY,
};
use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::promtool;
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";

/// A response with its body as it was sent.
struct Sent {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The decompressed body.
    fn text(&self) -> String {
        let mut text = String::new();
        match self.header(CONTENT_ENCODING) {
            "" => text.push_str(std::str::from_utf8(&self.body).unwrap()),
            "gzip" => {
                let mut decoder = flate2::read::GzDecoder::new(&*self.body);
                decoder.read_to_string(&mut text).unwrap();
            }
            "zstd" => {
                let bytes = zstd::decode_all(&*self.body).unwrap();
                text = String::from_utf8(bytes).unwrap();
            }
            other => panic!("unexpected encoding {other}"),
        }
        text
    }
}

async fn get(exporter: &Exporter, path: &str, accept: &str, encodings: &str) -> Sent {
    let request = exporter.client.get(exporter.url(path));
    let request = request
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, encodings);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let headers = response.headers().clone();
    let body = response.bytes().await.unwrap().to_vec();
    Sent { headers, body }
}

#[tokio::test]
async fn scrapes_and_probes_get_the_format_that_they_accept() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 5, "delivered": 5}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let text = "text/plain; version=0.0.4; charset=utf-8";
    for path in ["/metrics".to_owned(), format!("/probe?target={id}")] {
        for (accept, content_type) in [
            ("*/*", text),
            ("image/png", text),
            (
                "text/plain;version=1.0.0;escaping=values;q=0.9,*/*;q=0.1",
                "text/plain; version=1.0.0; charset=utf-8; escaping=values",
            ),
            (
                "text/plain;q=0.4,application/openmetrics-text;version=1.0.0;q=0.5",
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            ),
        ] {
            let sent = get(&exporter, &path, accept, "identity").await;
            assert_eq!(sent.header(CONTENT_TYPE), content_type, "{path}, {accept}");
            assert_eq!(sent.header(VARY), "Accept, Accept-Encoding", "{path}");
            let text = sent.text();
            let is_open_metrics = content_type.starts_with("application");
            assert_eq!(text.ends_with("\n# EOF\n"), is_open_metrics, "{path}");
            assert_eq!(
                text.contains("# TYPE twilio_email_operation_state stateset\n"),
                is_open_metrics,
                "{path}"
            );
            if !is_open_metrics {
                Exposition::parse(&text).unwrap();
                assert_eq!(promtool::check_metrics(text.as_bytes()), "", "{path}");
            }
        }
    }
    let path = format!("/probe?target={id}&debug=true");
    let debug = get(&exporter, &path, OPEN_METRICS, "").await;
    assert_eq!(
        debug.header(CONTENT_TYPE),
        "text/plain; charset=utf-8",
        "for people"
    );
    assert!(!debug.text().contains("# EOF"));
}

#[tokio::test]
async fn every_large_response_is_compressed_as_the_client_accepts() {
    let twilio = Twilio::empty().await;
    let ids: Vec<_> = (1..40)
        .map(|age| twilio.put(age * HOUR, json!({"total": 5, "delivered": 5})))
        .collect();
    let options = Overrides {
        enable_api: Some(true),
        ..Overrides::default()
    };
    let yaml = one_account(&twilio, "");
    let exporter = Exporter::start_with(&yaml, Clock::System, options).await;
    let exporter = exporter.settled().await;
    let probe = format!("/probe?target={}", ids[0]);
    for path in ["/metrics", &probe, "/sd", "/", "/api/v1/operations"] {
        let plain = get(&exporter, path, "*/*", "identity").await;
        assert_eq!(plain.header(CONTENT_ENCODING), "", "{path}");
        for (encodings, expected) in [
            ("gzip", "gzip"),
            ("zstd;q=0.5, gzip;q=0.6", "gzip"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("identity;q=0, *;q=0.1", "zstd"),
            ("gzip;q=0, identity", ""),
            ("br", ""),
        ] {
            let sent = get(&exporter, path, "*/*", encodings).await;
            assert_eq!(
                sent.header(CONTENT_ENCODING),
                expected,
                "{path}, {encodings}"
            );
            assert!(
                sent.header(VARY).contains("Accept-Encoding"),
                "{path}, {encodings}"
            );
            assert_eq!(sent.header(CONTENT_TYPE), plain.header(CONTENT_TYPE));
            let text = sent.text();
            let lines = |text: &str| text.lines().count();
            assert_eq!(lines(&text), lines(&plain.text()), "{path}, {encodings}");
            if !expected.is_empty() {
                assert!(sent.body.len() < text.len(), "{path}, {encodings}");
            }
        }
    }
    // A small one fits into one packet either way.
    let small = get(&exporter, "/-/healthy", "*/*", "gzip").await;
    assert_eq!(small.header(CONTENT_ENCODING), "");
    assert_eq!(small.header(VARY), "Accept-Encoding");
}

#[tokio::test]
async fn head_has_the_headers_of_a_scrape_and_makes_no_request_to_twilio() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    twilio.handle.reset_requests();
    for (accept, encodings) in [("*/*", "identity"), (OPEN_METRICS, "gzip"), ("", "zstd")] {
        let request = exporter.client.head(exporter.url("/metrics"));
        let request = request
            .header(ACCEPT, accept)
            .header(ACCEPT_ENCODING, encodings);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        assert_eq!(response.bytes().await.unwrap().len(), 0);
        assert_eq!(
            headers.get(CONTENT_LENGTH),
            None,
            "only a scrape knows its length"
        );
        assert_eq!(twilio.handle.counts().total, 0, "a collection");
        let scrape = get(&exporter, "/metrics", accept, encodings).await;
        for name in [CONTENT_TYPE, CONTENT_ENCODING, VARY] {
            assert_eq!(headers.get(&name), scrape.headers.get(&name), "{name}");
        }
        twilio.handle.reset_requests();
    }
}

/// The exporter's own metrics, such as its CPU time, differ between two texts that were rendered apart.
#[tokio::test]
async fn scrapes_that_join_one_collection_get_the_same_bytes() {
    let twilio = Twilio::empty().await;
    for age in 1..50 {
        twilio.put(age * HOUR, json!({"total": 5, "delivered": 5}));
    }
    let exporter = Exporter::watching(&twilio).await.settled().await;
    for accept in ["*/*", OPEN_METRICS] {
        twilio.fault("list=slow:300ms:times=1");
        let scrapes = (0..12).map(|number| {
            let encoding = ["gzip", "zstd", "identity"][number % 3];
            get(&exporter, "/metrics", accept, encoding)
        });
        let sent = join_all(scrapes).await;
        let text = sent[0].text();
        for one in &sent {
            assert!(one.text() == text, "another text");
        }
        let later = get(&exporter, "/metrics", accept, "gzip").await;
        assert!(later.text() != text, "the text of an earlier collection");
    }
}

#[tokio::test]
async fn an_outcome_names_an_operation_that_made_it_grow() {
    let twilio = Twilio::empty().await;
    let old = twilio.put(HOUR, json!({"total": 9, "failed": 9}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let failed = "twilio_email_email_outcomes_total{account=\"default\",outcome=\"failed\"} ";
    let line = async || {
        let text = get(&exporter, "/metrics", OPEN_METRICS, "gzip")
            .await
            .text();
        let line = text.lines().find_map(|line| line.strip_prefix(failed));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert_eq!(line().await, "0", "the baseline is no growth");
    let small = twilio.put(Duration::ZERO, json!({"total": 2, "failed": 2}));
    let large = twilio.put(
        Duration::ZERO,
        json!({"total": 30, "failed": 25, "sent": 5}),
    );
    let grown = line().await;
    let exemplar = format!("27 # {{operation_id=\"{large}\"}} 25 ");
    let read = grown.strip_prefix(&exemplar);
    let read: f64 = read.unwrap_or_else(|| panic!("{grown}")).parse().unwrap();
    let now = twilio.handle.now().as_seconds();
    assert!((now - 60.0..=now).contains(&read), "{read} at {now}");
    twilio.set(
        small,
        small.created(),
        "COMPLETED",
        json!({"total": 3, "failed": 3}),
    );
    assert!(
        line()
            .await
            .starts_with(&format!("28 # {{operation_id=\"{small}\"}} 1 "))
    );
    twilio.set(
        old,
        old.created(),
        "COMPLETED",
        json!({"total": 9, "failed": 8, "sent": 1}),
    );
    assert!(
        line().await.contains(&small.to_string()),
        "without growth it stays"
    );
}

#[tokio::test]
async fn the_created_timestamp_of_the_accounts_counters_survives_a_restart() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let yaml =
        one_account(&twilio, "") + &format!("storage: {{path: {}}}\n", directory.path().display());
    let start = "twilio_email_emails_accepted_created{account=\"default\"} ";
    let mut starts = Vec::new();
    for _ in 0..2 {
        let exporter = Exporter::start(&yaml).await.settled().await;
        let text = get(&exporter, "/metrics", OPEN_METRICS, "gzip")
            .await
            .text();
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        starts.push(line.unwrap_or_else(|| panic!("{text}")).to_owned());
        exporter.stop().await.unwrap();
    }
    assert_eq!(starts[0], starts[1]);
    let start: f64 = starts[0].parse().unwrap();
    let now = twilio.handle.now().as_seconds();
    assert!(
        (now - 60.0..=now + 1.0).contains(&start),
        "{start} at {now}"
    );
}
