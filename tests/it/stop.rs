//! A graceful shutdown takes no longer than the grace period, and the current scrape gets its response before.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::eventually;
use crate::support::exporter::{Exporter, SID, TOKEN, one_account};
use crate::support::exposition::Exposition;
use crate::support::program::Program;
use crate::support::twilio::Twilio;

/// The grace period of the tests: long enough to observe the order of events on a busy machine.
const GRACE: Duration = Duration::from_secs(2);
/// Time for the program to exit and for the test's own work.
const SLACK: Duration = Duration::from_millis(500);

async fn exporter(twilio: &Twilio, grace_period: Duration) -> Exporter {
    let options = Overrides {
        grace_period: Some(grace_period),
        ..Overrides::default()
    };
    Exporter::start_with(&one_account(twilio, ""), Clock::System, options)
        .await
        .settled()
        .await
}

/// GET with a scrape timeout far beyond the grace period; the status and the text, `None` if the connection broke.
fn long_request(exporter: &Exporter, path: &str) -> tokio::task::JoinHandle<Option<(u16, String)>> {
    let request = exporter
        .client
        .get(exporter.url(path))
        .header("X-Prometheus-Scrape-Timeout-Seconds", "60")
        .header("X-Prometheus-Refresh-Interval-Seconds", "120");
    tokio::spawn(async move {
        let response = request.send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    })
}

#[tokio::test]
async fn requests_that_wait_for_twilio_get_a_response_within_the_grace_period() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::from_hours(1), json!({"total": 1, "opened": 1}));
    let exporter = exporter(&twilio, GRACE).await;
    twilio.handle.reset_requests();
    twilio.fault("hang");
    let scrape = long_request(&exporter, "/metrics");
    let probe = long_request(&exporter, &format!("/probe?target={id}"));
    eventually("both at Twilio", || async {
        twilio.handle.counts().total == 2
    })
    .await;
    let started = Instant::now();
    exporter.stop().await.unwrap();
    let took = started.elapsed();
    assert!(took < GRACE + SLACK, "stopped after {took:?}");
    assert!(took > GRACE / 2, "they had time: {took:?}");
    let (status, text) = scrape.await.unwrap().expect("a response to the scrape");
    assert_eq!(status, 200);
    let seen = Exposition::parse(&text).unwrap();
    seen.expect("at the stop", &[("collection_complete", 0.0)]);
    assert_eq!(seen.emails(id, "opened"), Some(1.0), "what was known");
    let (status, text) = probe.await.unwrap().expect("a response to the probe");
    assert_eq!((status, text.trim()), (503, "The exporter is stopping."));
}

#[tokio::test]
async fn without_a_grace_period_it_stops_immediately() {
    let twilio = Twilio::empty().await;
    let exporter = exporter(&twilio, Duration::ZERO).await;
    twilio.handle.reset_requests();
    twilio.fault("hang");
    let _scrape = long_request(&exporter, "/metrics");
    eventually("at Twilio", || async { twilio.handle.counts().total == 1 }).await;
    let started = Instant::now();
    exporter.stop().await.unwrap();
    assert!(started.elapsed() < SLACK, "{:?}", started.elapsed());
}

#[tokio::test]
async fn connections_with_half_a_request_do_not_delay_a_stop() {
    let twilio = Twilio::empty().await;
    let exporter = exporter(&twilio, GRACE).await;
    let mut half = TcpStream::connect(exporter.address).await.unwrap();
    half.write_all(b"GET /metrics HT").await.unwrap();
    exporter.scrape().await;
    let started = Instant::now();
    exporter.stop().await.unwrap();
    // Nobody waits for a response, so the stop takes only the time to close connections.
    assert!(
        started.elapsed() < GRACE / 8 + SLACK,
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_exits_within_its_grace_period_while_a_scrape_hangs() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    let grace = format!("{}s", GRACE.as_secs());
    for (signal, given) in [("TERM", true), ("INT", true), ("TERM", false)] {
        let mut variables = vec![
            ("TWILIO_ACCOUNT_SID", SID),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_EMAIL_BASE_URL", base_url.as_str()),
        ];
        if given {
            variables.push(("TWILIO_EMAIL_SHUTDOWN_GRACE_PERIOD", &grace));
        }
        twilio.handle.clear_faults();
        let mut program = Program::exporter(&["serve"], &variables);
        let url = format!("http://{}/metrics", program.address());
        let client = crate::support::client::client();
        client.get(&url).send().await.unwrap();
        if !given {
            // No request is in progress, so the stop is immediate. The log has the default.
            program.signal(signal);
            program.line(&["stopping", "grace_seconds=8"]);
            assert_eq!(program.wait().code, Some(0));
            continue;
        }
        twilio.handle.reset_requests();
        twilio.fault("hang");
        // Without a header: a scrape of ten seconds, which is longer than the grace period.
        let scrape = tokio::spawn(client.get(&url).send());
        eventually("at Twilio", || async { twilio.handle.counts().total > 0 }).await;
        let started = Instant::now();
        program.signal(signal);
        let finished = program.wait();
        let took = started.elapsed();
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        assert!(took < GRACE + SLACK, "{signal}: exited after {took:?}");
        let response = scrape.await.unwrap().expect("a response to the scrape");
        assert_eq!(response.status(), 200);
        let text = response.text().await.unwrap();
        Exposition::parse(&text)
            .unwrap()
            .expect("at the stop", &[("collection_complete", 0.0)]);
    }
}
