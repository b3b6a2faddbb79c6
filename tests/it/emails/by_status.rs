//! Older emails are followed by lists of one status, and in full where Twilio does not filter by status.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::ApiSettings;

use super::*;
use crate::support::log::Log;

const MINUTE: Duration = Duration::from_mins(1);
/// Rows of a page.
const ROWS: usize = 100;
/// Operations. Their emails fill twelve pages, and those of a final status one.
const OPERATIONS: u64 = 3;
const EMAILS: u64 = 400;
/// Half-hours of a history.
const STEPS: u64 = 12;
/// The line of the log about a filter that does not work.
const WARNING: &str = "Twilio does not filter emails by status";
/// What such a list had.
const OTHER_ROWS: &str = "rows with another status";

/// The stats of an operation after some half-hours: it loses a few emails late, and more are opened all the time.
fn stats(step: u64) -> [u64; 4] {
    let (undelivered, confirmed) = (step / 2, step / 6);
    let sent = 2 * STEPS - undelivered - confirmed;
    let opened = 8 + 2 * step;
    [
        sent,
        EMAILS - sent - opened - undelivered,
        opened,
        undelivered,
    ]
}

fn set(scene: &Scene, id: OperationId, step: u64) {
    let [sent, delivered, opened, undelivered] = stats(step);
    let stats = json!({
        "total": EMAILS, "sent": sent, "delivered": delivered, "opened": opened, "undelivered": undelivered,
    });
    scene.twilio.set(id, id.created(), "COMPLETED", stats);
}

impl Scene {
    /// An exporter of an account whose pages are small.
    async fn with_small_pages() -> Self {
        let clock = morning();
        let settings = ApiSettings {
            most_rows: ROWS,
            ..ApiSettings::default()
        };
        let twilio = Twilio::start(settings, clock.clone()).await;
        Self::watching(clock, twilio, "", "").await
    }

    /// Scrapes, and waits until the run that follows has finished.
    async fn run(&self) {
        self.exporter.scrape().await;
        self.exporter.idle().await;
    }

    /// The recorded lists by status.
    fn lists_by_status(&self) -> usize {
        let requests = self.twilio.handle.requests();
        let is_by_status = |path: &str| path.contains("/Emails?") && path.contains("status=");
        let requests = requests.iter();
        requests
            .filter(|request| is_by_status(&request.path))
            .count()
    }
}

/// One warning that says what was `found`.
#[track_caller]
fn expect_warning(lines: &[String], found: &str) {
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = &lines[0];
    assert!(line.starts_with("WARN") && line.contains(found), "{line}");
}

/// Follows the operations through a history under a fault. Returns the requests for emails, those of them by status, and the lines of the
/// log about the filter.
async fn follow(fault: Option<&str>) -> (u64, usize, Vec<String>) {
    let log = Log::start();
    let scene = Scene::with_small_pages().await;
    let put = || scene.twilio.put(Duration::ZERO, json!({"total": 0}));
    let ids: Vec<OperationId> = (0..OPERATIONS).map(|_| put()).collect();
    for id in &ids {
        set(&scene, *id, 0);
    }
    pass(&scene.clock, MINUTE);
    scene.run().await;
    if let Some(fault) = fault {
        scene.twilio.fault(fault);
    }
    scene.twilio.handle.reset_requests();
    for step in 1..=STEPS {
        for id in &ids {
            set(&scene, *id, step);
        }
        pass(&scene.clock, 30 * MINUTE);
        scene.run().await;
    }
    let emails = scene.twilio.handle.counts().emails;
    let by_status = scene.lists_by_status();
    let [_, delivered, opened, undelivered] = stats(STEPS);
    let wanted =
        [delivered + opened, opened, undelivered].map(|emails| (emails * OPERATIONS) as f64);
    let found = |seen: &Exposition| {
        ["delivered", "opened", "undelivered"].map(|name| outcome(seen, "other", name))
    };
    for _ in 0..4 {
        pass(&scene.clock, 60 * MINUTE);
        scene.run().await;
    }
    let what = format!("{wanted:?} under {fault:?}");
    let seen = scene
        .seen(&what, |seen| found(seen) == wanted.map(Some))
        .await;
    let timed = [("provider", "other")];
    let timed = seen.value("twilio_email_delivery_duration_seconds_count", &timed);
    let unobserved = [("provider", "other")];
    let unobserved = seen.value("twilio_email_deliveries_unobserved_total", &unobserved);
    let all = timed.unwrap() + unobserved.unwrap();
    assert!((all - wanted[0]).abs() < 0.5, "{all} under {fault:?}");
    let mut lines = log.take();
    lines.retain(|line| line.contains(WARNING));
    (emails, by_status, lines)
}

#[tokio::test]
async fn older_emails_are_followed_by_status_with_fewer_requests_and_the_same_counts() {
    let (by_status, lists, lines) = follow(None).await;
    assert!(lines.is_empty(), "{lines:#?}");
    let (in_full, ignored, lines) = follow(Some("emails=ignore-status")).await;
    expect_warning(&lines, OTHER_ROWS);
    assert!(lists > 3, "{lists} lists by status");
    assert!(ignored <= 3, "{ignored} lists after the filter was ignored");
    assert!(
        by_status * 10 < in_full * 8,
        "{by_status} of {in_full} requests"
    );
}

#[tokio::test]
async fn a_filter_that_selects_other_rows_or_none_is_noticed_and_nothing_is_lost() {
    for (fault, found) in [
        ("emails=other-status", OTHER_ROWS),
        (
            "emails=no-rows-of-status",
            "a list without emails that have the status",
        ),
    ] {
        let (_, lists, lines) = follow(Some(fault)).await;
        assert!((1..=3).contains(&lists), "{fault}: {lists} lists by status");
        expect_warning(&lines, found);
    }
}

#[tokio::test]
async fn no_list_by_status_is_used_while_no_known_email_can_show_that_the_filter_works() {
    let scene = Scene::with_small_pages().await;
    let stats = |opened: u64| {
        let (failed, delivered) = (EMAILS / 10, EMAILS - EMAILS / 10 - opened);
        json!({"total": EMAILS, "failed": failed, "delivered": delivered, "opened": opened})
    };
    // Delivered emails are followed by the lists of opened and undelivered ones. Failed ones are on neither.
    let id = scene.twilio.put(Duration::ZERO, stats(0));
    pass(&scene.clock, MINUTE);
    scene.run().await;
    scene.twilio.fault("emails=no-rows-of-status");
    scene.twilio.handle.reset_requests();
    for _ in 0..4 {
        pass(&scene.clock, 60 * MINUTE);
        scene.run().await;
    }
    let changed = stats(9);
    scene.twilio.set(id, id.created(), "COMPLETED", changed);
    pass(&scene.clock, 120 * MINUTE);
    scene.run().await;
    assert_eq!(scene.lists_by_status(), 0);
    let seen = scene.exporter.scrape().await;
    assert_eq!(outcome(&seen, "other", "opened"), Some(9.0));
}
