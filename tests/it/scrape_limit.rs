//! `--web.max-requests`: more scrapes and probes at the same time get 503, and no client prevents scrapes of others.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::eventually;
use crate::support::exporter::{Exporter, one_account};
use crate::support::twilio::Twilio;

const REFUSED: &str = "twilio_email_exporter_http_requests_refused_total";
const HOUR: Duration = Duration::from_hours(1);

fn at_most(most: usize) -> Overrides {
    Overrides {
        max_requests: Some(most),
        ..Overrides::default()
    }
}

#[tokio::test]
async fn more_scrapes_at_the_same_time_get_503_and_are_counted() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    let yaml = one_account(&twilio, "");
    let exporter = Exporter::start_with(&yaml, Clock::System, at_most(2)).await;
    let exporter = exporter.settled().await;
    let seen = exporter.scrape().await;
    for reason in ["too_many_scrapes", "large_body", "slow_body"] {
        assert_eq!(seen.value(REFUSED, &[("reason", reason)]), Some(0.0));
    }
    twilio.handle.reset_requests();
    twilio.fault("hang");
    let wait = |path: String| {
        let request = exporter.client.get(exporter.url(&path));
        let request = request.header("X-Prometheus-Scrape-Timeout-Seconds", "3");
        tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
    };
    let served = [
        wait("/metrics".to_owned()),
        wait(format!("/probe?target={id}")),
    ];
    eventually("both at Twilio", || async {
        twilio.handle.counts().total == 2
    })
    .await;
    for path in ["/metrics".to_owned(), format!("/probe?target={id}")] {
        let refused = exporter.get(&path).await;
        assert_eq!(refused.status(), 503, "{path}");
        assert_eq!(refused.headers()["retry-after"], "1");
        let text = refused.text().await.unwrap();
        assert!(text.contains("--web.max-requests"), "{text}");
    }
    // Everything else works.
    for path in ["/", "/sd", "/-/healthy", "/-/ready"] {
        assert_eq!(exporter.get(path).await.status(), 200, "{path}");
    }
    for status in served {
        assert_eq!(status.await.unwrap(), 200);
    }
    twilio.handle.clear_faults();
    let seen = exporter.scrape().await;
    assert_eq!(
        seen.value(REFUSED, &[("reason", "too_many_scrapes")]),
        Some(2.0)
    );
}

#[tokio::test]
async fn without_a_limit_all_scrapes_are_served() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "");
    let exporter = Exporter::start_with(&yaml, Clock::System, at_most(0)).await;
    let exporter = exporter.settled().await;
    let scrapes = (0..60).map(|_| exporter.get("/metrics"));
    for response in futures_util::future::join_all(scrapes).await {
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_its_scrape_prevents_no_other_scrape() {
    let twilio = Twilio::empty().await;
    for _ in 0..300 {
        twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    }
    let directory = tempfile::tempdir().unwrap();
    // Its buffers are smaller than those of TCP.
    let path = directory.path().join("web.sock");
    let options = Overrides {
        listen: vec![
            "127.0.0.1:0".parse().unwrap(),
            format!("unix:{}", path.display()).parse().unwrap(),
        ],
        ..at_most(1)
    };
    let exporter = Exporter::start_with(&one_account(&twilio, ""), Clock::System, options).await;
    let exporter = exporter.settled().await;
    let text = exporter.get("/metrics").await.text().await.unwrap();
    assert!(text.len() > 300_000, "{}", text.len());
    let mut unread = UnixStream::connect(&path).await.unwrap();
    // Several, so that they exceed what the system buffers.
    let request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
    unread.write_all(request.as_bytes()).await.unwrap();
    // Without the start of a response, another scrape could be served first, and all of these get 503.
    let mut start = [0; 12];
    unread.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    eventually("it keeps others out", || async {
        exporter.get("/metrics").await.status() == 503
    })
    .await;
    eventually("it no longer does", || async {
        exporter.get("/metrics").await.status() == 200
    })
    .await;
    let mut read = Vec::new();
    let _ = unread.read_to_end(&mut read).await;
    assert!(read.len() < 20 * text.len(), "it was disconnected");
}

#[tokio::test]
async fn head_works_wherever_get_does() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    let options = Overrides {
        enable_api: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&one_account(&twilio, ""), Clock::System, options).await;
    let exporter = exporter.settled().await;
    for path in [
        "/",
        "/metrics",
        "/sd",
        "/-/healthy",
        "/-/ready",
        "/api/v1/operations",
        "/api/v1/openapi.json",
        &format!("/probe?target={id}"),
    ] {
        let get = exporter.get(path).await;
        let head = exporter
            .client
            .head(exporter.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (get.status(), head.status()),
            (get.status(), get.status()),
            "{path}"
        );
        assert_eq!(get.status(), 200, "{path}");
        let kind = "content-type";
        assert_eq!(head.headers()[kind], get.headers()[kind], "{path}");
        // The length of an exposition is not known before a collection, which `HEAD` does not make.
        let has_length = head.headers().contains_key("content-length");
        assert_eq!(has_length, path != "/metrics", "{path}");
        assert_eq!(head.text().await.unwrap(), "", "{path}");
    }
}
