//! Operations that files and URLs list: their series, labels and sums, until no source lists them any more.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::sources::lists::{Lists, Reply};
use crate::support::eventually;
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{ZERO_FOR, morning, pass};
use crate::support::twilio::Twilio;

/// A list of one operation with these labels, in the format of `file_sd`.
fn listing(id: OperationId, labels: &serde_json::Value) -> String {
    json!([{"targets": [id.to_string()], "labels": labels}]).to_string()
}

fn delivered(seen: &Exposition, id: OperationId) -> Option<f64> {
    let id = id.to_string();
    let labels = [("operation_id", id.as_str()), ("status", "delivered")];
    seen.value("twilio_email_operation_emails", &labels)
}

fn info(seen: &Exposition, id: OperationId, campaign: &str) -> Option<f64> {
    let id = id.to_string();
    let labels = [("operation_id", id.as_str()), ("campaign", campaign)];
    seen.value("twilio_email_operation_info", &labels)
}

fn accepted(seen: &Exposition, campaign: &str) -> Option<f64> {
    let labels = [("label", "campaign"), ("value", campaign)];
    seen.value("twilio_email_emails_accepted_by_label_total", &labels)
}

#[tokio::test]
async fn the_first_sample_of_a_new_label_value_is_0_even_after_requests_for_pages() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let operations = format!("operations:\n- {{id: {id}, labels: {{campaign: spring}}}}");
    let yaml = one_account(&twilio, &operations) + "series: {aggregate_by: [campaign]}\n";
    // The collection of the start finds the operation; no scrape follows.
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    let exporter = exporter.settled().await;
    for path in ["/", "/sd", "/"] {
        assert_eq!(exporter.get(path).await.status(), 200);
        pass(&clock, ZERO_FOR);
    }
    let created = id.created();
    twilio.set(
        id,
        created,
        "PROCESSING",
        json!({"total": 9, "delivered": 9}),
    );
    let seen = exporter.scrape().await;
    assert_eq!(accepted(&seen, "spring"), Some(0.0), "the first sample");
    pass(&clock, ZERO_FOR);
    assert_eq!(accepted(&exporter.scrape().await, "spring"), Some(2.0));
}

#[tokio::test]
async fn a_changed_file_adds_and_removes_operations_within_one_scrape() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let yaml = one_account(&twilio, "discovery: false\noperation_files: ['*.json']")
        + "series: {aggregate_by: [campaign]}\n";
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    let exporter = exporter.settled().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    assert_eq!(delivered(&exporter.scrape().await, id), None);
    exporter
        .files
        .write("a.json", &listing(id, &json!({"campaign": "spring"})));
    let seen = exporter.scrape().await;
    assert_eq!(delivered(&seen, id), Some(7.0));
    assert_eq!(info(&seen, id, "spring"), Some(1.0));
    assert_eq!(accepted(&seen, "spring"), Some(0.0), "a new series");
    pass(&clock, ZERO_FOR);
    let seen = exporter.scrape().await;
    assert_eq!(accepted(&seen, "spring"), Some(7.0));
    // While it is broken, its operations stay, and the metric shows it.
    exporter.files.write("a.json", "[{\"targets\": [");
    let seen = exporter.scrape().await;
    assert_eq!(delivered(&seen, id), Some(7.0));
    assert_eq!(seen.value("twilio_email_source_up", &[]), Some(0.0));
    exporter.files.remove("a.json");
    let seen = exporter.scrape().await;
    assert_eq!(delivered(&seen, id), None);
    assert_eq!(seen.value("twilio_email_source_up", &[]), None);
    let by_label = [("value", "spring"), ("status", "delivered")];
    assert_eq!(
        seen.value("twilio_email_emails_by_label", &by_label),
        Some(0.0)
    );
    assert_eq!(accepted(&seen, "spring"), Some(7.0));
    assert_eq!(
        seen.value("twilio_email_emails_accepted_total", &[]),
        Some(7.0)
    );
}

