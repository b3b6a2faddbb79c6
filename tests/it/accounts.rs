//! Several accounts: none waits for another, and their operations are kept apart.

use std::time::{Duration, Instant};

use serde_json::json;
use twilio_email_exporter::operation::PREFIX;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::eventually;
use crate::support::exporter::{Exporter, account, one_account, operations};
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_healthy_account_does_not_wait_for_others() {
    let [fine, hanging, refused] = [
        Twilio::empty().await,
        Twilio::empty().await,
        Twilio::empty().await,
    ];
    fine.put(HOUR, json!({"total": 4, "delivered": 4}));
    hanging.fault("hang");
    refused.fault("401");
    let yaml = format!(
        "accounts:\n{}{}{}",
        account("hanging", &hanging, ""),
        account("refused", &refused, ""),
        account("fine", &fine, "")
    );
    let exporter = Exporter::start(&yaml).await;
    let started = Instant::now();
    let seen = exporter.scrape_within(1.5).await;
    let took = started.elapsed();
    assert!(
        took < Duration::from_millis(1500),
        "answered after {took:?}"
    );
    for (account, up, complete) in [
        ("fine", 1.0, 1.0),
        ("hanging", 0.0, 0.0),
        ("refused", 0.0, 0.0),
    ] {
        assert_eq!(seen.of(account, "up"), Some(up), "up of {account}");
        assert_eq!(
            seen.of(account, "collection_complete"),
            Some(complete),
            "complete {account}"
        );
    }
    let duration = seen.of("fine", "collection_duration_seconds").unwrap();
    assert!(duration < 1.0, "its collection took {duration} s");
    let delivered = [("account", "fine"), ("status", "delivered")];
    assert_eq!(seen.value("twilio_email_emails", &delivered), Some(4.0));
    let failed = |account, reason| {
        let labels = [
            ("account", account),
            ("endpoint", "operations"),
            ("reason", reason),
        ];
        seen.value("twilio_email_api_request_failures_total", &labels)
    };
    assert_eq!(failed("refused", "unauthorized"), Some(1.0));
    assert_eq!(failed("fine", "unauthorized"), Some(0.0));
}

#[tokio::test]
async fn a_pause_applies_only_to_the_rate_limited_account() {
    let [one, other] = [Twilio::empty().await, Twilio::empty().await];
    let yaml = format!(
        "accounts:\n{}{}",
        account("one", &one, ""),
        account("other", &other, "")
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    one.fault("429:retry-after=60");
    exporter.scrape().await;
    let seen = exporter.scrape().await;
    let paused = |account| {
        seen.of(account, "api_paused_until_timestamp_seconds")
            .unwrap()
            > 0.0
    };
    assert_eq!((paused("one"), paused("other")), (true, false));
    assert_eq!(
        (seen.of("one", "up"), seen.of("other", "up")),
        (Some(0.0), Some(1.0))
    );
    assert_eq!(
        (one.handle.counts().total, other.handle.counts().total),
        (2, 3)
    );
}

#[tokio::test]
async fn an_account_without_responses_does_not_delay_scrapes() {
    let [silent, fine] = [Twilio::empty().await, Twilio::empty().await];
    let yaml = format!(
        "accounts:\n{}{}",
        account("silent", &silent, "request_timeout: 2s"),
        account("fine", &fine, "")
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    silent.fault("hang");
    for _ in 0..3 {
        exporter.scrape().await;
    }
    let started = Instant::now();
    let seen = exporter.scrape().await;
    let waited = started.elapsed();
    assert!(waited < Duration::from_millis(1900), "{waited:?}");
    assert_eq!(seen.of("silent", "up"), Some(0.0));
    assert_eq!(seen.of("silent", "collection_complete"), Some(0.0));
    assert_eq!(seen.of("fine", "up"), Some(1.0));
    silent.handle.clear_faults();
    eventually("the silent account responds again", || async {
        exporter.scrape().await.of("silent", "up") == Some(1.0)
    })
    .await;
}

#[tokio::test]
async fn the_same_id_in_two_accounts_is_two_operations() {
    let [one, other] = [Twilio::empty().await, Twilio::empty().await];
    let id = one.put(HOUR, json!({"total": 3, "opened": 3}));
    other.set(
        id,
        id.created(),
        "PROCESSING",
        json!({"total": 5, "failed": 5}),
    );
    let label = |campaign| format!("operations:\n- id: {id}\n  labels: {{campaign: {campaign}}}");
    let yaml = format!(
        "accounts:\n{}{}",
        account("one", &one, &label("spring")),
        account("other", &other, &label("autumn"))
    );
    let exporter = Exporter::start(&yaml).await;
    let seen = exporter.scrape().await;
    for (account, campaign, status, emails) in [
        ("one", "spring", "opened", 3.0),
        ("other", "autumn", "failed", 5.0),
    ] {
        assert_eq!(
            seen.of(account, "operation_size"),
            Some(emails),
            "{account}"
        );
        let labels = [("account", account), ("status", status)];
        let found = seen.value("twilio_email_operation_emails", &labels);
        assert_eq!(found, Some(emails), "{account}");
        let labels = [("account", account), ("campaign", campaign)];
        assert_eq!(
            seen.value("twilio_email_operation_info", &labels),
            Some(1.0),
            "{account}"
        );
    }
    let ids: Vec<_> = seen
        .samples("twilio_email_operation_up")
        .iter()
        .map(|sample| sample.labels["operation_id"].clone())
        .collect();
    assert_eq!(ids, [id.to_string(), id.to_string()]);
    assert!(ids[0].starts_with(PREFIX));
}

#[tokio::test]
async fn each_account_has_its_own_limits() {
    let [one, other] = [Twilio::empty().await, Twilio::empty().await];
    let watched = |twilio: &Twilio| {
        let ids: Vec<_> = (1..=8)
            .map(|age| twilio.put(age * HOUR, json!({"total": 1})))
            .collect();
        format!(
            "discovery: false\nmax_concurrent_requests: 2\n{}",
            operations(&ids)
        )
    };
    let yaml = format!(
        "accounts:\n{}{}",
        account("one", &one, &watched(&one)),
        account("other", &other, &watched(&other))
    );
    for twilio in [&one, &other] {
        twilio.fault("operation=slow:20ms");
    }
    let exporter = Exporter::start(&yaml).await;
    exporter.scrape().await;
    for twilio in [&one, &other] {
        assert_eq!(twilio.handle.counts().most_concurrent, 2);
    }
}

#[tokio::test]
async fn a_403_for_one_operation_is_not_a_failure_of_the_account() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let ids: Vec<_> = (1..=4)
        .map(|age| {
            twilio.put(
                Duration::from_hours(age),
                json!({"total": 1, "delivered": 1}),
            )
        })
        .collect();
    for id in &ids {
        twilio.handle.clear_faults();
        twilio.fault(&format!("operation:id={id}=403"));
        let yaml = one_account(&twilio, &format!("discovery: false\n{}", operations(&ids)));
        let exporter = Exporter::start_at(&yaml, clock.clone())
            .await
            .settled()
            .await;
        pass(&clock, INTERVAL);
        exporter.scrape().await;
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        assert_eq!(
            seen.value("twilio_email_up", &[]),
            Some(1.0),
            "{id} is forbidden"
        );
        for each in &ids {
            let wanted = f64::from(u8::from(each != id));
            assert_eq!(
                seen.of_operation(*each, "up"),
                Some(wanted),
                "{each} while {id} is forbidden"
            );
        }
    }
}
