//! What goes wrong at Twilio: always a 200 in time, the last figures kept and said to be old, nothing hammered, and all of it over by itself.

use std::time::{Duration, Instant};

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::Settings;

use crate::support::answers::{Answer, Answers};
use crate::support::eventually;
use crate::support::exporter::{Exporter, account_at, one_account, operations};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, Scene, morning, pass};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
/// Longer than any pause that is believed and than any wait after a refusal.
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

/// A limit that a test can wait for, where it waits for it; a busy machine reaches it, too.
fn time_limit(reason: &str) -> &'static str {
    if reason == "timeout" {
        "request_timeout: 400ms"
    } else {
        ""
    }
}

/// How an account stands while something is wrong with every request.
struct Case {
    fault: &'static str,
    reason: &'static str,
    endpoints: &'static [&'static str],
    up: f64,
    complete: f64,
    /// When it is over.
    heals: Duration,
}

const BOTH: &[&str] = &["operation", "operations"];
const LIST: &[&str] = &["operations"];

/// Something is wrong with every answer, and operations are asked for all the same.
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
        ..case("401", "unauthorized")
    },
    Case {
        heals: ANY_WAIT,
        ..case("403", "forbidden")
    },
    // Twilio knows us and says that our requests are wrong, or that nothing is there.
    Case {
        up: 1.0,
        heals: ANY_WAIT,
        ..case("400", "bad_request")
    },
    Case {
        up: 1.0,
        complete: 1.0,
        heals: ANY_WAIT,
        ..case("404", "not_found")
    },
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
    case("cut", "invalid_response"),
    case("html", "invalid_response"),
    case("wrong-json", "invalid_response"),
    case("oversized", "too_large"),
];

#[tokio::test]
async fn whatever_is_wrong_with_every_answer_is_a_figure_and_passes() {
    for case in CASES {
        whatever_is_wrong(case).await;
    }
}

