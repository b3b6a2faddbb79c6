//! Failures of Twilio: every scrape has status 200 in time, the last values stay, requests back off, and the exporter recovers.

mod lists;
mod paging;
mod parts;
mod rate_limits;

use std::time::{Duration, Instant};

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::eventually;
use crate::support::exporter::{Exporter, account_at, one_account, operations};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, Scene, morning, pass};
use crate::support::stub_server::{StubResponse, StubServer};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
/// Longer than any pause and than any wait after a rejection.
const ANY_WAIT: Duration = Duration::from_mins(70);

fn failed(seen: &Exposition, endpoint: &str, reason: &str) -> f64 {
    let key = (endpoint.to_owned(), reason.to_owned());
    seen.failures().get(&key).copied().unwrap_or(0.0)
}

/// Panics unless only this reason was counted, at these endpoints.
#[track_caller]
fn assert_only(seen: &Exposition, reason: &str, endpoints: &[&str]) {
    let failures = seen.failures();
    let found: Vec<_> = failures
        .keys()
        .map(|(endpoint, reason)| (endpoint.as_str(), reason.as_str()))
        .collect();
    let wanted: Vec<_> = endpoints
        .iter()
        .map(|endpoint| (*endpoint, reason))
        .collect();
    assert_eq!(found, wanted, "counted failures: found, wanted");
}

/// A short request timeout for the cases that reach it. Others have a long one, because a busy machine would reach a short one.
fn time_limit(reason: &str) -> &'static str {
    if reason == "timeout" {
        "request_timeout: 400ms"
    } else {
        ""
    }
}

/// The status of an account while every request has a fault.
struct Case {
    fault: &'static str,
    reason: &'static str,
    endpoints: &'static [&'static str],
    up: f64,
    complete: f64,
    /// When the fault ends.
    heals: Duration,
}

const BOTH: &[&str] = &["operation", "operations"];
const LIST: &[&str] = &["operations"];

/// Every response has a fault, and the exporter still requests operations.
const fn case(fault: &'static str, reason: &'static str) -> Case {
    Case {
        fault,
        reason,
        endpoints: BOTH,
        up: 0.0,
        complete: 0.0,
        heals: INTERVAL,
    }
}

const CASES: &[Case] = &[
    Case {
        endpoints: LIST,
        heals: ANY_WAIT,
        ..case("401", "unauthorized")
    },
    Case {
        heals: ANY_WAIT,
        ..case("403", "forbidden")
    },
    // Nothing can be read, as with a wrong base URL.
    Case {
        heals: ANY_WAIT,
        ..case("400", "bad_request")
    },
    Case {
        heals: ANY_WAIT,
        ..case("404", "not_found")
    },
    Case {
        heals: ANY_WAIT,
        ..case("410", "not_found")
    },
    // Undocumented statuses come from a proxy or a gateway.
    case("402", "bad_request"),
    case("407", "bad_request"),
    case("451", "bad_request"),
    Case {
        endpoints: LIST,
        heals: ANY_WAIT,
        ..case("429", "rate_limited")
    },
    Case {
        endpoints: LIST,
        heals: ANY_WAIT,
        ..case("503", "unavailable")
    },
    Case {
        endpoints: LIST,
        heals: ANY_WAIT,
        ..case("html:502", "unavailable")
    },
    case("500", "server_error"),
    case("501", "server_error"),
    case("hang", "timeout"),
    case("slow:3s", "timeout"),
    case("no-body", "timeout"),
    case("cut", "invalid_response"),
    case("early-hints", "invalid_response"),
    case("html", "invalid_response"),
    case("wrong-json", "invalid_response"),
    case("oversized", "too_large"),
    case("gzip-bomb", "too_large"),
    case("gzip-cut", "invalid_response"),
    case("encoding:gzip", "invalid_response"),
    case("encoding:br", "invalid_response"),
];

#[tokio::test]
async fn every_fault_is_a_value_of_a_metric_and_the_exporter_recovers() {
    for case in CASES {
        whatever_is_wrong(case).await;
    }
}

