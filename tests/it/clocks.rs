//! A machine's clock that is wrong when the exporter first starts: counters are the same as with a correct one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::simulator::SimulatorSettings;
use twilio_email_exporter::timestamp::Timestamp;

use crate::support::exporter::{Exporter, account_at, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::stub_server::{StubResponse, StubServer};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn accepted(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_emails_accepted_total", &[])
}

#[tokio::test]
async fn a_wrong_clock_at_the_first_start_falsifies_no_counter() {
    let truth = morning().now();
    for wrong in [
        truth + HOUR,
        truth + 2 * DAY,
        truth + 400 * DAY,
        truth - Duration::from_secs(30),
        truth - DAY,
        truth - 6 * DAY,
        Timestamp::from_millis(0),
    ] {
        let what = format!("started at {wrong}");
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let old = json!({"total": 100, "delivered": 90});
        for age in [Duration::from_secs(10), HOUR, DAY, 5 * DAY] {
            twilio.put(age, old.clone());
        }
        let directory = tempfile::tempdir().unwrap();
        let yaml = one_account(&twilio, "")
            + &format!("storage: {{path: {}}}\n", directory.path().display());
        let exporter = Exporter::start_at(&yaml, Clock::manual(wrong)).await;
        let exporter = exporter.settled().await;
        let before = accepted(&exporter.scrape().await);
        assert_eq!(before, Some(0.0), "{what}: what was there before");
        // The clock is corrected, and the exporter starts again.
        exporter.stop().await.unwrap();
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        let exporter = exporter.settled().await;
        pass(&clock, INTERVAL);
        twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 6}));
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        assert_eq!(accepted(&seen), Some(7.0), "{what}: what came after");
        seen.expect(&what, &[("up", 1.0), ("collection_complete", 1.0)]);
    }
}

#[tokio::test]
async fn a_pause_before_the_first_list_does_not_complete_the_first_collection() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let id = twilio.put(HOUR, json!({}));
    let row = json!({"id": id.to_string(), "status": "COMPLETED", "stats": {"total": 100, "delivered": 90}});
    let list = json!({"operations": [row], "pagination": {"next": null}}).to_string();
    let refuses = Arc::new(AtomicBool::new(true));
    let refusing = Arc::clone(&refuses);
    // No response has a date, so the exporter cannot notice that its clock is a day behind.
    let server = StubServer::start(move |_| {
        if refusing.load(Ordering::Relaxed) {
            StubResponse {
                status: 429,
                headers: vec![("retry-after", "10".to_owned())],
                ..StubResponse::json("{}".to_owned())
            }
        } else {
            StubResponse::json(list.clone())
        }
    })
    .await;
    let behind = Clock::manual(clock.now() - DAY);
    let account = account_at("default", &server.base_url(), "");
    let exporter = Exporter::start_at(&format!("accounts:\n{account}"), behind.clone()).await;
    let exporter = exporter.settled().await;
    pass(&behind, Duration::from_secs(5));
    exporter.scrape().await;
    refuses.store(false, Ordering::Relaxed);
    pass(&behind, INTERVAL);
    let seen = exporter.scrape().await;
    seen.expect("the first list", &[("up", 1.0)]);
    assert_eq!(seen.emails(id, "delivered"), Some(90.0));
    assert_eq!(accepted(&seen), Some(0.0), "what was there before");
}
