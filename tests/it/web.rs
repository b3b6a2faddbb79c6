//! The HTTP server: health, paths, timeouts, clients that disconnect, and graceful shutdown.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::eventually;
use crate::support::exporter::{Exporter, one_account};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn the_exporter_is_ready_after_the_first_collection_and_always_healthy() {
    let twilio = Twilio::empty().await;
    twilio.fault("list=slow:300ms:times=1");
    let exporter = Exporter::watching(&twilio).await;
    assert_eq!(
        exporter.get("/-/ready").await.status(),
        503,
        "before the first collection"
    );
    assert_eq!(exporter.get("/-/healthy").await.status(), 200);
    let exporter = exporter.settled().await;
    assert_eq!(exporter.get("/-/ready").await.status(), 200);
    // Readiness is about the exporter. Twilio's failures are values of metrics.
    twilio.fault("500");
    exporter.scrape().await;
    assert_eq!(exporter.get("/-/ready").await.status(), 200);
    assert_eq!(exporter.get("/-/healthy").await.status(), 200);
}

#[tokio::test]
async fn a_failed_first_collection_makes_the_exporter_ready() {
    for fault in ["401", "500", "429:retry-after=60", "html"] {
        let twilio = Twilio::empty().await;
        twilio.fault(fault);
        let exporter = Exporter::watching(&twilio).await.settled().await;
        assert_eq!(exporter.get("/-/ready").await.status(), 200, "{fault}");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_and_other_methods_405() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    for path in [
        "/metric",
        "/metrics/",
        "/-/",
        "/favicon.ico",
        "/%2e%2e/etc/passwd",
        "//",
    ] {
        assert_eq!(exporter.get(path).await.status(), 404, "{path}");
    }
    let status = exporter.get("/-/reload").await.status();
    assert_eq!(
        status,
        StatusCode::METHOD_NOT_ALLOWED,
        "reading changes nothing"
    );
    for path in ["/metrics", "/", "/-/healthy", "/-/ready"] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let request = exporter.client.request(method.clone(), exporter.url(path));
            let status = request.send().await.unwrap().status();
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
        let head = exporter
            .client
            .head(exporter.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(head.status(), 200, "HEAD {path}");
        assert_eq!(head.bytes().await.unwrap().len(), 0, "HEAD {path}");
    }
}

#[tokio::test]
async fn the_telemetry_path_is_configurable() {
    let twilio = Twilio::empty().await;
    let options = Overrides {
        telemetry_path: Some("/email/metrics".to_owned()),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&one_account(&twilio, ""), Clock::System, options).await;
    let text = exporter.get("/email/metrics").await.text().await.unwrap();
    assert!(text.contains("twilio_email_up"), "{text}");
    assert_eq!(exporter.get("/metrics").await.status(), 404);
    let page = exporter.get("/").await.text().await.unwrap();
    assert!(page.contains("href=\"./email/metrics\""), "{page}");
}

#[tokio::test]
async fn an_invalid_timeout_header_counts_as_missing() {
    let twilio = Twilio::empty().await;
    twilio.fault("list=slow:50ms");
    let exporter = Exporter::watching(&twilio).await.settled().await;
    for nonsense in [
        "", "soon", "-1", "0", "NaN", "inf", "1e400", "\u{e9}", "10s", "0x1",
    ] {
        let request = exporter
            .client
            .get(exporter.url("/metrics"))
            .header("X-Prometheus-Scrape-Timeout-Seconds", nonsense.as_bytes());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{nonsense:?}");
        let text = response.text().await.unwrap();
        let complete = "twilio_email_collection_complete{account=\"default\"} 1";
        assert!(
            text.lines().any(|line| line == complete),
            "{nonsense:?}: {text}"
        );
    }
}

#[tokio::test]
async fn the_offset_is_subtracted_from_prometheus_timeout() {
    let twilio = Twilio::empty().await;
    twilio.fault("hang");
    let options = Overrides {
        timeout_offset: Some(Duration::from_millis(700)),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&one_account(&twilio, ""), Clock::System, options).await;
    let started = Instant::now();
    exporter.scrape_within(1.0).await;
    let took = started.elapsed();
    // Never less than half of the timeout.
    let wanted = Duration::from_millis(500)..Duration::from_millis(800);
    assert!(
        wanted.contains(&took),
        "answered after {took:?}, wanted {wanted:?}"
    );
}

#[tokio::test]
async fn scrapes_at_their_deadlines_do_not_wait_for_each_other() {
    let twilio = Twilio::empty().await;
    twilio.fault("hang");
    let exporter = Exporter::watching(&twilio).await;
    let scrapes = [1.0, 1.2, 2.0, 1.0, 1.4, 2.4].map(|seconds| {
        let exporter = &exporter;
        async move {
            let started = Instant::now();
            let seen = exporter.scrape_within(seconds).await;
            (seconds, started.elapsed().as_secs_f64(), seen)
        }
    });
    for (granted, took, seen) in futures_util::future::join_all(scrapes).await {
        assert!(took < granted, "granted {granted} s, took {took} s");
        seen.expect(
            "at the deadline",
            &[("up", 0.0), ("collection_complete", 0.0)],
        );
    }
    assert_eq!(twilio.handle.counts().total, 1, "requests for six scrapes");
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_no_request_running() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    twilio.fault("list=slow:300ms:times=1");
    let exporter = Exporter::watching(&twilio).await;
    for _ in 0..5 {
        let mut stream = TcpStream::connect(exporter.address).await.unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
    }
    let seen = exporter.scrape().await;
    assert_eq!(seen.emails(id, "opened"), Some(1.0));
    assert!(
        twilio.handle.counts().total <= 2,
        "{:?}",
        twilio.handle.counts()
    );
}

#[tokio::test]
async fn invalid_http_is_rejected_and_does_not_affect_other_clients() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"HELO example.com\r\n\r\n",
        b"GET\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(exporter.address).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said);
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 400"),
            "{said}"
        );
    }
    exporter.scrape().await.expect("afterwards", &[("up", 1.0)]);
}

#[tokio::test]
async fn the_exporter_is_not_ready_during_a_graceful_shutdown() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    twilio.handle.reset_requests();
    twilio.fault("list=slow:1500ms:times=1");
    let scrape = tokio::spawn({
        let request = exporter.client.get(exporter.url("/metrics"));
        async move { request.send().await.unwrap().text().await.unwrap() }
    });
    eventually("the scrape's collection", || async {
        twilio.handle.counts().total == 1
    })
    .await;
    let ready = exporter.url("/-/ready");
    let client = exporter.client.clone();
    let stopped = tokio::spawn(exporter.stop());
    eventually("not ready", || async {
        let response = client.get(&ready).send().await;
        // Other tools see a refused connection; only a response gives the reason.
        response
            .expect("a response while a scrape is in progress")
            .status()
            == 503
    })
    .await;
    let text = scrape.await.unwrap();
    let line = format!(
        "twilio_email_operation_emails{{account=\"default\",operation_id=\"{id}\",status=\"opened\"}} 1"
    );
    assert!(
        text.contains(&line),
        "the current scrape got its response: {text}"
    );
    stopped.await.unwrap().unwrap();
    assert!(
        client.get(&ready).send().await.is_err(),
        "nobody listens after the stop"
    );
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_a_stop() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let _silent = TcpStream::connect(exporter.address).await.unwrap();
    let mut half = TcpStream::connect(exporter.address).await.unwrap();
    half.write_all(b"GET /metrics HT").await.unwrap();
    exporter.scrape().await;
    let started = Instant::now();
    exporter.stop().await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "stopped after {:?}",
        started.elapsed()
    );
}
