//! A list of emails that cannot be read completely: the probe exposes the cause and no counts.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;

use super::list::{self, List, Pages, row};
use super::{assert_incomplete, exporter_of, probe, text_of, value};
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::twilio::Twilio;

/// The exposition of a probe whose scrape has this timeout, in seconds.
pub(super) async fn probe_within(
    exporter: &Exporter,
    id: OperationId,
    timeout: &str,
) -> Exposition {
    let url = exporter.url(&format!("/probe?target={id}&emails=true"));
    let request = exporter.client.get(url);
    let request = request.header("X-Prometheus-Scrape-Timeout-Seconds", timeout);
    let text = request.send().await.unwrap().text().await.unwrap();
    Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

async fn watching(twilio: &Twilio) -> (Exporter, OperationId) {
    let stats = json!({"total": 1500, "sent": 1500});
    let id = twilio.put(Duration::ZERO, stats);
    let exporter = Exporter::start(&one_account(twilio, "discovery: false")).await;
    (exporter, id)
}

async fn debug(exporter: &Exporter, id: OperationId) -> String {
    text_of(exporter, &format!("target={id}&emails=true&debug=true")).await
}

#[tokio::test]
async fn a_refused_list_of_emails_leaves_the_operation_and_shows_no_count() {
    for (fault, reason) in [
        ("emails=403", "forbidden"),
        ("emails=400", "bad_request"),
        ("emails=404", "not_found"),
        ("emails=500", "server_error"),
        ("emails:page=2=500", "server_error"),
        ("emails=wrong-json", "invalid_response"),
    ] {
        let twilio = Twilio::empty().await;
        let (exporter, id) = watching(&twilio).await;
        twilio.fault(fault);
        let seen = probe(&exporter, id).await;
        assert_incomplete(&seen);
        assert_eq!(seen.emails(id, "sent"), Some(1500.0), "{fault}");
        assert_eq!(seen.of_operation(id, "up"), Some(1.0), "{fault}");
        let text = debug(&exporter, id).await;
        let line = format!("# emails reason: {reason}\n");
        assert!(text.contains(&line), "{fault}: {text}");
        assert!(text.contains("# result: an operation\n"), "{text}");
    }
}

#[tokio::test]
async fn a_list_of_emails_is_cut_off_at_the_deadline() {
    let twilio = Twilio::empty().await;
    let (exporter, id) = watching(&twilio).await;
    for fault in ["emails=hang", "emails:page=2=hang"] {
        twilio.fault(fault);
        let seen = probe_within(&exporter, id, "1").await;
        assert_incomplete(&seen);
        assert_eq!(seen.emails(id, "sent"), Some(1500.0), "{fault}");
        assert_eq!(value(&seen, "foreign_rows", &[]), None);
        let took = seen.value("probe_duration_seconds", &[]).unwrap();
        assert!((0.1..1.0).contains(&took), "{took}");
        twilio.handle.clear_faults();
    }
    let seen = probe(&exporter, id).await;
    assert_eq!(value(&seen, "emails", &[("status", "sent")]), Some(1500.0));
}

#[tokio::test]
async fn rows_of_other_operations_are_shown_and_not_counted() {
    let twilio = Twilio::empty().await;
    let (exporter, id) = watching(&twilio).await;
    twilio.put(Duration::ZERO, json!({"total": 4, "failed": 4}));
    twilio.fault("emails=ignore-operation");
    let seen = probe(&exporter, id).await;
    assert_incomplete(&seen);
    assert_eq!(value(&seen, "foreign_rows", &[]), Some(4.0));
    assert_eq!(value(&seen, "unusable_rows", &[]), Some(0.0));
    let text = debug(&exporter, id).await;
    assert!(text.contains(" 4 rows of other operations,"), "{text}");
}

#[tokio::test]
async fn rows_that_cannot_be_used_are_shown_and_make_no_wrong_total() {
    let id = list::operation();
    let mut rows: Vec<_> = (0..5)
        .map(|at| row(id, at, "SENT", "example.com", 1))
        .collect();
    rows[1]["id"] = json!(17);
    rows[3]["status"] = json!(null);
    rows[4]["scheduledFor"] = json!("tomorrow");
    let list = List::start(id, rows, Pages::Next).await;
    let exporter = exporter_of(&list).await;
    let seen = probe(&exporter, id).await;
    assert_incomplete(&seen);
    assert_eq!(value(&seen, "unusable_rows", &[]), Some(3.0));
    assert_eq!(value(&seen, "foreign_rows", &[]), Some(0.0));
    let text = debug(&exporter, id).await;
    assert!(text.contains("# emails result: 2 emails, "), "{text}");
}

#[tokio::test]
async fn an_operation_that_cannot_be_read_costs_no_request_for_its_emails() {
    let twilio = Twilio::empty().await;
    let (exporter, id) = watching(&twilio).await;
    twilio.fault("operation=500");
    let seen = probe(&exporter, id).await;
    assert_incomplete(&seen);
    assert_eq!(value(&seen, "unusable_rows", &[]), None);
    let text = debug(&exporter, id).await;
    let line = "# emails result: not requested, because the operation could not be read\n";
    assert!(text.contains(line), "{text}");
    assert_eq!(twilio.handle.counts().emails, 0);
}

#[tokio::test]
async fn a_probe_of_emails_respects_a_pause() {
    let twilio = Twilio::empty().await;
    let (exporter, id) = watching(&twilio).await;
    twilio.fault("emails=429:retry-after=60");
    assert_incomplete(&probe(&exporter, id).await);
    let before = twilio.handle.counts().total;
    assert_incomplete(&probe(&exporter, id).await);
    assert_eq!(twilio.handle.counts().total, before);
}

#[tokio::test]
async fn debug_shows_the_request_for_emails_and_what_it_returned() {
    let twilio = Twilio::empty().await;
    let (exporter, id) = watching(&twilio).await;
    let text = debug(&exporter, id).await;
    let request = format!(
        "# emails request: GET {}/Emails?operationId={id}\n",
        twilio.base_url()
    );
    assert!(text.contains(&request), "{text}");
    let result = "# emails result: 1500 emails, 0 rows of other operations, 0 unusable rows\n";
    assert!(text.contains(result), "{text}");
    assert!(text.contains("# emails took: "), "{text}");
    assert!(text.contains("\nprobe_success 1\n"), "{text}");
}
