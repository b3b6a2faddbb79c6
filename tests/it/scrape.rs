//! From Twilio's operations to series: what a scrape exposes of a healthy account.

use std::time::Duration;

use serde_json::json;

use crate::support::exporter::{Exporter, SID, TOKEN, one_account};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_scrape_exposes_every_stat_of_an_operation() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 9, "delivered": 4, "opened": 3, "failed": 2, "recipients": 9, "attempts": 11})).to_string();
    let exporter = Exporter::watching(&twilio).await;
    let seen = exporter.scrape().await;
    let value = |name: &str, labels: &[(&str, &str)]| {
        let mut all = vec![("account", "default"), ("operation_id", id.as_str())];
        all.extend(labels);
        seen.value(&format!("twilio_email_operation_{name}"), &all)
    };
    for (status, emails) in [
        ("delivered", 4.0),
        ("opened", 3.0),
        ("failed", 2.0),
        ("sent", 0.0),
        ("canceled", 0.0),
        ("queued", 0.0),
    ] {
        assert_eq!(
            value("emails", &[("status", status)]),
            Some(emails),
            "{status}"
        );
    }
    assert_eq!(
        (
            value("size", &[]),
            value("recipients", &[]),
            value("attempts", &[])
        ),
        (Some(9.0), Some(9.0), Some(11.0))
    );
    assert_eq!(value("state", &[("state", "completed")]), Some(1.0));
    assert_eq!(value("state", &[("state", "processing")]), Some(0.0));
    assert_eq!(value("up", &[]), Some(1.0));
    let created = value("created_timestamp_seconds", &[]).unwrap();
    assert_eq!(
        value("expires_timestamp_seconds", &[]),
        Some(created + 7.0 * 86_400.0)
    );
    for (name, expected) in [
        ("up", 1.0),
        ("discovery_up", 1.0),
        ("collection_complete", 1.0),
        ("operations_without_series", 0.0),
    ] {
        assert_eq!(
            seen.value(&format!("twilio_email_{name}"), &[("account", "default")]),
            Some(expected),
            "{name}"
        );
    }
    assert_eq!(
        seen.value("twilio_email_operations", &[("state", "completed")]),
        Some(1.0)
    );
    assert_eq!(
        seen.value("twilio_email_emails", &[("status", "opened")]),
        Some(3.0)
    );
}

#[tokio::test]
async fn the_next_scrape_exposes_a_change_at_twilio() {
    let twilio = Twilio::empty().await;
    let id = twilio.put_as(HOUR, "PROCESSING", json!({"total": 5, "queued": 5}));
    let exporter = Exporter::watching(&twilio).await;
    assert_eq!(
        exporter
            .scrape()
            .await
            .value("twilio_email_operation_emails", &[("status", "queued")]),
        Some(5.0)
    );
    twilio.set(
        id,
        twilio.handle.now() - HOUR,
        "COMPLETED",
        json!({"total": 5, "delivered": 5}),
    );
    let seen = exporter.scrape().await;
    assert_eq!(
        seen.value("twilio_email_operation_emails", &[("status", "queued")]),
        Some(0.0)
    );
    assert_eq!(
        seen.value("twilio_email_operation_emails", &[("status", "delivered")]),
        Some(5.0)
    );
    assert_eq!(
        seen.value("twilio_email_operation_state", &[("state", "completed")]),
        Some(1.0)
    );
}

#[tokio::test]
async fn configured_operations_are_exposed_without_discovery_and_with_their_labels() {
    let twilio = Twilio::empty().await;
    let watched = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    twilio.put(HOUR, json!({"total": 1, "failed": 1}));
    let more = format!(
        "discovery: false\noperations:\n- id: {watched}\n  labels: {{name: 'Spring \"sale\"', campaign: spring}}"
    );
    let exporter = Exporter::start(&one_account(&twilio, &more)).await;
    let seen = exporter.scrape().await;
    assert_eq!(seen.samples("twilio_email_operation_up").len(), 1);
    assert_eq!(
        seen.value(
            "twilio_email_operation_info",
            &[("name", "Spring \"sale\""), ("campaign", "spring")]
        ),
        Some(1.0)
    );
    assert!(seen.family("twilio_email_discovery_up").is_none());
    assert_eq!(twilio.handle.counts().operations, 0);
}

