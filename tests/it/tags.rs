//! Tags of emails as labels of their operations.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::eventually;
use crate::support::exporter::{Exporter, account, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, ZERO_FOR, morning, pass};
use crate::support::twilio::Twilio;

const SERIES: &str = "series: {tags: [campaign], aggregate_by: [campaign]}\n";

/// Sends to two people through the simulated API; returns the operation's id.
async fn send(twilio: &Twilio, tags: serde_json::Value) -> OperationId {
    twilio.send(json!({"tags": tags})).await
}

fn campaign(seen: &Exposition, id: OperationId, campaign: &str) -> bool {
    let id = id.to_string();
    let labels = [("operation_id", id.as_str()), ("campaign", campaign)];
    seen.value("twilio_email_operation_info", &labels) == Some(1.0)
}

#[tokio::test]
async fn tags_become_labels_are_read_once_and_survive_a_restart() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let directory = tempfile::tempdir().unwrap();
    let yaml = one_account(&twilio, "")
        + SERIES
        + &format!("storage: {{path: {}}}\n", directory.path().display());
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    let exporter = exporter.settled().await;
    let id = send(
        &twilio,
        json!({"campaign": "spring", "owner": "jane@example.com"}),
    )
    .await;
    eventually("the tag is shown", || async {
        pass(&clock, INTERVAL);
        campaign(&exporter.scrape().await, id, "spring")
    })
    .await;
    // Without an email there is nothing to read. After the first email the tags are known.
    let requested = exporter.scrape().await.requests("emails", "200");
    let seen = exporter.scrape().await;
    assert_eq!(seen.requests("emails", "200"), requested);
    let text = exporter.get("/metrics").await.text().await.unwrap();
    assert!(!text.contains("example.com"), "only the configured tags");
    let group = [("label", "campaign"), ("value", "spring")];
    let name = "twilio_email_emails_accepted_by_label_total";
    eventually("both emails are counted", || async {
        pass(&clock, ZERO_FOR);
        exporter.scrape().await.value(name, &group) == Some(2.0)
    })
    .await;
    exporter.stop().await.unwrap();
    let again = Exporter::start_at(&yaml, clock).await.settled().await;
    let seen = again.scrape().await;
    assert!(campaign(&seen, id, "spring"));
    assert_eq!(
        seen.requests("emails", "200"),
        Some(0.0),
        "the store keeps the tags"
    );
    assert_eq!(seen.value(name, &group), Some(2.0));
}

#[tokio::test]
async fn labels_of_users_override_tags() {
    let twilio = Twilio::empty().await;
    let id = send(&twilio, json!({"campaign": "tag"})).await;
    let watched = format!("operations: [{{id: {id}, labels: {{campaign: mine}}}}]");
    let yaml = one_account(&twilio, &watched) + SERIES;
    let exporter = Exporter::start(&yaml).await.settled().await;
    let seen = exporter.scrape().await;
    assert!(campaign(&seen, id, "mine") && !campaign(&seen, id, "tag"));
    let tags = [("collector", "tags")];
    let success = seen.value("twilio_email_collector_success", &tags);
    assert_eq!(success, Some(1.0));
}

#[tokio::test]
async fn a_refused_list_of_emails_costs_one_request_and_changes_no_value() {
    let twilio = Twilio::empty().await;
    for _ in 0..30 {
        twilio.put(Duration::ZERO, json!({"total": 1, "delivered": 1}));
    }
    twilio.fault("emails=403");
    let exporter = Exporter::start(&(one_account(&twilio, "") + SERIES))
        .await
        .settled()
        .await;
    for _ in 0..3 {
        let seen = exporter.scrape().await;
        assert_eq!(seen.requests("emails", "403"), Some(1.0));
        let success = |collector| {
            let labels = [("collector", collector)];
            seen.value("twilio_email_collector_success", &labels)
        };
        assert_eq!(success("operations"), Some(1.0));
        assert_eq!(success("tags"), Some(0.0));
        assert_eq!(seen.value("twilio_email_up", &[]), Some(1.0));
        assert_eq!(
            seen.value("twilio_email_collection_complete", &[]),
            Some(1.0)
        );
    }
}

#[tokio::test]
async fn tags_of_many_operations_are_read_over_several_collections() {
    let twilio = Twilio::empty().await;
    for n in 0..10 {
        send(&twilio, json!({"campaign": format!("c{n}")})).await;
    }
    let yaml = format!("accounts:\n{}", account("default", &twilio, "")).replace(
        "max_requests_per_second: 100000",
        "max_requests_per_second: 2",
    ) + SERIES;
    let exporter = Exporter::start(&yaml).await.settled().await;
    // The requests of two seconds in each collection, the newest operations first.
    let seen = exporter.scrape().await;
    let requested = seen.requests("emails", "200").unwrap();
    assert!(requested <= 8.0, "{requested}");
    let labeled = seen.samples("twilio_email_operation_info").len();
    assert!((1..=8).contains(&labeled), "{labeled}");
}
