//! The exporter respects Twilio: rejected credentials cost one request, a pause stops all requests, and missing operations are polled
//! rarely.

use super::*;

#[tokio::test]
async fn rejected_credentials_cost_one_request_and_then_back_off() {
    let scene = Scene::new().await;
    scene.twilio.fault("401");
    for collections in 1..=5 {
        let seen = scene.next().await;
        seen.expect("with 401", &[("up", 0.0)]);
        let requested = scene.twilio.handle.counts().total;
        // The fifth scrape is one minute after the first.
        let wanted = if collections < 5 { 1 } else { 2 };
        assert_eq!(
            requested, wanted,
            "requests after {collections} collections: found, wanted"
        );
    }
}

#[tokio::test]
async fn a_forbidden_account_costs_one_request_per_collection_also_without_discovery() {
    // `credentials::backoff` tests how long a 401 waits.
    for (fault, requests) in [("401", [1, 1, 1]), ("403", [1, 2, 3])] {
        let scene = several(8, "discovery: false").await;
        scene.twilio.handle.reset_requests();
        scene.twilio.fault(fault);
        for wanted in requests {
            let seen = scene.next().await;
            seen.expect(fault, &[("up", 0.0), ("collection_complete", 0.0)]);
            assert_eq!(scene.twilio.handle.counts().total, wanted, "{fault}");
            for id in &scene.ids {
                assert_eq!(seen.of_operation(*id, "up"), Some(0.0), "{fault} {id}");
            }
        }
    }
}

/// A pause: Twilio's response, and the range of its length in seconds.
const PAUSES: &[(&str, &str, u64, u64)] = &[
    ("429:retry-after=30", "rate_limited", 30, 33),
    ("429:retry-after-date=40", "rate_limited", 40, 44),
    ("429", "rate_limited", 5, 6),
    ("503:retry-after=30", "unavailable", 30, 33),
    ("503:retry-after-date=40", "unavailable", 40, 44),
    ("503", "unavailable", 5, 6),
    // A fraction is rounded up.
    ("429:retry-after=60.5", "rate_limited", 61, 68),
    // A pause of a day is limited.
    ("429:retry-after=86400", "rate_limited", 900, 990),
    (
        "429:retry-after=99999999999999999999",
        "rate_limited",
        900,
        990,
    ),
];