#[tokio::test]
async fn an_operation_of_several_sources_has_all_their_labels_until_the_last_one_removes_it() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let lists = Lists::start(Reply::json(listing(
        id,
        &json!({"campaign": "url", "team": "growth", "template": "t1"}),
    )))
    .await;
    let yaml = one_account(
        &twilio,
        &format!(
            "discovery: false\noperation_files: [a.json]\noperation_urls: [{{url: '{}', refresh_interval: 100ms}}]",
            lists.url("/targets")
        ),
    );
    let exporter = Exporter::start(&yaml).await;
    exporter.files.write(
        "a.json",
        &listing(id, &json!({"campaign": "file", "team": "mail"})),
    );
    let labels = [("campaign", "file"), ("team", "mail"), ("template", "t1")];
    eventually("both sources are merged", || async {
        let seen = exporter.scrape().await;
        seen.value("twilio_email_operation_info", &labels) == Some(1.0)
    })
    .await;
    exporter.files.write("a.json", "[]");
    assert_eq!(info(&exporter.scrape().await, id, "url"), Some(1.0));
    lists.reply(Reply::json("[]"));
    eventually("nobody lists it", || async {
        delivered(&exporter.scrape().await, id).is_none()
    })
    .await;
}

#[tokio::test]
async fn operations_listed_before_a_restart_stay_while_their_source_is_broken() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let directory = tempfile::tempdir().unwrap();
    let storage = format!("storage: {{path: {}}}\n", directory.path().display());
    let yaml = one_account(&twilio, "discovery: false\noperation_files: [a.json]") + &storage;
    let first = Exporter::start(&yaml).await;
    first.files.write("a.json", &listing(id, &json!({})));
    assert_eq!(delivered(&first.scrape().await, id), Some(7.0));
    first.stop().await.unwrap();
    let second = Exporter::start(&yaml).await;
    second.files.write("a.json", "oops");
    assert_eq!(delivered(&second.scrape().await, id), Some(7.0));
    second.files.write("a.json", "[]");
    assert_eq!(delivered(&second.scrape().await, id), None);
}

#[tokio::test]
async fn many_operations_in_files_do_not_raise_the_number_of_series_beyond_the_limit() {
    let twilio = Twilio::empty().await;
    let mut ids: Vec<_> = (0..30)
        .map(|_| twilio.put(Duration::ZERO, json!({"total": 1})))
        .collect();
    ids.sort();
    let text: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let yaml = one_account(&twilio, "operation_files: [a.json]") + "series: {max_operations: 10}\n";
    let exporter = Exporter::start(&yaml).await;
    exporter
        .files
        .write("a.json", &json!([{"targets": text}]).to_string());
    let seen = exporter.scrape().await;
    assert_eq!(
        seen.value("twilio_email_operations_without_series", &[]),
        Some(20.0)
    );
    assert_eq!(delivered(&seen, ids[29]), Some(0.0));
    assert_eq!(delivered(&seen, ids[19]), None);
}

#[tokio::test]
async fn ten_thousand_operations_of_a_file_need_few_requests() {
    let twilio = Twilio::empty().await;
    let ids: Vec<_> = (0..10_000)
        .map(|_| twilio.put(Duration::ZERO, json!({"total": 1, "delivered": 1})))
        .collect();
    let text: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let yaml = one_account(&twilio, "operation_files: [a.json]");
    let exporter = Exporter::start(&yaml).await;
    exporter
        .files
        .write("a.json", &json!([{"targets": text}]).to_string());
    let seen = exporter.scrape().await;
    let sums = [("status", "delivered")];
    assert_eq!(seen.value("twilio_email_emails", &sums), Some(10_000.0));
    assert!(
        twilio.handle.counts().operations <= 40,
        "{:?}",
        twilio.handle.counts()
    );
}