async fn whatever_is_wrong(case: &Case) {
    let &Case { fault, reason, .. } = case;
    let scene = Scene::with(time_limit(reason)).await;
    scene.twilio.fault(fault);
    let seen = scene.next().await;
    let values = [
        ("up", case.up),
        ("discovery_up", 0.0),
        ("collection_complete", case.complete),
    ];
    seen.expect(fault, &values);
    scene.assert_kept(&seen, fault);
    assert_only(&seen, reason, case.endpoints);
    for endpoint in case.endpoints {
        let count = failed(&seen, endpoint, reason);
        assert!(count >= 1.0, "{fault}: {count} failures of {endpoint}");
    }
    scene.twilio.handle.clear_faults();
    let healed = scene.after(case.heals).await;
    scene.assert_healthy(&healed, &format!("after {fault}"));
}

#[tokio::test]
async fn the_exporter_recovers_when_twilio_is_reachable_again() {
    let mut scene = Scene::with("request_timeout: 2s").await;
    scene.twilio.vanish().await;
    for _ in 0..3 {
        let seen = scene.next().await;
        let down = [
            ("up", 0.0),
            ("discovery_up", 0.0),
            ("collection_complete", 0.0),
        ];
        seen.expect("while nobody listens", &down);
        scene.assert_kept(&seen, "while nobody listens");
        assert_only(&seen, "connect", LIST);
    }
    scene.twilio.come_back().await;
    let healed = scene.next().await;
    scene.assert_healthy(&healed, "after Twilio came back");
}

#[tokio::test]
async fn an_exporter_that_starts_without_twilio_responds_and_recovers_later() {
    let clock = morning();
    let mut twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    twilio.vanish().await;
    let yaml = one_account(&twilio, &format!("operations:\n- id: {id}"));
    let exporter = Exporter::start_at(&yaml, clock.clone())
        .await
        .settled()
        .await;
    pass(&clock, INTERVAL);
    let seen = exporter.scrape().await;
    seen.expect(
        "without Twilio",
        &[("up", 0.0), ("collection_complete", 0.0)],
    );
    assert_eq!(seen.of_operation(id, "up"), Some(0.0));
    assert_eq!(seen.emails(id, "opened"), None, "nothing is invented");
    let success = "collection_last_success_timestamp_seconds";
    assert_eq!(seen.of_account(success), None);
    twilio.come_back().await;
    pass(&clock, INTERVAL);
    let seen = exporter.scrape().await;
    seen.expect("with Twilio", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(seen.emails(id, "opened"), Some(1.0));
    assert_eq!(seen.of_account(success), Some(clock.now().as_seconds()));
}

#[tokio::test]
async fn https_to_a_server_without_tls_is_a_tls_failure() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url().replace("http://", "https://");
    let yaml = format!("accounts:\n{}", account_at("default", &base_url, ""));
    let exporter = Exporter::start(&yaml).await.settled().await;
    let seen = exporter.scrape().await;
    seen.expect(
        "without TLS",
        &[
            ("up", 0.0),
            ("discovery_up", 0.0),
            ("collection_complete", 0.0),
        ],
    );
    assert_only(&seen, "tls", LIST);
    let refused = Some(failed(&seen, "operations", "tls"));
    assert_eq!(seen.requests("operations", "none"), refused);
}

