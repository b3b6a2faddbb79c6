//! The collector of emails while the disk hangs, and after the state file has vanished.

use std::time::{Duration, Instant};

use serde_json::json;
use twilio_email_exporter::store::disk_gate::DiskGate;

use super::durable::{delivered, program};
use super::*;
use crate::support::client::{client, scrape};
use crate::support::eventually;

/// Far below the timeout of a scrape, and far above what one takes on a slow machine.
const SOON: Duration = Duration::from_secs(6);
/// Longer than a save takes.
const SCRAPES: usize = 6;

/// On one thread: a task that waited for the disk there would stop everything.
#[tokio::test]
async fn while_the_disk_hangs_no_count_of_emails_is_shown_and_no_scrape_waits() {
    let directory = tempfile::tempdir().unwrap();
    let twilio = Twilio::empty().await;
    let yaml = configuration(&twilio, "", "", Some(directory.path()));
    let gate = DiskGate::default();
    let clock = Clock::System;
    let exporter = Exporter::start_behind(gate.clone(), &yaml, clock, Overrides::default());
    let exporter = exporter.await.settled().await;
    eventually("counters", || async {
        delivered(&exporter.scrape().await) == Some(0.0)
    })
    .await;
    let hang = gate.hold_syncs();
    let id = twilio.put(
        Duration::ZERO,
        json!({"total": 9, "delivered": 7, "sent": 2}),
    );
    for _ in 0..SCRAPES {
        let began = Instant::now();
        let seen = exporter.scrape_within(18.0).await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert_eq!(seen.emails(id, "delivered"), Some(7.0), "operations go on");
        assert_eq!(delivered(&seen), Some(0.0), "not saved");
        assert_eq!(emails(&seen, "other", "sent"), Some(0.0), "not saved");
        let timed = [("provider", "other")];
        let timed = seen.value("twilio_email_delivery_duration_seconds_count", &timed);
        assert_eq!(timed, Some(0.0), "not saved");
    }
    drop(hang);
    eventually("saved and counted once", || async {
        delivered(&exporter.scrape().await) == Some(7.0)
    })
    .await;
    let seen = exporter.scrape().await;
    assert_eq!(emails(&seen, "other", "sent"), Some(2.0));
}

#[tokio::test]
async fn a_state_file_that_vanishes_lowers_no_counter_of_emails_and_counts_none_twice() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state.redb");
    let twilio = Twilio::empty().await;
    let client = client();
    let mut running = program(&twilio, directory.path());
    let address = running.address();
    let shows = |address, wanted: f64| {
        let client = &client;
        async move {
            let seen = scrape(client, address).await;
            seen.as_ref().and_then(delivered) == Some(wanted)
        }
    };
    eventually("counters", || shows(address, 0.0)).await;
    twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    eventually("the first emails", || shows(address, 7.0)).await;
    std::fs::remove_file(&file).unwrap();
    twilio.put(Duration::ZERO, json!({"total": 2, "delivered": 2}));
    let seen = scrape(&client, address).await.unwrap();
    assert!(delivered(&seen) >= Some(7.0), "{:?}", delivered(&seen));
    eventually("a new file", || async { file.exists() }).await;
    eventually("the later emails", || shows(address, 9.0)).await;
    running.signal("KILL");
    running.wait();
    let mut again = program(&twilio, directory.path());
    let address = again.address();
    eventually("what was saved", || shows(address, 9.0)).await;
    twilio.put(Duration::ZERO, json!({"total": 1, "delivered": 1}));
    eventually("what came later", || shows(address, 10.0)).await;
}
