//! Implausible responses: the last values stay, the failure is exposed, and no counter includes them.

use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, Scene, morning, pass};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
const OUTCOMES: &str = "twilio_email_email_outcomes_total";
const UNEXPECTED: &str = "twilio_email_api_unexpected_values_total";

/// The number of requests that failed with `invalid_response`; the series exists from the start.
fn invalid(seen: &Exposition, endpoint: &str) -> Option<f64> {
    let labels = [("endpoint", endpoint), ("reason", "invalid_response")];
    seen.value("twilio_email_api_request_failures_total", &labels)
}

fn failed(seen: &Exposition) -> Option<f64> {
    seen.value(OUTCOMES, &[("outcome", "failed")])
}

/// The operation, an hour old, as a row of a list or as the response to a single read.
fn row(id: OperationId, status: &Value, stats: &Value) -> Value {
    json!({"id": id.to_string(), "status": status, "stats": stats, "createdAt": id.created().to_string()})
}

/// Values that `stats` and `status` cannot have.
fn impossible() -> Vec<(Value, Value)> {
    let good = json!({"total": 9, "delivered": 5, "failed": 4});
    let stats = [
        json!({"total": 9, "delivered": 5, "failed": 1e19}),
        json!({"total": 9, "delivered": 5, "failed": 4_294_967_295_u64}),
        json!({"total": 9, "delivered": 5, "failed": -1}),
        json!({"total": 9, "delivered": 5, "failed": 2.5}),
        json!({"total": 9, "delivered": 5, "failed": {"count": 4}}),
        json!({"total": 9, "delivered": 5, "failed": [4]}),
        json!({"total": 9, "delivered": 5, "failed": true}),
        json!({"total": 9, "delivered": 5, "failed": "0x5"}),
        json!({"total": 9, "delivered": 5, "failed": 10}),
        json!({"total": 9, "failed": 5, "undelivered": 5}),
        json!({"total": 1e12, "failed": 4}),
        json!({"total": null, "delivered": null, "failed": null}),
        json!(null),
        json!([]),
        json!("{}"),
        json!({}),
    ];
    let states = [json!(null), json!(7), json!({})];
    let stats = stats.into_iter().map(|stats| (json!("COMPLETED"), stats));
    let states = states.into_iter().map(|state| (state, good.clone()));
    stats.chain(states).collect()
}

#[tokio::test]
async fn an_implausible_row_changes_neither_its_operation_nor_others() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
    let exporter = exporter.settled().await;
    let id = twilio.put(Duration::ZERO, json!({}));
    let other = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 6}));
    let good = json!({"total": 9, "delivered": 5, "failed": 2});
    twilio.handle.put(row(id, &json!("PROCESSING"), &good));
    pass(&clock, INTERVAL);
    for (n, (status, stats)) in (1_u32..).zip(impossible()) {
        let wrong = row(id, &status, &stats);
        let before = exporter.scrape().await;
        twilio.handle.put(wrong.clone());
        twilio.set(
            other,
            other.created(),
            "COMPLETED",
            json!({"total": 7 + n, "delivered": 6}),
        );
        twilio.handle.reset_requests();
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        assert_eq!(seen.of_operation(id, "up"), Some(0.0), "{wrong}");
        assert_eq!(seen.emails(id, "failed"), Some(2.0), "{wrong}");
        assert_eq!(seen.of_operation(id, "size"), Some(9.0), "{wrong}");
        let state = [("operation_id", &*id.to_string()), ("state", "processing")];
        assert_eq!(
            seen.value("twilio_email_operation_state", &state),
            Some(1.0),
            "{wrong}"
        );
        assert_eq!(failed(&seen), Some(2.0), "{wrong}");
        assert_eq!(seen.of_operation(other, "up"), Some(1.0), "{wrong}");
        assert_eq!(
            seen.of_operation(other, "size"),
            Some(f64::from(7 + n)),
            "{wrong}"
        );
        assert_eq!(
            invalid(&seen, "operations"),
            invalid(&before, "operations").map(|before| before + 1.0),
            "{wrong}"
        );
        seen.expect(
            &wrong.to_string(),
            &[
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", 0.0),
            ],
        );
        assert_eq!(
            twilio.handle.requests().len(),
            1,
            "no single read follows: {wrong}"
        );
        twilio.handle.put(row(id, &json!("PROCESSING"), &good));
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        assert_eq!(seen.of_operation(id, "up"), Some(1.0), "after {wrong}");
        seen.expect("right again", &[("collection_complete", 1.0)]);
    }
    let later = json!({"total": 9, "delivered": 5, "failed": 4});
    twilio.handle.put(row(id, &json!("COMPLETED"), &later));
    pass(&clock, INTERVAL);
    assert_eq!(
        failed(&exporter.scrape().await),
        Some(4.0),
        "later losses count"
    );
}

