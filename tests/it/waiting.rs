//! A scrape does not wait for a disk that hangs, for emails, or for more reads than the account's rate allows.

use std::time::{Duration, Instant};

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::store::disk_gate::DiskGate;

use crate::support::eventually;
use crate::support::exporter::{Exporter, account, one_account, operations};
use crate::support::exposition::Exposition;
use crate::support::twilio::Twilio;

/// Far below the timeout of the scrapes here, and far above what a scrape takes on a slow machine.
const SOON: Duration = Duration::from_secs(10);
/// The timeout of the scrapes here, in seconds.
const SCRAPE_TIMEOUT: f64 = 18.0;

const HOUR: Duration = Duration::from_hours(1);

/// One scrape that must not wait.
async fn scrape_soon(exporter: &Exporter) -> Exposition {
    let began = Instant::now();
    let seen = exporter.scrape_within(SCRAPE_TIMEOUT).await;
    let took = began.elapsed();
    assert!(took < SOON, "a scrape took {took:?}");
    seen
}

fn value(seen: &Exposition, metric: &str, account: &str) -> Option<f64> {
    seen.value(&format!("twilio_email_{metric}"), &[("account", account)])
}

/// On one thread: a task that waited for the disk there would stop everything.
#[tokio::test]
async fn a_disk_that_hangs_delays_no_scrape_and_no_other_account() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let yaml = format!(
        "accounts:\n{}{}storage: {{path: {}}}\n",
        account("marketing", &twilio, ""),
        account("billing", &twilio, ""),
        directory.path().display(),
    );
    let gate = DiskGate::default();
    let (clock, options) = (Clock::System, Overrides::default());
    let exporter = Exporter::start_behind(gate.clone(), &yaml, clock, options).await;
    let exporter = exporter.settled().await;
    let hang = gate.hold_syncs();
    let id = twilio.put(Duration::ZERO, json!({"total": 3, "delivered": 3}));
    for round in 0..4 {
        let seen = scrape_soon(&exporter).await;
        for account in ["marketing", "billing"] {
            assert_eq!(value(&seen, "up", account), Some(1.0), "{round} {account}");
            let id = id.to_string();
            let delivered = [
                ("account", account),
                ("operation_id", id.as_str()),
                ("status", "delivered"),
            ];
            let delivered = seen.value("twilio_email_operation_emails", &delivered);
            assert_eq!(delivered, Some(3.0), "gauges go on: {round} {account}");
            let accepted = value(&seen, "emails_accepted_total", account);
            assert_eq!(accepted, Some(0.0), "not saved: {round} {account}");
        }
        assert_eq!(exporter.get("/-/healthy").await.status(), 200);
    }
    drop(hang);
    for account in ["marketing", "billing"] {
        eventually("counted when the disk works again", || async {
            value(&exporter.scrape().await, "emails_accepted_total", account) == Some(3.0)
        })
        .await;
    }
}

#[tokio::test]
async fn a_list_of_emails_that_does_not_respond_delays_no_scrape() {
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 3, "delivered": 3}));
    twilio.fault("emails=hang");
    let yaml = one_account(&twilio, "request_timeout: 60s") + "series: {tags: [campaign]}\n";
    let exporter = Exporter::start(&yaml).await;
    for _ in 0..5 {
        let seen = scrape_soon(&exporter).await;
        seen.expect(
            "silent emails",
            &[("up", 1.0), ("collection_complete", 1.0)],
        );
    }
    assert_eq!(twilio.handle.counts().emails, 1, "one read at a time");
}

#[tokio::test]
async fn operations_beyond_the_accounts_rate_delay_no_scrape() {
    let twilio = Twilio::empty().await;
    let found = twilio.put(HOUR, json!({"total": 3, "delivered": 3}));
    // None of them exists at Twilio.
    let created = twilio.handle.now() - HOUR;
    let unknown: Vec<_> = (0..300).map(|n| operation_id(created, n)).collect();
    let yaml = one_account(&twilio, &operations(&unknown)).replace(
        "max_requests_per_second: 100000",
        "max_requests_per_second: 2",
    );
    let exporter = Exporter::start(&yaml).await;
    for _ in 0..3 {
        let seen = scrape_soon(&exporter).await;
        seen.expect(
            "beyond the rate",
            &[("up", 1.0), ("collection_complete", 0.0)],
        );
        assert_eq!(seen.emails(found, "delivered"), Some(3.0), "listed first");
    }
}

/// The list responds, and reads of single operations do not.
#[tokio::test]
async fn single_reads_that_do_not_respond_delay_few_scrapes() {
    let twilio = Twilio::empty().await;
    let found = twilio.put(HOUR, json!({"total": 3, "delivered": 3}));
    let created = twilio.handle.now() - HOUR;
    let silent: Vec<_> = (0..5).map(|n| operation_id(created, n)).collect();
    twilio.fault("operation=hang");
    let more = format!("request_timeout: 1500ms\n{}", operations(&silent));
    let exporter = Exporter::start(&one_account(&twilio, &more))
        .await
        .settled()
        .await;
    // The first ones wait, to see whether Twilio responds.
    for _ in 0..4 {
        exporter.scrape().await;
    }
    let began = Instant::now();
    for _ in 0..3 {
        let seen = exporter.scrape().await;
        seen.expect("silent reads", &[("up", 1.0), ("collection_complete", 0.0)]);
        assert_eq!(seen.emails(found, "delivered"), Some(3.0), "listed");
    }
    let took = began.elapsed();
    let all_of_them = Duration::from_millis(3 * 1500);
    assert!(took < all_of_them, "three scrapes took {took:?}");
    twilio.handle.clear_faults();
    eventually("scrapes wait for reads again", || async {
        exporter.scrape().await.of_account("collection_complete") == Some(1.0)
    })
    .await;
}