async fn whatever_is_wrong(case: &Case) {
    let &Case { fault, reason, .. } = case;
    let scene = Scene::with(time_limit(reason)).await;
    scene.twilio.fault(fault);
    let seen = scene.next().await;
    let figures = [
        ("up", case.up),
        ("discovery_up", 0.0),
        ("collection_complete", case.complete),
    ];
    seen.expect(fault, &figures);
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
async fn twilio_may_be_gone_and_come_back() {
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
async fn an_exporter_that_starts_without_twilio_answers_and_finds_it_later() {
    let clock = morning();
    let mut twilio = Twilio::start(Settings::empty(), clock.clone()).await;
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
async fn https_where_none_is_spoken_is_a_tls_failure() {
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
    let none = [("endpoint", "operations"), ("code", "none")];
    let requests = seen.value("twilio_email_api_requests_total", &none);
    assert_eq!(requests, Some(failed(&seen, "operations", "tls")));
}

#[tokio::test]
async fn wrong_credentials_cost_one_request_a_collection() {
    let scene = Scene::new().await;
    scene.twilio.fault("401");
    for collections in 1..=5 {
        let seen = scene.next().await;
        seen.expect("with 401", &[("up", 0.0)]);
        let asked = scene.twilio.handle.counts().total;
        assert_eq!(
            asked, collections,
            "requests after {collections} collections: found, wanted"
        );
    }
}

#[tokio::test]
async fn wrong_credentials_cost_one_request_a_collection_without_discovery_too() {
    for fault in ["401", "403"] {
        let scene = several(8, "discovery: false").await;
        scene.twilio.handle.reset_requests();
        scene.twilio.fault(fault);
        for collections in 1..=3 {
            let seen = scene.next().await;
            seen.expect(fault, &[("up", 0.0), ("collection_complete", 0.0)]);
            assert_eq!(scene.twilio.handle.counts().total, collections, "{fault}");
            for id in &scene.ids {
                assert_eq!(seen.of_operation(*id, "up"), Some(0.0), "{fault} {id}");
            }
        }
    }
}

/// A pause: what Twilio says, and between how many and how many seconds it lasts at most.
const PAUSES: &[(&str, &str, u64, u64)] = &[
    ("429:retry-after=30", "rate_limited", 30, 33),
    ("429:retry-after-date=40", "rate_limited", 40, 44),
    ("429", "rate_limited", 5, 6),
    ("503:retry-after=30", "unavailable", 30, 33),
    ("503:retry-after-date=40", "unavailable", 40, 44),
    ("503", "unavailable", 5, 6),
    // Nobody is believed who wants silence for a day.
    ("429:retry-after=86400", "rate_limited", 900, 990),
];

#[tokio::test]
async fn a_pause_that_twilio_asks_for_holds_for_the_whole_account_and_ends() {
    for (fault, reason, least, most) in PAUSES {
        let scene = Scene::new().await;
        scene.twilio.fault(&format!("{fault}:times=1"));
        let seen = scene.next().await;
        let refused = scene.clock.now();
        assert_only(&seen, reason, LIST);
        let until = seen
            .of_account("api_paused_until_timestamp_seconds")
            .unwrap();
        let pause = until - refused.as_seconds();
        let wanted = (*least as f64)..=(*most as f64);
        assert!(
            wanted.contains(&pause),
            "{fault}: a pause of {pause} s, wanted {wanted:?}"
        );
        assert_eq!(scene.twilio.handle.counts().total, 1, "{fault}: requests");
        // Just before its end.
        let seen = scene.after(Duration::from_secs(least - 1)).await;
        assert_eq!(scene.twilio.handle.counts().total, 1, "{fault}: requests");
        assert_eq!(
            seen.of_account("api_paused_until_timestamp_seconds"),
            Some(until)
        );
        seen.expect(fault, &[("up", 0.0), ("collection_complete", 0.0)]);
        scene.assert_kept(&seen, fault);
        assert!(
            (failed(&seen, "operations", reason) - 1.0).abs() < 0.1,
            "{fault}"
        );
        let seen = scene.after(Duration::from_secs(most - least + 2)).await;
        scene.assert_healthy(&seen, &format!("after {fault}"));
    }
}

#[tokio::test]
async fn pauses_without_a_word_grow_with_every_refusal_in_a_row() {
    let scene = Scene::new().await;
    scene.twilio.fault("429");
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let seen = scene.next().await;
        let until = seen
            .of_account("api_paused_until_timestamp_seconds")
            .unwrap();
        let pause = until - scene.clock.now().as_seconds();
        pauses.push(pause.trunc());
        pass(&scene.clock, Duration::from_secs_f64(pause));
    }
    for (found, wanted) in pauses
        .iter()
        .zip([5., 10., 20., 40., 80., 160., 320., 640., 900., 900.])
    {
        assert!(
            (wanted..=wanted * 1.1).contains(found),
            "{pauses:?}: {wanted}"
        );
    }
    assert_eq!(scene.twilio.handle.counts().total, 10);
}

#[tokio::test]
async fn a_refusal_among_single_reads_stops_the_others() {
    let scene = several(40, "discovery: false\nmax_concurrent_requests: 2").await;
    let slowest = scene.ids[10];
    scene.twilio.handle.reset_requests();
    scene
        .twilio
        .fault(&format!("operation:id={slowest}=429:retry-after=60"));
    let seen = scene.next().await;
    let asked = scene.twilio.handle.counts().total;
    // The refused one is the eleventh; one more may have been under way beside it.
    assert!((11..=13).contains(&asked), "{asked} requests");
    seen.expect(
        "paused half-way",
        &[("up", 1.0), ("collection_complete", 0.0)],
    );
    let up = scene
        .ids
        .iter()
        .filter(|id| seen.of_operation(**id, "up") == Some(1.0));
    assert!((9..=12).contains(&up.count()));
    scene.twilio.handle.clear_faults();
    let seen = scene.after(Duration::from_secs(67)).await;
    seen.expect(
        "after the pause",
        &[("up", 1.0), ("collection_complete", 1.0)],
    );
    for id in &scene.ids {
        assert_eq!(seen.of_operation(*id, "up"), Some(1.0), "{id}");
    }
}

#[tokio::test]
async fn an_answer_too_late_for_this_scrape_shows_in_the_next() {
    let twilio = Twilio::empty().await;
    let quick = twilio.put(HOUR, json!({"total": 1, "queued": 1}));
    let late = twilio.put(2 * HOUR, json!({"total": 1, "queued": 1}));
    // The configured are read in the order of their ids, the first of them alone.
    let mut ids = [quick, late];
    ids.sort();
    let [late, quick] = ids;
    let more = format!("discovery: false\noperations:\n- id: {quick}\n- id: {late}");
    let exporter = Exporter::start(&one_account(&twilio, &more))
        .await
        .settled()
        .await;
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
    let asked = Instant::now();
    let seen = exporter.scrape_within(1.0).await;
    let took = asked.elapsed();
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
    let asked = twilio.handle.counts().operation;
    assert!((4..=6).contains(&asked), "{asked} reads of 2 operations");
}

#[tokio::test]
async fn a_list_too_slow_for_the_scrape_is_not_asked_for_twice() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    twilio.fault("list=slow:1500ms:times=1");
    let exporter = Exporter::watching(&twilio).await;
    for _ in 0..2 {
        let asked = Instant::now();
        let seen = exporter.scrape_within(0.2).await;
        assert!(asked.elapsed() < Duration::from_millis(800));
        seen.expect("under way", &[("up", 0.0), ("collection_complete", 0.0)]);
        assert_eq!(seen.of_account("discovery_up"), None, "not known yet");
    }
    assert_eq!(twilio.handle.counts().total, 1);
    let seen = exporter.scrape().await;
    seen.expect("afterwards", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(seen.emails(id, "opened"), Some(1.0));
}

#[tokio::test]
async fn one_operation_that_fails_harms_no_other() {
    for (fault, reason, complete) in [
        ("500", "server_error", 0.0),
        ("hang", "timeout", 0.0),
        ("cut", "invalid_response", 0.0),
        ("wrong-json", "invalid_response", 0.0),
        ("oversized", "too_large", 0.0),
        // "Not there" is an answer.
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
async fn an_operation_that_is_not_there_is_asked_for_ever_more_rarely() {
    let scene = several(2, "discovery: false").await;
    scene
        .twilio
        .fault(&format!("operation:id={}=404", scene.ids[0]));
    scene.twilio.handle.reset_requests();
    let collections = 120;
    for _ in 0..collections {
        scene.after(Duration::from_mins(1)).await;
    }
    // The other one is read by every collection.
    let asked = scene.twilio.handle.counts().operation - collections;
    assert!(
        (10..80).contains(&asked),
        "asked {asked} times in two hours"
    );
    scene.twilio.handle.clear_faults();
    let seen = scene.after(Duration::from_mins(15)).await;
    assert_eq!(seen.of_operation(scene.ids[0], "up"), Some(1.0));
}

#[tokio::test]
async fn a_refused_list_leaves_single_reads_and_comes_back_by_itself() {
    let minutes = [0, 1, 3, 7, 15, 31, 63, 123, 183];
    for (fault, reason, times) in [
        ("403", "forbidden", 8),
        ("404", "not_found", 4),
        ("400", "bad_request", 4),
    ] {
        let scene = Scene::new().await;
        scene.twilio.fault(&format!("list={fault}"));
        let now = scene.twilio.handle.now();
        for id in scene.ids() {
            scene.twilio.set(
                id,
                id.created(),
                "COMPLETED",
                json!({"total": 9, "opened": 9}),
            );
        }
        let seen = scene.next().await;
        seen.expect(
            fault,
            &[
                ("up", 1.0),
                ("discovery_up", 0.0),
                ("collection_complete", 1.0),
            ],
        );
        for id in scene.ids() {
            assert_eq!(seen.emails(id, "opened"), Some(9.0), "{id} read alone");
            assert_eq!(seen.of_operation(id, "up"), Some(1.0), "{id}");
        }
        assert_only(&seen, reason, LIST);
        let mut asked = Vec::new();
        let mut before = 1;
        while asked.len() < times {
            let seen = scene.after(Duration::from_mins(1)).await;
            assert_eq!(seen.of_account("discovery_up"), Some(0.0));
            let lists = scene.twilio.handle.counts().operations;
            if lists > before {
                asked.push(scene.clock.now().since(now).as_secs() / 60);
                before = lists;
            }
        }
        assert_eq!(
            asked,
            minutes[1..=times],
            "minutes at which the list was asked for"
        );
        scene.twilio.handle.clear_faults();
        let seen = scene.after(HOUR).await;
        seen.expect(
            "afterwards",
            &[
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", 1.0),
            ],
        );
    }
}

#[tokio::test]
async fn a_list_refused_from_the_start_leaves_the_configured_operations() {
    for fault in ["list=403", "list=404"] {
        let clock = morning();
        let twilio = Twilio::start(Settings::empty(), clock.clone()).await;
        let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
        twilio.fault(fault);
        let yaml = one_account(&twilio, &format!("operations:\n- id: {id}"));
        let exporter = Exporter::start_at(&yaml, clock).await;
        let seen = exporter.scrape().await;
        seen.expect(
            fault,
            &[
                ("up", 1.0),
                ("discovery_up", 0.0),
                ("collection_complete", 1.0),
            ],
        );
        assert_eq!(seen.emails(id, "opened"), Some(1.0), "{fault}");
    }
}

#[tokio::test]
async fn a_page_that_fails_never_makes_operations_disappear() {
    for (fault, reason) in [
        ("500", "server_error"),
        ("429:retry-after=5", "rate_limited"),
    ] {
        let clock = morning();
        let twilio = Twilio::start(Settings::empty(), clock.clone()).await;
        for age in 1..=2005 {
            let stats = json!({"total": 1, "delivered": 1});
            twilio.put(Duration::from_mins(age), stats);
        }
        twilio.fault(&format!("list:page=3={fault}"));
        // Single reads of what the page would have told fail, too.
        twilio.fault("operation=500");
        let yaml = one_account(&twilio, "") + "series: {max_operations: 10}\n";
        let exporter = Exporter::start_at(&yaml, clock.clone())
            .await
            .settled()
            .await;
        let delivered =
            |seen: &Exposition| seen.value("twilio_email_emails", &[("status", "delivered")]);
        let seen = exporter.scrape().await;
        let broken = [
            ("up", 1.0),
            ("discovery_up", 0.0),
            ("collection_complete", 0.0),
        ];
        seen.expect(fault, &broken);
        assert_eq!(
            delivered(&seen),
            Some(2000.0),
            "{fault}: as far as pages came"
        );
        let up = seen.samples("twilio_email_operation_up");
        assert!(
            up.iter().all(|sample| sample.value > 0.0),
            "{fault}: what pages told"
        );
        assert!(failed(&seen, "operations", reason) >= 1.0, "{fault}");
        twilio.handle.clear_faults();
        pass(&clock, ANY_WAIT);
        let seen = exporter.scrape().await;
        let healed = [("discovery_up", 1.0), ("collection_complete", 1.0)];
        seen.expect("afterwards", &healed);
        assert_eq!(delivered(&seen), Some(2005.0), "after {fault}");
        twilio.fault(&format!("list={fault}"));
        twilio.fault("operation=500");
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        assert_eq!(
            delivered(&seen),
            Some(2005.0),
            "{fault}: nothing disappears"
        );
        let up = seen.samples("twilio_email_operation_up");
        assert_eq!(up.len(), 10, "{fault}: shown");
        assert!(
            up.iter().all(|sample| sample.value == 0.0),
            "{fault}: not read"
        );
    }
}

#[tokio::test]
async fn lists_that_do_not_end_are_ended() {
    for fault in ["list=repeat-token", "list=endless"] {
        let scene = Scene::new().await;
        scene.twilio.fault(fault);
        let seen = scene.next().await;
        seen.expect(
            fault,
            &[
                ("up", 1.0),
                ("discovery_up", 0.0),
                ("collection_complete", 0.0),
            ],
        );
        for id in scene.ids() {
            assert_eq!(
                seen.of_operation(id, "up"),
                Some(1.0),
                "{fault}: the list told of {id}"
            );
        }
        assert_only(&seen, "invalid_response", LIST);
        let asked = scene.twilio.handle.counts().total;
        assert!(asked <= 15, "{fault}: {asked} requests");
        scene.twilio.handle.clear_faults();
        let healed = scene.next().await;
        scene.assert_healthy(&healed, &format!("after {fault}"));
    }
}

#[tokio::test]
async fn an_empty_list_is_no_proof_that_operations_are_gone() {
    let scene = Scene::new().await;
    scene.twilio.fault("list=empty");
    let seen = scene.next().await;
    seen.expect(
        "empty",
        &[
            ("up", 1.0),
            ("discovery_up", 1.0),
            ("collection_complete", 1.0),
        ],
    );
    for id in scene.ids() {
        assert_eq!(seen.of_operation(id, "up"), Some(1.0), "{id}");
    }
    let operations = seen.value("twilio_email_operations", &[("state", "completed")]);
    assert_eq!(operations, Some(2.0));
    assert!(seen.failures().is_empty(), "{:?}", seen.failures());
}

#[tokio::test]
async fn an_operation_that_twilio_forgot_keeps_its_figures_until_its_seven_days_are_over() {
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
async fn no_more_requests_at_once_than_allowed() {
    for allowed in [1, 3] {
        let more = format!("discovery: false\nmax_concurrent_requests: {allowed}");
        let scene = several(20, &more).await;
        scene.twilio.handle.reset_requests();
        scene.twilio.fault("operation=slow:20ms");
        let seen = scene.next().await;
        seen.expect("slow", &[("collection_complete", 1.0)]);
        let counts = scene.twilio.handle.counts();
        assert_eq!((counts.operation, counts.most_concurrent), (20, allowed));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Twilio::empty().await;
    let location = format!("{}/Emails/Operations", elsewhere.base_url());
    let answers = Answers::start(move |_| Answer {
        status: 307,
        headers: vec![("location", location.clone())],
        body: String::new(),
    })
    .await;
    let yaml = format!(
        "accounts:\n{}",
        account_at("default", &answers.base_url(), "")
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    let seen = exporter.scrape().await;
    seen.expect("redirected", &[("up", 0.0), ("discovery_up", 0.0)]);
    assert_only(&seen, "bad_request", LIST);
    assert_eq!(
        elsewhere.handle.counts().total,
        0,
        "requests at the redirect's target"
    );
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
    let asked = Instant::now();
    let seen = exporter.scrape_within(1.0).await;
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    seen.expect("hanging", &[("up", 0.0), ("collection_complete", 0.0)]);
    assert_eq!(
        twilio.handle.counts().total,
        1,
        "one collection, however many scrapes"
    );
}

/// An account with so many configured operations, each of one opened email, and an exporter that has read them.
struct Several {
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
    /// In the order in which they are read.
    ids: Vec<OperationId>,
}

async fn several(number: u64, more: &str) -> Several {
    let clock = morning();
    let twilio = Twilio::start(Settings::empty(), clock.clone()).await;
    let put = |age| twilio.put(Duration::from_mins(age), json!({"total": 1, "opened": 1}));
    let mut ids: Vec<_> = (1..=number).map(put).collect();
    ids.sort();
    let more = format!("{more}\n{}", operations(&ids));
    let exporter = Exporter::start_at(&one_account(&twilio, &more), clock.clone()).await;
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

#[tokio::test]
async fn a_clock_that_was_put_back_does_not_lengthen_a_pause() {
    let scene = Scene::new().await;
    scene.twilio.fault("429:retry-after=30:times=1");
    scene.next().await;
    scene.clock.set(scene.clock.now() - Duration::from_mins(50));
    let seen = scene.next().await;
    let health = [
        ("up", 1.0),
        ("discovery_up", 1.0),
        ("api_paused_until_timestamp_seconds", 0.0),
    ];
    seen.expect("with the clock put back", &health);
    // Nor does it come back when the clock shows its time again.
    let seen = scene.after(Duration::from_mins(50)).await;
    seen.expect("when the clock has caught up", &health);
}

#[tokio::test]
async fn a_key_that_may_not_list_and_has_nothing_else_to_read_is_not_said_to_be_complete() {
    let clock = morning();
    let twilio = Twilio::start(Settings::empty(), clock.clone()).await;
    twilio.fault("list=403");
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone())
        .await
        .settled()
        .await;
    // Whether the list is asked for in this collection or, ever more rarely, not.
    for _ in 0..6 {
        let seen = exporter.scrape().await;
        let refused = [
            ("up", 0.0),
            ("discovery_up", 0.0),
            ("collection_complete", 0.0),
        ];
        seen.expect("refused", &refused);
        let success = seen.of_account("collection_last_success_timestamp_seconds");
        assert_eq!(success, None, "nothing was ever read");
        pass(&clock, INTERVAL);
    }
    assert_eq!(twilio.handle.counts().total, 2);
    twilio.handle.clear_faults();
    pass(&clock, ANY_WAIT);
    let healed = [
        ("up", 1.0),
        ("discovery_up", 1.0),
        ("collection_complete", 1.0),
    ];
    exporter.scrape().await.expect("afterwards", &healed);
}
