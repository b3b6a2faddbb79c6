//! Twilio refuses the list of all emails, or ignores what is requested.

use std::time::Duration;

use serde_json::json;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn the_emails_of_known_operations_are_read_where_the_whole_list_is_refused() {
    for status in ["403", "400"] {
        let (clock, twilio) = quiet_account().await;
        let before = twilio.put(HOUR, json!({"total": 4, "sent": 4}));
        twilio.fault(&format!("unfiltered-emails={status}"));
        let scene = Scene::watching(clock, twilio, "", "").await;
        let stats = json!({"total": 1500, "delivered": 1499, "failed": 1});
        scene.twilio.put(Duration::ZERO, stats);
        let stats = json!({"total": 4, "undelivered": 1, "delivered": 3});
        scene
            .twilio
            .set(before, before.created(), "COMPLETED", stats);
        let seen = scene
            .seen("both operations", |seen| {
                outcome(seen, "other", "delivered") == Some(1502.0)
                    && outcome(seen, "other", "failed") == Some(1.0)
            })
            .await;
        assert_eq!(outcome(&seen, "other", "undelivered"), Some(1.0));
        assert!(seen.family("twilio_email_emails_coverage_ratio").is_none());
        // Nothing has changed since, so nothing is requested.
        scene.twilio.handle.reset_requests();
        for _ in 0..3 {
            pass(&scene.clock, Duration::from_secs(1));
            scene.exporter.scrape().await;
        }
        let requests = scene.twilio.handle.requests();
        assert!(
            requests
                .iter()
                .all(|request| !request.path.contains("operationId"))
        );
    }
}

#[tokio::test]
async fn rows_of_other_operations_are_not_counted_and_reported() {
    let (clock, twilio) = quiet_account().await;
    twilio.fault("unfiltered-emails=403");
    twilio.put(HOUR, json!({"total": 3, "failed": 3}));
    let scene = Scene::watching(clock, twilio, "", "").await;
    scene.twilio.fault("emails=ignore-operation");
    scene
        .twilio
        .put(Duration::ZERO, json!({"total": 5, "delivered": 5}));
    let seen = scene
        .seen("foreign rows", |seen| {
            seen.of_account("emails_foreign_rows_total") >= Some(3.0)
        })
        .await;
    assert_eq!(outcome(&seen, "other", "failed"), Some(0.0));
    let collector = [("collector", "emails")];
    assert_eq!(
        seen.value("twilio_email_collector_success", &collector),
        Some(0.0)
    );
}

#[tokio::test]
async fn a_list_that_fails_for_a_while_loses_nothing() {
    for fault in [
        "emails=500",
        "emails=html",
        "emails:page=2=cut",
        "emails=429:retry-after=1",
    ] {
        let scene = Scene::new().await;
        scene.twilio.fault(fault);
        let stats = json!({"total": 1200, "delivered": 1200});
        scene.twilio.put(Duration::ZERO, stats);
        for _ in 0..3 {
            pass(&scene.clock, INTERVAL);
            scene.exporter.scrape().await;
        }
        scene.twilio.handle.clear_faults();
        pass(&scene.clock, HOUR);
        let seen = scene
            .seen(fault, |seen| {
                outcome(seen, "other", "delivered") == Some(1200.0)
            })
            .await;
        let times = [("provider", "other")];
        let deliveries = seen.value("twilio_email_delivery_duration_seconds_count", &times);
        assert_eq!(deliveries, Some(1200.0), "{fault}");
    }
}
