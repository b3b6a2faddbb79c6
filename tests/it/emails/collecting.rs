//! The exporter counts every email that it reads, and a list that it cannot read delays nothing.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::support::promtool;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn emails_are_counted_by_provider_and_outcome_and_timed() {
    let scene = Scene::new().await;
    let stats = json!({"total": 10, "delivered": 6, "opened": 1, "failed": 2, "sent": 1});
    scene.twilio.put(Duration::from_secs(40), stats);
    let seen = scene
        .seen("deliveries", |seen| {
            outcome(seen, "other", "delivered") == Some(7.0)
        })
        .await;
    for (name, count) in [
        ("opened", 1.0),
        ("failed", 2.0),
        ("undelivered", 0.0),
        ("canceled", 0.0),
    ] {
        assert_eq!(outcome(&seen, "other", name), Some(count), "{name}");
    }
    for (status, count) in [
        ("delivered", 6.0),
        ("opened", 1.0),
        ("failed", 2.0),
        ("sent", 1.0),
        ("queued", 0.0),
    ] {
        assert_eq!(emails(&seen, "other", status), Some(count), "{status}");
    }
    let other = [("provider", "other")];
    let deliveries = seen.value("twilio_email_delivery_duration_seconds_count", &other);
    assert_eq!(deliveries, Some(6.0));
    let unobserved = seen.value("twilio_email_deliveries_unobserved_total", &other);
    assert_eq!(unobserved, Some(1.0), "the opened one");
    let within = |bound| {
        let labels = [("provider", "other"), ("le", bound)];
        seen.value("twilio_email_delivery_duration_seconds_bucket", &labels)
    };
    assert_eq!(
        (within("30"), within("60"), within("+Inf")),
        (Some(0.0), Some(6.0), Some(6.0))
    );
    // The emails were there before their sender's domain had a name.
    let sender = [("sender_domain", "other"), ("outcome", "delivered")];
    let by_sender = seen.value("twilio_email_sender_domain_outcomes_total", &sender);
    assert_eq!(by_sender, Some(7.0));
    assert!(
        seen.family("twilio_email_recipient_domain_outcomes_total")
            .is_none()
    );
    let collector = [("collector", "emails")];
    assert_eq!(
        seen.value("twilio_email_collector_success", &collector),
        Some(1.0)
    );
    let text = scene.exporter.get("/metrics").await.bytes().await.unwrap();
    assert_eq!(promtool::check_metrics(&text), "");
}

#[tokio::test]
async fn emails_that_were_there_before_are_baseline() {
    let (clock, twilio) = quiet_account().await;
    let before = twilio.put(10 * MINUTE, json!({"total": 5, "delivered": 3, "sent": 2}));
    let scene = Scene::watching(clock, twilio, "", "").await;
    let created = before.created();
    // Twilio gives up after hours.
    pass(&scene.clock, 20 * HOUR);
    let stats = json!({"total": 5, "delivered": 3, "undelivered": 2});
    scene.twilio.set(before, created, "COMPLETED", stats);
    let seen = scene
        .seen("losses", |seen| {
            outcome(seen, "other", "undelivered") == Some(2.0)
        })
        .await;
    assert_eq!(outcome(&seen, "other", "delivered"), Some(0.0));
    assert_eq!(emails(&seen, "other", "delivered"), Some(3.0));
}

/// The list of emails does not respond, and each of these scrapes still reads its operation completely and soon.
async fn expect_collections_beside_a_hanging_list(scene: &Scene, scrapes: usize) {
    scene.twilio.fault("emails=hang");
    let id = scene
        .twilio
        .put(Duration::ZERO, json!({"total": 5, "delivered": 5}));
    for _ in 0..scrapes {
        pass(&scene.clock, INTERVAL);
        let began = Instant::now();
        let seen = scene.exporter.scrape().await;
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(seen.emails(id, "delivered"), Some(5.0));
        assert_eq!(seen.of_account("collection_complete"), Some(1.0));
    }
}

#[tokio::test]
async fn a_list_that_never_answers_delays_no_scrape_and_no_operation() {
    let scene = Scene::with("request_timeout: 2m", "").await;
    expect_collections_beside_a_hanging_list(&scene, 5).await;
    assert!(
        inbound(&scene.exporter.scrape().await).is_some(),
        "the last values stay"
    );
}