#[tokio::test]
async fn an_implausible_response_to_a_single_read_is_a_failed_read() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let id = twilio.put(HOUR, json!({"total": 9, "delivered": 5, "failed": 2}));
    let more = format!("discovery: false\noperations: [{{id: {id}}}]");
    let exporter = Exporter::start_at(&one_account(&twilio, &more), clock.clone()).await;
    exporter.scrape().await;
    let mut failures = 0.0;
    for (status, stats) in impossible() {
        let wrong = row(id, &status, &stats);
        twilio.handle.put(wrong.clone());
        pass(&clock, HOUR);
        let seen = exporter.scrape().await;
        failures += 1.0;
        assert_eq!(seen.of_operation(id, "up"), Some(0.0), "{wrong}");
        assert_eq!(seen.emails(id, "failed"), Some(2.0), "{wrong}");
        assert_eq!(invalid(&seen, "operation"), Some(failures), "{wrong}");
        // Twilio was reached and knew the account.
        seen.expect(
            &wrong.to_string(),
            &[("up", 1.0), ("collection_complete", 0.0)],
        );
    }
    let probed = exporter.get(&format!("/probe?target={id}")).await;
    let probed = Exposition::parse(&probed.text().await.unwrap()).unwrap();
    assert_eq!(probed.value("probe_success", &[]), Some(0.0));
    assert_eq!(probed.emails(id, "failed"), Some(2.0));
}

#[tokio::test]
async fn an_operation_that_was_always_implausible_counts_completely_once_it_is_plausible() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let exporter = Exporter::start_at(
        &(one_account(&twilio, "") + "series: {max_operations: 2000}\n"),
        clock.clone(),
    )
    .await;
    exporter.scrape().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 9, "failed": 1e19}));
    pass(&clock, INTERVAL);
    let seen = exporter.scrape().await;
    assert_eq!(seen.of_operation(id, "up"), Some(0.0));
    assert_eq!(seen.of_operation(id, "size"), None, "nothing is invented");
    seen.expect(
        "never believed",
        &[
            ("up", 1.0),
            ("collection_complete", 0.0),
            ("operations_without_series", 0.0),
        ],
    );
    // A single read polls it when the list no longer reaches that far back.
    for _ in 0..1100 {
        twilio.put(Duration::ZERO, json!({"total": 1}));
    }
    pass(&clock, HOUR);
    exporter.scrape().await;
    twilio.set(
        id,
        id.created(),
        "COMPLETED",
        json!({"total": 9, "failed": 3}),
    );
    pass(&clock, HOUR);
    let seen = exporter.scrape().await;
    assert_eq!(seen.of_operation(id, "up"), Some(1.0));
    assert_eq!(failed(&seen), Some(3.0));
    seen.expect("believed", &[("collection_complete", 1.0)]);
}

#[tokio::test]
async fn a_send_beyond_the_documented_limit_is_plausible_and_twilios_inconsistent_samples_are_exposed()
 {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let large = json!({"total": 2_000_000, "recipients": 2_000_000, "attempts": 9_000_000, "delivered": 1_999_999});
    let large = twilio.put(HOUR, large);
    let odd = json!({"total": 10, "sent": 5, "delivered": 5, "undelivered": 2});
    let odd = twilio.put(HOUR, odd);
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock).await;
    let seen = exporter.scrape().await;
    for (id, status, emails) in [(large, "delivered", 1_999_999.0), (odd, "undelivered", 2.0)] {
        assert_eq!(seen.of_operation(id, "up"), Some(1.0));
        assert_eq!(seen.emails(id, status), Some(emails));
    }
    seen.expect("possible", &[("collection_complete", 1.0)]);
}