#[tokio::test]
async fn a_pause_stops_all_requests_of_the_account_and_ends() {
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
async fn a_pause_until_a_date_is_measured_by_the_servers_clock() {
    let minutes = Duration::from_mins(10);
    for (twilio_at, exporter_at) in [(minutes, 2 * minutes), (2 * minutes, minutes)] {
        let (servers, clock) = (morning(), morning());
        pass(&servers, twilio_at);
        pass(&clock, exporter_at);
        let twilio = Twilio::start(SimulatorSettings::empty(), servers).await;
        let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
        twilio.fault("429:retry-after-date=60");
        let until = exporter.scrape().await;
        let until = until.of_account("api_paused_until_timestamp_seconds");
        let pause = until.unwrap() - clock.now().as_seconds();
        assert!((60.0..=66.0).contains(&pause), "a pause of {pause} s");
    }
}

#[tokio::test]
async fn a_jump_of_the_time_of_day_does_not_change_the_length_of_a_pause() {
    let scene = Scene::new().await;
    scene.twilio.fault("429:retry-after=3:times=1");
    let seen = scene.next().await;
    seen.expect("refused", &[("up", 0.0)]);
    scene.clock.put(scene.clock.now() + Duration::from_hours(1));
    let seen = scene.exporter.scrape().await;
    seen.expect("an hour ahead", &[("up", 0.0)]);
    assert_eq!(scene.twilio.handle.counts().total, 1);
    scene.clock.put(scene.clock.now() - Duration::from_mins(70));
    let seen = scene.exporter.scrape().await;
    let until = seen.of_account("api_paused_until_timestamp_seconds");
    let left = until.unwrap() - scene.clock.now().as_seconds();
    assert!((3.0..=3.3).contains(&left), "{left}");
    let seen = scene.after(Duration::from_secs(4)).await;
    seen.expect(
        "4 s later",
        &[("up", 1.0), ("api_paused_until_timestamp_seconds", 0.0)],
    );
}

#[tokio::test]
async fn a_pause_after_a_single_read_is_exposed() {
    let scene = Scene::new().await;
    scene.twilio.fault("operation=429:retry-after=60:times=1");
    // The exporter reads an operation that the list omits by a single read.
    scene.twilio.fault("list=403");
    let seen = scene.next().await;
    seen.expect("429 for an operation", &[("up", 0.0)]);
    assert!(seen.of_account("api_paused_until_timestamp_seconds") > Some(0.0));
}

#[tokio::test]
async fn pauses_without_retry_after_grow_with_every_rejection_in_a_row() {
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
        .zip([5., 10., 20., 40., 80., 120., 120., 120., 120., 120.])
    {
        assert!(
            (wanted..=wanted * 1.1).contains(found),
            "{pauses:?}: {wanted}"
        );
    }
    assert_eq!(scene.twilio.handle.counts().total, 10);
}

#[tokio::test]
async fn a_rejected_single_read_stops_the_others() {
    let scene = several(40, "discovery: false\nmax_concurrent_requests: 2").await;
    let slowest = scene.ids[10];
    scene.twilio.handle.reset_requests();
    scene
        .twilio
        .fault(&format!("operation:id={slowest}=429:retry-after=60"));
    let seen = scene.next().await;
    let requested = scene.twilio.handle.counts().total;
    // The rejected request is the eleventh; one more may have been in progress.
    assert!((11..=13).contains(&requested), "{requested} requests");
    seen.expect(
        "paused half-way",
        &[("up", 0.0), ("collection_complete", 0.0)],
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
async fn a_missing_operation_is_polled_less_and_less_often() {
    let scene = several(2, "discovery: false").await;
    scene
        .twilio
        .fault(&format!("operation:id={}=404", scene.ids[0]));
    scene.twilio.handle.reset_requests();
    let collections = 120;
    for _ in 0..collections {
        scene.after(Duration::from_mins(1)).await;
    }
    // Every collection reads the other operation.
    let requested = scene.twilio.handle.counts().operation - collections;
    assert!(
        (10..80).contains(&requested),
        "{requested} requests in two hours"
    );
    scene.twilio.handle.clear_faults();
    let seen = scene.after(Duration::from_mins(15)).await;
    assert_eq!(seen.of_operation(scene.ids[0], "up"), Some(1.0));
}

#[tokio::test]
async fn concurrent_requests_stay_within_the_limit() {
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
    let server = StubServer::start(move |_| StubResponse {
        status: 307,
        headers: vec![("location", location.clone())],
        body: String::new(),
    })
    .await;
    let yaml = format!(
        "accounts:\n{}",
        account_at("default", &server.base_url(), "")
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
async fn a_connection_without_responses_costs_one_request_and_is_replaced() {
    let scene = Scene::with(time_limit("timeout")).await;
    // Every connection of the first collection has had a response, so none responds again.
    scene.twilio.fault("deaf");
    let seen = scene.next().await;
    seen.expect("on deaf connections", &[("discovery_up", 0.0)]);
    let failures = seen.failures();
    let timeouts = failures.keys().filter(|(_, reason)| reason == "timeout");
    assert_eq!(timeouts.count(), failures.len(), "{failures:?}");
    // The fault is still active; a new connection responds to its first request.
    let seen = scene.next().await;
    seen.expect("on a new connection", &[("up", 1.0), ("discovery_up", 1.0)]);
    scene.twilio.handle.clear_faults();
    let healed = scene.next().await;
    scene.assert_healthy(&healed, "after deaf connections");
}

#[tokio::test]
async fn a_connection_closed_before_or_within_the_headers_counts_as_connect() {
    for fault in ["close", "close:12"] {
        let closed = Case {
            endpoints: LIST,
            ..case(fault, "connect")
        };
        whatever_is_wrong(&closed).await;
    }
}