#[tokio::test]
async fn a_response_after_the_deadline_is_in_the_next_scrape() {
    let twilio = Twilio::empty().await;
    let quick = twilio.put(HOUR, json!({"total": 1, "queued": 1}));
    let late = twilio.put(2 * HOUR, json!({"total": 1, "queued": 1}));
    // Configured operations are read in the order of their ids, the first one alone.
    let mut ids = [quick, late];
    ids.sort();
    let [late, quick] = ids;
    let more = format!("discovery: false\noperations:\n- id: {quick}\n- id: {late}");
    let exporter = Exporter::start(&one_account(&twilio, &more))
        .await
        .settled()
        .await;
    exporter.scrape().await; // The next one must not join the start's collection.
    for id in ids {
        twilio.set(
            id,
            id.created(),
            "COMPLETED",
            json!({"total": 1, "opened": 1}),
        );
    }
    let slow = ids[1];
    twilio.fault(&format!("operation:id={slow}=slow:1500ms:times=1"));
    let started = Instant::now();
    let seen = exporter.scrape_within(1.0).await;
    let took = started.elapsed();
    assert!(
        took < Duration::from_secs(1),
        "answered after {took:?}, wanted within 1 s"
    );
    seen.expect(
        "at the deadline",
        &[("up", 1.0), ("collection_complete", 0.0)],
    );
    let opened = (seen.emails(ids[0], "opened"), seen.emails(slow, "opened"));
    assert_eq!(
        opened,
        (Some(1.0), Some(0.0)),
        "what was quick and what was slow"
    );
    assert_eq!(
        seen.of_operation(slow, "up"),
        Some(1.0),
        "late is not failed"
    );
    let seen = exporter.scrape().await;
    seen.expect("afterwards", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(seen.emails(slow, "opened"), Some(1.0));
    // The start, the collection that two scrapes shared, and at most one more.
    let requested = twilio.handle.counts().operation;
    assert!(
        (4..=6).contains(&requested),
        "{requested} reads of 2 operations"
    );
}

#[tokio::test]
async fn a_failed_operation_does_not_affect_others() {
    for (fault, reason, complete) in [
        ("500", "server_error", 0.0),
        ("hang", "timeout", 0.0),
        ("cut", "invalid_response", 0.0),
        ("wrong-json", "invalid_response", 0.0),
        ("oversized", "too_large", 0.0),
        // A 404 is a response.
        ("404", "not_found", 1.0),
    ] {
        let scene = several(4, &format!("discovery: false\n{}", time_limit(reason))).await;
        let bad = scene.ids[2];
        scene.twilio.fault(&format!("operation:id={bad}={fault}"));
        let seen = scene.next().await;
        seen.expect(fault, &[("up", 1.0), ("collection_complete", complete)]);
        for id in &scene.ids {
            let up = f64::from(u8::from(*id != bad));
            assert_eq!(seen.of_operation(*id, "up"), Some(up), "{fault} {id}");
            assert_eq!(seen.emails(*id, "opened"), Some(1.0), "{fault} {id}");
        }
        assert_only(&seen, reason, &["operation"]);
        scene.twilio.handle.clear_faults();
        let seen = scene.next().await;
        seen.expect("afterwards", &[("collection_complete", 1.0)]);
        assert_eq!(seen.of_operation(bad, "up"), Some(1.0), "after {fault}");
    }
}

#[tokio::test]
async fn an_operation_that_twilio_no_longer_returns_keeps_its_values_until_it_expires() {
    let scene = Scene::new().await;
    scene.twilio.handle.remove(&scene.listed.to_string());
    let seen = scene.next().await;
    assert_eq!(seen.of_operation(scene.listed, "up"), Some(0.0));
    assert_eq!(seen.emails(scene.listed, "delivered"), Some(7.0));
    assert_only(&seen, "not_found", &["operation"]);
    let seen = scene.after(7 * 24 * HOUR).await;
    assert_eq!(seen.samples("twilio_email_operation_up").len(), 0);
    let operations = seen.value("twilio_email_operations", &[("state", "completed")]);
    assert_eq!(operations, Some(0.0));
}

#[tokio::test]
async fn a_twilio_that_hangs_does_not_hang_the_exporter() {
    let twilio = Twilio::empty().await;
    twilio.fault("hang");
    let yaml = one_account(&twilio, "request_timeout: 30s");
    let exporter = Exporter::start(&yaml).await;
    eventually("the first request", || async {
        twilio.handle.counts().total == 1
    })
    .await;
    for path in ["/", "/-/healthy"] {
        assert_eq!(exporter.get(path).await.status(), 200, "{path}");
    }
    let started = Instant::now();
    let seen = exporter.scrape_within(1.0).await;
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    seen.expect("hanging", &[("up", 0.0), ("collection_complete", 0.0)]);
    assert_eq!(
        twilio.handle.counts().total,
        1,
        "one collection, however many scrapes"
    );
}

/// An account with `number` configured operations, each with one opened email, and an exporter that has read them.
struct Several {
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
    /// In the order of reading.
    ids: Vec<OperationId>,
}

async fn several(number: u64, more: &str) -> Several {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let put = |age| twilio.put(Duration::from_mins(age), json!({"total": 1, "opened": 1}));
    let mut ids: Vec<_> = (1..=number).map(put).collect();
    ids.sort();
    let yaml = one_account(&twilio, &format!("{more}\n{}", operations(&ids)));
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    Several {
        exporter: exporter.settled().await,
        clock,
        twilio,
        ids,
    }
}

impl Several {
    async fn next(&self) -> Exposition {
        self.after(INTERVAL).await
    }

    async fn after(&self, span: Duration) -> Exposition {
        pass(&self.clock, span);
        self.exporter.scrape().await
    }
}
