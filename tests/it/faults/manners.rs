//! What Twilio asks for is done: credentials that are wrong cost one request, a pause is a pause, and nothing dead is asked for often.

use super::*;

#[tokio::test]
async fn wrong_credentials_cost_one_request_and_then_wait() {
    let scene = Scene::new().await;
    scene.twilio.fault("401");
    for collections in 1..=5 {
        let seen = scene.next().await;
        seen.expect("with 401", &[("up", 0.0)]);
        let asked = scene.twilio.handle.counts().total;
        // The fifth comes a minute after the first.
        let wanted = if collections < 5 { 1 } else { 2 };
        assert_eq!(
            asked, wanted,
            "requests after {collections} collections: found, wanted"
        );
    }
}

#[tokio::test]
async fn a_refused_account_costs_one_request_a_collection_without_discovery_too() {
    // A 401 waits; how long, is in `credentials::backoff`.
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

/// A pause: what Twilio says, and between how many and how many seconds it lasts at most.
const PAUSES: &[(&str, &str, u64, u64)] = &[
    ("429:retry-after=30", "rate_limited", 30, 33),
    ("429:retry-after-date=40", "rate_limited", 40, 44),
    ("429", "rate_limited", 5, 6),
    ("503:retry-after=30", "unavailable", 30, 33),
    ("503:retry-after-date=40", "unavailable", 40, 44),
    ("503", "unavailable", 5, 6),
    // A fraction rounds up.
    ("429:retry-after=60.5", "rate_limited", 61, 68),
    // Nobody is believed who wants silence for a day.
    ("429:retry-after=86400", "rate_limited", 900, 990),
    (
        "429:retry-after=99999999999999999999",
        "rate_limited",
        900,
        990,
    ),
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
async fn a_pause_until_a_date_is_as_long_by_whatever_clock_the_server_goes() {
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
async fn a_pause_lasts_its_span_whatever_becomes_of_the_time_of_day() {
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
async fn a_pause_that_a_single_read_brings_shows_as_well() {
    let scene = Scene::new().await;
    scene.twilio.fault("operation=429:retry-after=60:times=1");
    // What the list leaves out is read by itself.
    scene.twilio.fault("list=403");
    let seen = scene.next().await;
    seen.expect("429 for an operation", &[("up", 0.0)]);
    assert!(seen.of_account("api_paused_until_timestamp_seconds") > Some(0.0));
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
