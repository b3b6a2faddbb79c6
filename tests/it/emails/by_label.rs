//! Delivery times and outcomes by the labels of operations.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::ScriptedEmail;

use super::*;

/// Emails of one operation with these statuses and this tag, ten seconds after their creation.
fn tagged(created: OperationId, campaign: &str, statuses: &[&str]) -> Vec<ScriptedEmail> {
    let email = |status: &&str| ScriptedEmail {
        tags: [("campaign".to_owned(), campaign.to_owned())].into(),
        ..ScriptedEmail::new(status, created.created() + Duration::from_secs(10))
    };
    statuses.iter().map(email).collect()
}

fn by_label(seen: &Exposition, family: &str, value: &str, more: &[(&str, &str)]) -> Option<f64> {
    let own = [("label", "campaign"), ("value", value)];
    let labels = [&own[..], more].concat();
    seen.value(&format!("twilio_email_{family}"), &labels)
}

fn delivered(seen: &Exposition, value: &str) -> Option<f64> {
    let outcome = [("outcome", "delivered")];
    by_label(seen, "delivery_outcomes_by_label_total", value, &outcome)
}

fn series(more: &str) -> String {
    format!("series: {{aggregate_by: [campaign]{more}}}\n")
}

#[tokio::test]
async fn emails_count_by_the_tags_in_their_rows_and_by_given_labels() {
    let directory = tempfile::tempdir().unwrap();
    let (clock, twilio) = quiet_account().await;
    let given = twilio.put(Duration::ZERO, json!({"total": 0}));
    let listed = format!("operations: [{{id: {given}, labels: {{campaign: given}}}}]");
    let yaml = configuration(&twilio, &listed, "", Some(directory.path()));
    let yaml = yaml + &series(", tags: [campaign]");
    let scene = Scene {
        exporter: start(&yaml, &clock).await,
        clock,
        twilio,
    };
    scene
        .seen("the first emails", |seen| inbound(seen).is_some())
        .await;
    pass(&scene.clock, ZERO_FOR);
    let put = |id: OperationId, rows| {
        scene.twilio.handle.put_emails(id, rows);
        scene
            .twilio
            .set(id, id.created(), "COMPLETED", json!({"total": 2}));
    };
    let spring = scene
        .twilio
        .put(Duration::from_secs(30), json!({"total": 0}));
    put(
        spring,
        tagged(spring, "spring", &["DELIVERED", "OPENED", "UNDELIVERED"]),
    );
    // A given label takes precedence over a tag; this operation is baseline, its later outcomes are not.
    put(given, tagged(given, "spring", &["SENT", "SENT"]));
    scene
        .seen("the first outcomes", |seen| {
            delivered(seen, "spring") == Some(2.0)
        })
        .await;
    put(given, tagged(given, "spring", &["SENT", "DELIVERED"]));
    pass(&scene.clock, Duration::from_mins(3));
    let seen = scene
        .seen("a delivery", |seen| delivered(seen, "given") == Some(1.0))
        .await;
    assert_eq!(delivered(&seen, "spring"), Some(2.0));
    let outcome = |name| {
        let outcome = [("outcome", name)];
        by_label(
            &seen,
            "delivery_outcomes_by_label_total",
            "spring",
            &outcome,
        )
    };
    assert_eq!(
        (outcome("opened"), outcome("undelivered")),
        (Some(1.0), Some(1.0))
    );
    let count = by_label(
        &seen,
        "delivery_by_label_duration_seconds_count",
        "spring",
        &[],
    );
    let unobserved = by_label(&seen, "deliveries_unobserved_by_label_total", "spring", &[]);
    assert_eq!((count, unobserved), (Some(1.0), Some(1.0)));
    let within = |bound| {
        let bound = [("le", bound)];
        by_label(
            &seen,
            "delivery_by_label_duration_seconds_bucket",
            "spring",
            &bound,
        )
    };
    assert_eq!((within("5"), within("10")), (Some(0.0), Some(1.0)));
    let text = scene.exporter.get("/metrics").await.bytes().await.unwrap();
    assert_eq!(crate::support::promtool::check_metrics(&text), "");

    scene.exporter.stop().await.unwrap();
    let scene = Scene {
        exporter: start(&yaml, &scene.clock).await,
        ..scene
    };
    let seen = scene
        .seen("after a restart", |seen| {
            delivered(seen, "spring").is_some()
        })
        .await;
    assert_eq!(
        (delivered(&seen, "spring"), delivered(&seen, "given")),
        (Some(2.0), Some(1.0))
    );
}

#[tokio::test]
async fn a_tag_that_is_no_wanted_label_makes_no_series() {
    let (clock, twilio) = quiet_account().await;
    let yaml = configuration(&twilio, "", "", None) + &series("");
    let scene = Scene {
        exporter: Exporter::start_at(&yaml, clock.clone())
            .await
            .settled()
            .await,
        clock,
        twilio,
    };
    scene
        .seen("the first emails", |seen| inbound(seen).is_some())
        .await;
    let id = scene.twilio.put(Duration::ZERO, json!({"total": 0}));
    scene
        .twilio
        .handle
        .put_emails(id, tagged(id, "spring", &["DELIVERED"]));
    scene
        .twilio
        .set(id, id.created(), "COMPLETED", json!({"total": 1}));
    let seen = scene
        .seen("the delivery", |seen| {
            outcome(seen, "other", "delivered") == Some(1.0)
        })
        .await;
    assert_eq!(delivered(&seen, "spring"), None);
}
