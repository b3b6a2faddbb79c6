//! The whole exposition of a scripted account, byte by byte.
//!
//! `UPDATE_GOLDEN=1 cargo test --test it golden` writes the file anew; then look at the difference.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{SimulatorSettings, operation_id};

use crate::support::exporter::{Exporter, account};
use crate::support::promtool;
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

/// Puts the `n`th operation: `age` old, last changed a minute later.
fn put(twilio: &Twilio, n: u128, age: Duration, status: &str, stats: &Value) -> OperationId {
    let created = twilio.handle.now() - age;
    let id = operation_id(created, n);
    let updated = created + Duration::from_mins(1);
    twilio.handle.put(json!({
        "id": id.to_string(), "status": status, "stats": stats,
        "createdAt": created.to_string(), "updatedAt": updated.to_string(),
    }));
    id
}

/// Two accounts at the third collection: one with operations in every state and one failing read, and one that is rejected.
async fn scripted(clock: &Clock) -> (Exporter, [Twilio; 2]) {
    let marketing = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let receipts = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let campaign = json!({
        "total": 2000, "recipients": 1990, "attempts": 2013, "scheduled": 0, "queued": 50, "sent": 110, "delivered": 1700,
        "opened": 100, "undelivered": 25, "failed": 15, "canceled": 0,
    });
    let campaign = put(&marketing, 1, HOUR, "PROCESSING", &campaign);
    let gone = put(
        &marketing,
        2,
        2 * HOUR,
        "COMPLETED",
        &json!({"total": 3, "delivered": 2, "opened": 1}),
    );
    put(
        &marketing,
        3,
        3 * HOUR,
        "CANCELLED",
        &json!({"total": 4, "canceled": 4}),
    );
    put(
        &marketing,
        4,
        4 * HOUR,
        "SCHEDULED",
        &json!({"total": 5, "scheduled": 5}),
    );
    put(
        &marketing,
        5,
        5 * HOUR,
        "ON_HOLD",
        &json!({"total": 6, "queued": 5, "soft_bounced": 1}),
    );
    put(
        &marketing,
        6,
        150 * HOUR,
        "COMPLETED",
        &json!({"total": 7, "delivered": 7}),
    );
    let never = operation_id(clock.now() - HOUR, 9);
    let more = format!(
        "operations:\n- id: {campaign}\n  labels: {{name: 'Spring \"sale\" \\o/', campaign: spring}}\n- id: {never}"
    );
    let yaml = format!(
        "accounts:\n{}{}series: {{max_operations: 6}}\n",
        account("marketing", &marketing, &more),
        account("receipts", &receipts, "")
    );
    let exporter = Exporter::start_at(&yaml, clock.clone())
        .await
        .settled()
        .await;
    pass(clock, INTERVAL);
    exporter.scrape().await;
    marketing.handle.remove(&gone.to_string());
    receipts.fault("401");
    pass(clock, INTERVAL);
    (exporter, [marketing, receipts])
}

/// Masks values that differ between runs: durations, the process, and the build.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let (series, _) = line.rsplit_once(' ').unwrap_or((line, ""));
        let name = series.split('{').next().unwrap_or(series);
        let unsteady = name.starts_with("process_")
            || name.ends_with("_duration_seconds")
            || name.ends_with("_duration_seconds_sum")
            || name.ends_with("_duration_seconds_bucket") && !series.contains("le=\"+Inf\"");
        if name.ends_with("exporter_build_info") && !line.starts_with('#') {
            out.push_str("twilio_email_exporter_build_info{revision=\"*\",version=\"*\"} 1\n");
        } else if unsteady && !line.starts_with('#') {
            out.extend([series, " *\n"]);
        } else {
            out.extend([line, "\n"]);
        }
    }
    out
}

#[tokio::test]
async fn the_whole_exposition_equals_the_golden_file() {
    let (exporter, _accounts) = scripted(&morning()).await;
    let found = masked(&exporter.get("/metrics").await.text().await.unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/whole.prom");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if let Some((at, (found, wanted))) = found
        .lines()
        .zip(wanted.lines())
        .enumerate()
        .find(|(_, (found, wanted))| found != wanted)
    {
        panic!("line {}:\n found {found}\nwanted {wanted}", at + 1);
    }
    assert_eq!(found.lines().count(), wanted.lines().count(), "lines");
}

#[tokio::test]
async fn promtool_reports_no_problem_in_a_live_exposition() {
    let (exporter, _accounts) = scripted(&morning()).await;
    let text = exporter.get("/metrics").await.bytes().await.unwrap();
    assert_eq!(promtool::check_metrics(&text), "");
}