#[tokio::test]
async fn without_the_collector_nothing_is_requested_and_nothing_exposed() {
    let (clock, twilio) = quiet_account().await;
    twilio.put(MINUTE, json!({"total": 5, "delivered": 5}));
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
    let exporter = exporter.settled().await;
    pass(&clock, INTERVAL);
    let seen = exporter.scrape().await;
    assert!(
        seen.family("twilio_email_provider_outcomes_total")
            .is_none()
    );
    assert!(seen.family("twilio_email_inbound_total").is_none());
    let requests = twilio.handle.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.path.contains("/Emails?"))
    );
}

#[tokio::test]
async fn one_concurrent_request_is_given_up_for_the_next_collection() {
    let scene = Scene::with("request_timeout: 2m\nmax_concurrent_requests: 1", "").await;
    expect_collections_beside_a_hanging_list(&scene, 3).await;
}

#[tokio::test]
async fn emails_take_their_share_of_the_rate_and_operations_have_the_rest() {
    // Ten pages of emails, of which a run may make two: 4 requests a minute, half of them for emails.
    let (clock, twilio) = quiet_account().await;
    for hours in 2..12 {
        twilio.put(hours * HOUR, json!({"total": 10_000, "delivered": 10_000}));
    }
    let slow = one_account(&twilio, "").replace("100000", "0.06");
    let yaml = format!("{slow}collectors: {{emails: {{enabled: true, request_share: 0.5}}}}\n");
    let exporter = Exporter::start_at(&yaml, clock.clone())
        .await
        .settled()
        .await;
    for _ in 0..5 {
        pass(&clock, INTERVAL);
        exporter.scrape_within(0.7).await;
    }
    let requests = twilio.handle.requests();
    let emails = requests
        .iter()
        .filter(|request| request.path.contains("/Emails?"))
        .count();
    assert!(emails <= 2, "{emails} requests for emails");
    assert!(requests.len() > emails, "operations were read");
}

#[tokio::test]
async fn pages_that_are_too_large_are_requested_with_fewer_rows() {
    let scene = Scene::new().await;
    scene.twilio.fault("emails=oversized:times=1");
    scene
        .twilio
        .put(MINUTE, json!({"total": 450, "delivered": 450}));
    scene
        .seen("deliveries", |seen| {
            outcome(seen, "other", "delivered") == Some(450.0)
        })
        .await;
    let sizes = scene.twilio.handle.requests();
    assert!(
        sizes
            .iter()
            .any(|request| request.path.contains("pageSize=200"))
    );
}

#[tokio::test]
async fn emails_beyond_the_limit_are_left_out_by_whole_operations_and_reported() {
    let scene = Scene::with("", ", max_emails: 20").await;
    scene.twilio.put(MINUTE, json!({"total": 30, "failed": 30}));
    scene
        .seen("the first operation", |seen| {
            outcome(seen, "other", "failed") == Some(30.0)
        })
        .await;
    pass(&scene.clock, MINUTE);
    scene
        .twilio
        .put(Duration::ZERO, json!({"total": 7, "failed": 7}));
    let seen = scene
        .seen("rows left out", |seen| {
            seen.of_account("emails_left_out_total") >= Some(7.0)
        })
        .await;
    assert_eq!(outcome(&seen, "other", "failed"), Some(30.0));
}

#[tokio::test]
async fn a_list_that_ignores_dates_or_moves_rows_is_counted_exactly() {
    for fault in [
        "emails=ignore-dates",
        "emails=moving-rows",
        "emails=empty-pages:3",
    ] {
        let (clock, twilio) = quiet_account().await;
        twilio.put(30 * HOUR, json!({"total": 2500, "delivered": 2500}));
        twilio.fault(fault);
        let scene = Scene::watching(clock, twilio, "", "").await;
        scene.twilio.put(
            MINUTE,
            json!({"total": 2200, "delivered": 1700, "failed": 500}),
        );
        let seen = scene
            .seen(fault, |seen| {
                outcome(seen, "other", "delivered") == Some(1700.0)
                    && outcome(seen, "other", "failed") == Some(500.0)
            })
            .await;
        assert_eq!(emails(&seen, "other", "failed"), Some(500.0), "{fault}");
    }
}