#[tokio::test]
async fn configured_operations_that_the_list_does_not_cover_are_read_one_by_one() {
    let twilio = Twilio::empty().await;
    let watched = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    twilio.fault("list=empty");
    let exporter = Exporter::start(&one_account(
        &twilio,
        &format!("operations:\n- id: {watched}"),
    ))
    .await
    .settled()
    .await;
    let seen = exporter.scrape().await;
    assert_eq!(
        seen.value("twilio_email_operation_emails", &[("status", "opened")]),
        Some(1.0)
    );
    assert_eq!(
        seen.value("twilio_email_collection_complete", &[]),
        Some(1.0)
    );
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_its_end() {
    let twilio = Twilio::empty().await;
    for age in 1..=2500 {
        twilio.put(
            Duration::from_mins(age),
            json!({"total": 1, "delivered": 1}),
        );
    }
    let exporter = Exporter::watching(&twilio).await;
    let seen = exporter.scrape().await;
    assert_eq!(
        seen.value("twilio_email_emails", &[("status", "delivered")]),
        Some(2500.0)
    );
    assert_eq!(
        seen.value("twilio_email_operations_without_series", &[]),
        Some(1500.0)
    );
    assert_eq!(seen.samples("twilio_email_operation_up").len(), 1000);
}

#[tokio::test]
async fn the_series_limit_keeps_configured_and_newest_operations() {
    let twilio = Twilio::empty().await;
    let old = twilio.put(100 * HOUR, json!({"total": 1}));
    let ids: Vec<_> = (1..=5)
        .map(|age| twilio.put(age * HOUR, json!({"total": 1})))
        .collect();
    let yaml = one_account(&twilio, &format!("operations:\n- id: {old}"))
        + "series: {max_operations: 3}\n";
    let exporter = Exporter::start(&yaml).await;
    let seen = exporter.scrape().await;
    let shown: Vec<_> = seen
        .samples("twilio_email_operation_up")
        .iter()
        .map(|sample| sample.labels["operation_id"].clone())
        .collect();
    assert_eq!(shown, [old, ids[0], ids[1]].map(|id| id.to_string()));
    assert_eq!(
        seen.value("twilio_email_operations_without_series", &[]),
        Some(3.0)
    );
    assert_eq!(
        seen.value("twilio_email_operations", &[("state", "completed")]),
        Some(6.0)
    );
}

#[tokio::test]
async fn requests_have_credentials_and_a_user_agent() {
    let twilio = Twilio::empty().await;
    twilio
        .handle
        .set_logins(vec![twilio_email_exporter::simulator::BasicLogin::new(
            SID, TOKEN,
        )]);
    let exporter = Exporter::watching(&twilio).await;
    assert_eq!(
        exporter.scrape().await.value("twilio_email_up", &[]),
        Some(1.0)
    );
    let requests = twilio.handle.requests();
    assert!(
        requests[0]
            .user_agent
            .as_deref()
            .unwrap_or_default()
            .starts_with("twilio-email-exporter/")
    );
    assert_eq!(requests[0].accept.as_deref(), Some("application/json"));
}

#[tokio::test]
async fn the_counting_mode_is_detected_from_the_stats() {
    for (stats, cumulative) in [
        (json!({"total": 2, "sent": 0, "delivered": 2}), 0.0),
        (
            json!({"total": 5, "sent": 5, "delivered": 5, "opened": 3}),
            1.0,
        ),
    ] {
        let twilio = Twilio::empty().await;
        twilio.put(HOUR, stats);
        let exporter = Exporter::watching(&twilio).await;
        let seen = exporter.scrape().await;
        assert_eq!(
            seen.value("twilio_email_stats_reading", &[("reading", "cumulative")]),
            Some(cumulative)
        );
        assert_eq!(
            seen.value("twilio_email_stats_reading", &[("reading", "exclusive")]),
            Some(1.0 - cumulative)
        );
    }
}

#[tokio::test]
async fn concurrent_scrapes_share_one_collection() {
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 1}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    twilio.handle.reset_requests();
    twilio.fault("list=slow:300ms");
    let scrapes = (0..8).map(|_| exporter.scrape());
    for seen in futures_util::future::join_all(scrapes).await {
        assert_eq!(
            seen.value("twilio_email_collection_complete", &[]),
            Some(1.0)
        );
    }
    assert_eq!(twilio.handle.counts().operations, 1);
}
