//! Older emails are followed by lists of one status, and in full where Twilio does not filter by status.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);
/// Operations. Their emails fill twelve pages, and those of a final status one.
const OPERATIONS: u64 = 3;
const EMAILS: u64 = 4000;
/// Half-hours of a history.
const STEPS: u64 = 12;

/// The stats of an operation after some half-hours: it loses a few emails late, and more are opened all the time.
fn stats(step: u64) -> [u64; 4] {
    let (undelivered, confirmed) = (step / 2, step / 6);
    let sent = 2 * STEPS - undelivered - confirmed;
    let opened = 200 + 9 * step;
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
    /// Waits until the run that follows a scrape has finished.
    async fn run(&self) {
        self.exporter.scrape().await;
        let requests = || self.twilio.handle.counts().total;
        let mut before = requests();
        loop {
            tokio::time::sleep(Duration::from_millis(120)).await;
            let now = requests();
            if now == std::mem::replace(&mut before, now) {
                return;
            }
        }
    }
}

/// Follows the operations through a history under a fault. Returns the requests for emails, and those of them by status.
async fn follow(fault: Option<&str>) -> (u64, usize) {
    let scene = Scene::new().await;
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
    let requests = scene.twilio.handle.requests();
    let by_status = requests
        .iter()
        .filter(|request| request.path.contains("/Emails?") && request.path.contains("status="));
    let by_status = by_status.count();
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
    (emails, by_status)
}

#[tokio::test]
async fn older_emails_are_followed_by_status_with_fewer_requests_and_the_same_counts() {
    let (by_status, lists) = follow(None).await;
    let (in_full, ignored) = follow(Some("emails=ignore-status")).await;
    assert!(lists > 3, "{lists} lists by status");
    assert!(ignored <= 3, "{ignored} lists after the filter was ignored");
    assert!(
        by_status * 10 < in_full * 8,
        "{by_status} of {in_full} requests"
    );
}

#[tokio::test]
async fn a_filter_that_selects_other_rows_or_none_is_noticed_and_nothing_is_lost() {
    for fault in ["emails=other-status", "emails=no-rows-of-status"] {
        let (_, lists) = follow(Some(fault)).await;
        assert!((1..=3).contains(&lists), "{fault}: {lists} lists by status");
    }
}
