//! Lists of many pages, which are read in parts at the same time: every operation is found, and a part that fails makes the list incomplete.

use super::*;

/// More than six pages, over four days.
const MANY: u64 = 6200;

/// The scene with `size` operations, a minute apart, an account with `more` keys, and `faults` of the list from the start.
async fn scene(size: u64, more: &str, faults: &[&str]) -> (Clock, Twilio, Exporter) {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    for age in 1..=size {
        let stats = json!({"total": 1, "delivered": 1});
        twilio.put(Duration::from_mins(age), stats);
    }
    for fault in faults {
        twilio.fault(fault);
    }
    let yaml = one_account(&twilio, more) + "series: {max_operations: 3}\n";
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    (clock, twilio, exporter)
}

fn tracked(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_operations", &[("state", "completed")])
}

/// The requests for parts: windows of the list that have an end.
fn parts(twilio: &Twilio) -> usize {
    let requests = twilio.handle.requests();
    let is_part = |path: &str| path.contains("endDate=");
    requests
        .iter()
        .filter(|request| is_part(&request.path))
        .count()
}

#[tokio::test]
async fn a_long_list_is_read_in_parts_within_the_accounts_limit_and_every_operation_is_found() {
    for at_once in [1, 2, 5] {
        let more = format!("max_concurrent_requests: {at_once}");
        let (clock, twilio, exporter) = scene(MANY, &more, &["list=slow:20ms"]).await;
        let seen = exporter.scrape().await;
        let complete = [
            ("up", 1.0),
            ("discovery_up", 1.0),
            ("collection_complete", 1.0),
        ];
        seen.expect(&more, &complete);
        assert_eq!(tracked(&seen), Some(MANY as f64), "{more}");
        assert_eq!(twilio.handle.counts().most_concurrent, at_once, "{more}");
        assert_eq!(parts(&twilio) > 0, at_once > 1, "{more}");
        // The second time confirms the first. From then on the newest page is enough.
        for _ in 0..2 {
            pass(&clock, INTERVAL);
            let seen = exporter.scrape().await;
            seen.expect(&more, &complete);
            assert_eq!(tracked(&seen), Some(MANY as f64), "{more}");
        }
    }
}

#[tokio::test]
async fn a_part_that_fails_makes_the_list_incomplete_until_it_is_read_again() {
    for status in [400, 403, 404, 500] {
        // Four pages work: three of the list, and the first one of a part.
        let faults = [
            "list=ignore-status:times=4",
            &format!("list={status}:times=1"),
        ];
        let (clock, twilio, exporter) = scene(MANY, "", &faults).await;
        let seen = exporter.scrape().await;
        let what = format!("{status}");
        let broken = [
            ("up", 1.0),
            ("discovery_up", 0.0),
            ("collection_complete", 0.0),
        ];
        seen.expect(&what, &broken);
        assert!(
            tracked(&seen) >= Some(3000.0),
            "{what}: {:?}",
            tracked(&seen)
        );
        assert!(tracked(&seen) < Some(MANY as f64), "{what}");
        assert!(parts(&twilio) > 0, "{what}");
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        let whole = [
            ("up", 1.0),
            ("discovery_up", 1.0),
            ("collection_complete", 1.0),
        ];
        seen.expect(&what, &whole);
        assert_eq!(tracked(&seen), Some(MANY as f64), "{what}");
    }
}

#[tokio::test]
async fn a_rate_limit_while_parts_are_read_ends_all_of_them() {
    let faults = ["list=ignore-status:times=4", "list=429:retry-after=60"];
    let (_, twilio, exporter) = scene(MANY, "", &faults).await;
    let seen = exporter.scrape().await;
    seen.expect("a rate limit", &[("up", 0.0), ("collection_complete", 0.0)]);
    assert!(tracked(&seen) >= Some(3000.0));
    // Those that were on their way.
    assert!(twilio.handle.counts().operations <= 4 + 8);
}

#[tokio::test]
async fn a_list_that_ignores_dates_is_read_page_by_page_after_one_attempt() {
    let (clock, twilio, exporter) = scene(MANY, "", &["list=ignore-dates"]).await;
    let seen = exporter.scrape().await;
    seen.expect("at first", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(tracked(&seen), Some(MANY as f64));
    assert!(
        (1..=8).contains(&parts(&twilio)),
        "{} parts",
        parts(&twilio)
    );
    pass(&clock, INTERVAL);
    twilio.handle.reset_requests();
    assert_eq!(tracked(&exporter.scrape().await), Some(MANY as f64));
    assert_eq!(parts(&twilio), 0);
}

#[tokio::test]
async fn rows_that_move_between_the_pages_of_parts_are_found_within_two_collections() {
    let more = "max_concurrent_requests: 2";
    let (clock, _twilio, exporter) = scene(MANY, more, &["list=moving-rows"]).await;
    let exporter = exporter.settled().await;
    pass(&clock, INTERVAL);
    let seen = exporter.scrape().await;
    seen.expect(
        "the second time",
        &[("up", 1.0), ("collection_complete", 1.0)],
    );
    assert_eq!(tracked(&seen), Some(MANY as f64));
}
