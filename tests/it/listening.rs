//! Clients that open connections and do not use them, over real sockets.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::client;
use crate::support::exporter::{Exporter, SID, TOKEN};
use crate::support::exposition::Exposition;
use crate::support::program::{Program, command, from_shell};
use crate::support::twilio::Twilio;

const CLOSED: &str = "twilio_email_exporter_http_connections_closed_total";

fn closed(seen: &Exposition, reason: &str) -> f64 {
    seen.value(CLOSED, &[("reason", reason)]).unwrap()
}

/// More connections than the exporter accepts, so that it closes some within seconds instead of after their ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_half_requests_prevents_no_scrape() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let seen = exporter.scrape().await;
    for reason in [
        "no_request",
        "idle",
        "not_read",
        "tls_handshake",
        "malformed",
        "large_head",
        "too_many",
        "too_many_of_client",
        "not_accepted",
    ] {
        assert_eq!(seen.value(CLOSED, &[("reason", reason)]), Some(0.0));
    }
    let mut flood = Vec::new();
    for _ in 0..600 {
        let mut stream = TcpStream::connect(exporter.address).await.unwrap();
        stream.write_all(b"G").await.unwrap();
        flood.push(stream);
    }
    for _ in 0..3 {
        let began = Instant::now();
        let seen = exporter.scrape().await;
        seen.expect("in the flood", &[("up", 1.0)]);
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        // They come from one address, which has its own limit.
        assert!(closed(&seen, "too_many_of_client") > 300.0);
        assert!(closed(&seen, "too_many") < 1.0);
    }
    // The exporter closed the oldest one.
    let mut rest = Vec::new();
    let oldest = tokio::time::timeout(Duration::from_secs(5), flood[0].read_to_end(&mut rest));
    let _ = oldest.await.expect("the oldest connection is closed");
    assert_eq!(rest, b"");
}

/// With so few file descriptors that they run out before the limit of connections is reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_without_file_descriptors_recovers_and_logs_it_once() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", base_url.as_str()),
    ];
    let exporter = command(&["serve", "--web.listen-address=127.0.0.1:0"], &variables);
    let mut program = Program::start(from_shell("ulimit -n 24", &exporter, ""));
    let address = program.address();
    let mut flood = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(b"GET /metrics HT").await;
        flood.push(stream);
    }
    let url = format!("http://{address}/metrics");
    let began = Instant::now();
    let response = client().get(&url).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    let seen = Exposition::parse(&text).unwrap();
    let many = closed(&seen, "too_many") + closed(&seen, "too_many_of_client");
    let refused = many + closed(&seen, "not_accepted");
    assert!(refused > 50.0, "{refused}");
    drop(flood);
    crate::support::eventually("all is well again", || async {
        let text = client()
            .get(&url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let seen = Exposition::parse(&text).unwrap();
        seen.value("twilio_email_up", &[]) == Some(1.0)
            && seen.value("twilio_email_collection_complete", &[]) == Some(1.0)
    })
    .await;
    program.signal("TERM");
    let finished = program.wait();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let lines = |words: &str| {
        finished
            .stderr
            .lines()
            .filter(|line| line.contains(words))
            .count()
    };
    let lines = lines("too many connections") + lines("cannot be accepted");
    assert_eq!(lines, 1, "{}", finished.stderr);
}
