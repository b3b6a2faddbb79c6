//! The time for which operations are scheduled, which Twilio returns only with their emails.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::eventually;
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::twilio::Twilio;

const SERIES: &str = "series: {tags: [campaign]}\n";
const NAME: &str = "twilio_email_operation_scheduled_timestamp_seconds";

fn scheduled_for(seen: &Exposition, id: OperationId) -> Option<f64> {
    seen.of_operation(id, "scheduled_timestamp_seconds")
}

#[tokio::test]
async fn a_scheduled_operation_shows_its_time_after_one_request_and_after_a_restart() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let directory = tempfile::tempdir().unwrap();
    let yaml = one_account(&twilio, "")
        + SERIES
        + &format!("storage: {{path: {}}}\n", directory.path().display());
    let time = clock.now() + Duration::from_hours(30);
    let later = twilio.send(json!({"scheduledFor": time.to_string()})).await;
    let now = twilio.send(json!({})).await;
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    let exporter = exporter.settled().await;
    // The emails of the other operation come after its creation.
    eventually("both first emails were read", || async {
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        let id = later.to_string();
        let state = [("operation_id", id.as_str()), ("state", "scheduled")];
        assert_eq!(
            seen.value("twilio_email_operation_state", &state),
            Some(1.0)
        );
        scheduled_for(&seen, later).is_some() && seen.emails(now, "delivered") == Some(2.0)
    })
    .await;
    let requested = exporter.scrape().await.requests("emails", "200");
    pass(&clock, INTERVAL);
    let seen = exporter.scrape().await;
    assert_eq!(scheduled_for(&seen, later), Some(time.as_seconds()));
    assert_eq!(scheduled_for(&seen, now), None);
    assert_eq!(seen.requests("emails", "200"), requested);
    exporter.stop().await.unwrap();
    let again = Exporter::start_at(&yaml, clock).await.settled().await;
    let seen = again.scrape().await;
    assert_eq!(scheduled_for(&seen, later), Some(time.as_seconds()));
    assert_eq!(
        seen.requests("emails", "200"),
        Some(0.0),
        "the store keeps the time"
    );
}

#[tokio::test]
async fn with_the_collector_of_emails_a_scheduled_operation_shows_its_time_without_tags() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let yaml = one_account(&twilio, "") + "collectors: {emails: {enabled: true}}\n";
    let time = clock.now() + Duration::from_hours(30);
    let later = twilio.send(json!({"scheduledFor": time.to_string()})).await;
    twilio.put(Duration::ZERO, json!({"total": 2, "delivered": 2}));
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    let exporter = exporter.settled().await;
    eventually("the time is known", || async {
        pass(&clock, INTERVAL);
        scheduled_for(&exporter.scrape().await, later) == Some(time.as_seconds())
    })
    .await;
    let requests = twilio.handle.requests();
    let first_emails = requests
        .iter()
        .filter(|request| request.path.contains("operationId="));
    assert_eq!(first_emails.count(), 1, "only of the scheduled one");
}

#[tokio::test]
async fn without_tags_no_email_is_requested_and_no_time_is_shown() {
    let twilio = Twilio::empty().await;
    let time = twilio.handle.now() + Duration::from_hours(30);
    twilio.send(json!({"scheduledFor": time.to_string()})).await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let seen = exporter.scrape().await;
    assert_eq!(seen.samples("twilio_email_operation_size").len(), 1);
    assert_eq!(seen.samples(NAME).len(), 0);
    assert_eq!(twilio.handle.counts().emails, 0);
}