#[tokio::test]
async fn one_inconsistent_row_proves_no_counting_mode_and_two_small_funnels_do() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
    let exporter = exporter.settled().await;
    let next = async || {
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        let reading = [("reading", "cumulative")];
        let delivered = seen.value(OUTCOMES, &[("outcome", "delivered")]);
        (
            seen.value("twilio_email_stats_reading", &reading),
            delivered,
        )
    };
    // 3 + 2 + 2 of 4, but more than were sent.
    twilio.put(
        Duration::ZERO,
        json!({"total": 4, "sent": 3, "delivered": 2, "undelivered": 2}),
    );
    assert_eq!(next().await, (Some(0.0), Some(2.0)));
    // This proves nothing either, and no more emails are delivered than exist.
    twilio.put(
        Duration::ZERO,
        json!({"total": 3, "delivered": 3, "opened": 3}),
    );
    assert_eq!(next().await, (Some(0.0), Some(5.0)));
    // A funnel of one email is plausible in both modes and proves nothing yet.
    twilio.put(
        Duration::ZERO,
        json!({"total": 1, "sent": 1, "delivered": 1, "opened": 1}),
    );
    assert_eq!(next().await, (Some(0.0), Some(6.0)));
    assert_eq!(next().await, (Some(0.0), Some(6.0)), "the same one again");
    twilio.put(
        Duration::ZERO,
        json!({"total": 1, "sent": 1, "delivered": 1}),
    );
    assert_eq!(next().await, (Some(1.0), Some(7.0)));
}

#[tokio::test]
async fn an_unusable_state_keeps_the_last_values_and_sets_the_operation_down() {
    let scene = Scene::new().await;
    for (odd, status) in (1_u32..).zip(["Jane Doe", "", "jane@example.com"]) {
        let stats = json!({"total": 7, "delivered": 7 - odd});
        scene
            .twilio
            .set(scene.listed, scene.listed.created(), status, stats);
        let seen = scene.after(HOUR).await;
        let id = scene.listed.to_string();
        let state = [("operation_id", &*id), ("state", "completed")];
        assert_eq!(
            seen.value("twilio_email_operation_state", &state),
            Some(1.0),
            "{status}"
        );
        assert_eq!(seen.of_operation(scene.listed, "up"), Some(0.0), "{status}");
        seen.expect(status, &[("up", 1.0), ("collection_complete", 0.0)]);
        let invalid = ("operations".to_owned(), "invalid_response".to_owned());
        assert!(seen.failures()[&invalid] >= f64::from(odd), "{status}");
        assert_eq!(
            seen.emails(scene.listed, "delivered"),
            Some(7.0),
            "{status}"
        );
        assert!(
            seen.value(UNEXPECTED, &[("field", "status")]) >= Some(f64::from(odd)),
            "{status}"
        );
        let unreadable = [("state", "unreadable")];
        assert_eq!(
            seen.value("twilio_email_operations", &unreadable),
            None,
            "{status}"
        );
    }
    let stats = json!({"total": 7, "delivered": 7, "opened": 0});
    let created = scene.listed.created();
    scene.twilio.set(scene.listed, created, "COMPLETED", stats);
    let seen = scene.after(HOUR).await;
    assert_eq!(
        seen.of_operation(scene.listed, "up"),
        Some(1.0),
        "a word again"
    );
}

#[tokio::test]
async fn a_single_read_or_a_probe_with_an_unusable_state_fails() {
    let scene = Scene::new().await;
    let (twilio, id) = (&scene.twilio, scene.configured);
    twilio.fault("list=403");
    let stats = json!({"total": 3, "opened": 2, "delivered": 1});
    twilio.set(id, id.created(), "Jane Doe", stats);
    let seen = scene.after(HOUR).await;
    seen.expect(
        "a single read",
        &[("up", 1.0), ("collection_complete", 0.0)],
    );
    assert_eq!(seen.of_operation(id, "up"), Some(0.0));
    assert_eq!(seen.emails(id, "opened"), Some(3.0), "as it was");
    let before = invalid(&seen, "operation").unwrap();
    assert!(before >= 1.0);
    let url = scene
        .exporter
        .url(&format!("/probe?target={id}&debug=true"));
    let response = scene.exporter.client.get(url).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(text.contains("\nprobe_success 0"), "{text}");
    assert!(text.contains("# reason: invalid_response"), "{text}");
    assert!(!text.contains("Jane"), "{text}");
    let seen = scene.exporter.scrape().await;
    assert!(invalid(&seen, "operation") > Some(before));
}
