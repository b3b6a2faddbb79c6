//! Unusable values and rows: they affect no other value and no other row.

use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{SimulatorSettings, operation_id};

use crate::support::exporter::{Exporter, account_at, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{morning, pass};
use crate::support::stub_server::{StubResponse, StubServer};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
const UNEXPECTED: &str = "twilio_email_api_unexpected_values_total";

/// The number of requests that failed with `invalid_response`; the series exists from the start.
fn invalid(seen: &Exposition, endpoint: &str) -> Option<f64> {
    let labels = [("endpoint", endpoint), ("reason", "invalid_response")];
    seen.value("twilio_email_api_request_failures_total", &labels)
}

/// The operation, an hour old, as a row of a list or as the response to a single read.
fn row(id: OperationId, status: &Value, stats: &Value) -> Value {
    json!({"id": id.to_string(), "status": status, "stats": stats, "createdAt": id.created().to_string()})
}

#[tokio::test]
async fn times_that_contradict_the_id_remove_no_operation() {
    let id = operation_id(morning().now() - HOUR, 1);
    for (created, updated) in [
        (json!("0001-01-01T00:00:00Z"), json!("0001-01-01T00:00:00Z")),
        (json!("1970-01-01T00:00:00Z"), json!("1970-01-01T00:00:00Z")),
        (json!("2026-03-01T00:00:00Z"), json!("2026-03-01T00:00:05Z")),
        (json!("2026-04-06T06:00:00Z"), json!("2026-05-01T00:00:00Z")),
        (json!("9999-12-31T23:59:59Z"), json!("9999-12-31T23:59:59Z")),
        (json!("soon"), json!(0)),
    ] {
        let row = json!({
            "id": id.to_string(), "status": "COMPLETED", "stats": {"total": 7, "delivered": 7},
            "createdAt": created, "updatedAt": updated,
        });
        let server = StubServer::start(move |path| {
            let list = json!({"operations": [row], "pagination": {"next": null}});
            let is_list = path.contains("Operations?");
            StubResponse::json(if is_list { &list } else { &row }.to_string())
        })
        .await;
        let more = format!("operations: [{{id: {id}}}]");
        let account = account_at("default", &server.base_url(), &more);
        let exporter = Exporter::start_at(&format!("accounts:\n{account}"), morning()).await;
        let probed = exporter.get(&format!("/probe?target={id}")).await;
        let probed = Exposition::parse(&probed.text().await.unwrap()).unwrap();
        assert_eq!(probed.value("probe_success", &[]), Some(1.0), "{created}");
        for seen in [probed, exporter.scrape().await] {
            assert_eq!(seen.of_operation(id, "up"), Some(1.0), "{created}");
            assert_eq!(seen.emails(id, "delivered"), Some(7.0), "{created}");
            let shown = seen.of_operation(id, "created_timestamp_seconds");
            assert_eq!(shown, Some(id.created().as_seconds()), "{created}");
            let shown = seen.of_operation(id, "updated_timestamp_seconds");
            assert_eq!(shown, None, "{updated}");
        }
        let seen = exporter.scrape().await;
        for field in ["created_at", "updated_at"] {
            let odd = seen.value(UNEXPECTED, &[("field", field)]);
            assert!(odd > Some(1.0), "{created}: {field} {odd:?}");
        }
        let failures: Vec<_> = seen.failures().into_iter().collect();
        assert_eq!(failures, [], "{created}");
        seen.expect("odd times", &[("up", 1.0), ("collection_complete", 1.0)]);
    }
}

#[tokio::test]
async fn a_row_that_is_not_json_is_skipped_and_a_byte_order_mark_is_ignored() {
    let created = morning().now() - HOUR;
    let [good, bad] = [1, 2].map(|n| operation_id(created, n));
    let stats = json!({"total": 3});
    let good_row = row(good, &json!("COMPLETED"), &stats).to_string();
    let bad_row = row(bad, &json!("COMPLETED"), &stats).to_string();
    for (from, to) in [
        ("\"total\":3", "\"total\":NaN"),
        ("COMPLETED", "COMP\tLETED"),
    ] {
        let list = format!(
            "\u{feff}{{\"operations\":[{},{good_row}],\"pagination\":{{\"next\":null}}}}",
            bad_row.replace(from, to)
        );
        let server = StubServer::start(move |_| StubResponse::json(list.clone())).await;
        let yaml = format!(
            "accounts:\n{}",
            account_at("default", &server.base_url(), "")
        );
        let exporter = Exporter::start_at(&yaml, morning()).await;
        let seen = exporter.scrape().await;
        assert_eq!(seen.of_operation(good, "size"), Some(3.0), "{to}");
        assert_eq!(seen.of_operation(bad, "up"), Some(0.0), "{to}");
        assert_eq!(invalid(&seen, "operations"), Some(1.0), "{to}");
        assert_eq!(
            seen.value(UNEXPECTED, &[("field", "body")]),
            Some(1.0),
            "{to}"
        );
        seen.expect(
            to,
            &[
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", 0.0),
            ],
        );
    }
}

/// The faults of `--simulator.fault` with unusable values: each has its documented effect, which ends with the fault.
#[tokio::test]
async fn each_unusable_value_is_counted_and_the_exporter_recovers() {
    for (fault, up, field) in [
        ("odd-figure", 0.0, None),
        ("no-stats", 0.0, None),
        ("no-status", 0.0, None),
        ("odd-byte", 0.0, None),
        ("odd-times", 1.0, Some("created_at")),
        ("odd-words", 1.0, None),
        ("byte-order-mark", 1.0, Some("body")),
    ] {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let id = twilio.put(HOUR, json!({"total": 3, "failed": 2}));
        let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
        let exporter = exporter.settled().await;
        twilio.fault(&format!("list={fault}"));
        pass(&clock, HOUR);
        let seen = exporter.scrape().await;
        assert_eq!(seen.of_operation(id, "up"), Some(up), "{fault}");
        assert_eq!(seen.emails(id, "failed"), Some(2.0), "{fault}");
        if let Some(field) = field {
            assert!(
                seen.value(UNEXPECTED, &[("field", field)]) > Some(0.0),
                "{fault}"
            );
        }
        seen.expect(
            fault,
            &[
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", up),
            ],
        );
        twilio.handle.clear_faults();
        pass(&clock, HOUR);
        let seen = exporter.scrape().await;
        assert_eq!(seen.of_operation(id, "up"), Some(1.0), "after {fault}");
        let completed = [("state", "completed")];
        assert_eq!(
            seen.value("twilio_email_operations", &completed),
            Some(1.0),
            "after {fault}"
        );
    }
}
