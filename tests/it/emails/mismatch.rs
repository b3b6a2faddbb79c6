//! The stats of operations compared with their emails, and what that proves about the counting mode.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::ScriptedEmail;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn mismatch(seen: &Exposition, id: OperationId) -> Option<f64> {
    seen.of_operation(id, "emails_mismatch")
}

/// As many emails with each of these statuses.
fn emails_of(twilio: &Twilio, statuses: &[(&str, usize)]) -> Vec<ScriptedEmail> {
    let now = twilio.handle.now();
    let statuses = statuses.iter();
    let emails =
        statuses.flat_map(|(status, emails)| vec![ScriptedEmail::new(status, now); *emails]);
    emails.collect()
}

impl Scene {
    /// An exporter with a state file after its first collection, and its configuration.
    async fn saving(directory: &Path) -> (Self, String) {
        let (clock, twilio) = quiet_account().await;
        let yaml = configuration(&twilio, "", "", Some(directory));
        let exporter = start(&yaml, &clock).await;
        let scene = Self {
            clock,
            twilio,
            exporter,
        };
        scene.seen("counters", |seen| inbound(seen).is_some()).await;
        (scene, yaml)
    }

    /// An operation whose emails are not as its stats say.
    fn put_with(&self, stats: Value, statuses: &[(&str, usize)]) -> OperationId {
        let id = self.twilio.put(Duration::ZERO, json!({"total": 0}));
        let emails = emails_of(&self.twilio, statuses);
        self.twilio.handle.put_emails(id, emails);
        self.twilio.set(id, id.created(), "COMPLETED", stats);
        id
    }

    /// Two hours with a scrape every five minutes; returns what each showed of `id`.
    async fn watch(&self, id: OperationId) -> Vec<Option<f64>> {
        let mut shown = Vec::new();
        for _ in 0..24 {
            pass(&self.clock, 5 * MINUTE);
            let seen = self.exporter.scrape().await;
            shown.push(mismatch(&seen, id));
            self.exporter.idle().await;
        }
        shown
    }
}

#[tokio::test]
async fn an_operation_whose_emails_are_not_what_its_stats_say_is_exposed() {
    let scene = Scene::new().await;
    let agrees = json!({"total": 8, "sent": 1, "delivered": 4, "opened": 2, "failed": 1});
    let agrees = scene.twilio.put(Duration::ZERO, agrees);
    let differs = [("DELIVERED", 5), ("UNDELIVERED", 3)];
    let differs = scene.put_with(json!({"total": 8, "delivered": 8}), &differs);
    let unread = scene.put_with(json!({"total": 9, "delivered": 9}), &[("DELIVERED", 8)]);
    let odd = [("DELIVERED", 8), ("DEFERRED", 1)];
    let odd = scene.put_with(json!({"total": 9, "delivered": 9}), &odd);
    let seen = scene.exporter.scrape().await;
    assert_eq!(mismatch(&seen, agrees), None, "they may still change");
    for _ in 0..20 {
        pass(&scene.clock, 5 * MINUTE);
        scene.exporter.scrape().await;
    }
    let seen = scene
        .seen("both were compared", |seen| {
            mismatch(seen, agrees).is_some() && mismatch(seen, differs).is_some()
        })
        .await;
    assert_eq!(mismatch(&seen, agrees), Some(0.0));
    assert_eq!(mismatch(&seen, differs), Some(1.0));
    assert_eq!(
        mismatch(&seen, unread),
        None,
        "not all of its emails are known"
    );
    assert_eq!(
        mismatch(&seen, odd),
        None,
        "a status that stats do not have"
    );
    // Twilio corrects its stats.
    let right = json!({"total": 8, "delivered": 5, "undelivered": 3});
    scene
        .twilio
        .set(differs, differs.created(), "COMPLETED", right);
    for _ in 0..30 {
        pass(&scene.clock, 5 * MINUTE);
        scene.exporter.scrape().await;
    }
    scene
        .seen("they agree", |seen| mismatch(seen, differs) == Some(0.0))
        .await;
}

#[tokio::test]
async fn stats_and_rows_that_are_read_at_different_times_raise_no_mismatch() {
    let scene = Scene::new().await;
    let id = scene
        .twilio
        .put(Duration::ZERO, json!({"total": 30, "sent": 30}));
    // The list is a few minutes ahead of the stats.
    for delivered in 1..=30_usize {
        let rows = [("DELIVERED", delivered), ("SENT", 30 - delivered)];
        let rows = emails_of(&scene.twilio, &rows);
        scene.twilio.handle.put_emails(id, rows);
        pass(&scene.clock, 4 * MINUTE);
        let seen = scene.exporter.scrape().await;
        assert_ne!(mismatch(&seen, id), Some(1.0), "{delivered}");
        let stats = json!({"total": 30, "sent": 30 - delivered, "delivered": delivered});
        scene.twilio.set(id, id.created(), "COMPLETED", stats);
        pass(&scene.clock, MINUTE);
        let seen = scene.exporter.scrape().await;
        assert_ne!(mismatch(&seen, id), Some(1.0), "{delivered}");
    }
    let shown = scene.watch(id).await;
    assert!(!shown.contains(&Some(1.0)), "{shown:?}");
    assert_eq!(shown.last(), Some(&Some(0.0)), "{shown:?}");
}

#[tokio::test]
async fn emails_of_single_operations_are_compared_where_the_whole_list_is_refused() {
    let (clock, twilio) = quiet_account().await;
    twilio.fault("unfiltered-emails=403");
    twilio.put(MINUTE, json!({"total": 1, "failed": 1}));
    let scene = Scene::watching(clock, twilio, "", "").await;
    let agrees = json!({"total": 8, "delivered": 8});
    let agrees = scene.twilio.put(Duration::ZERO, agrees);
    let differs = scene.put_with(json!({"total": 8, "delivered": 8}), &[("SENT", 8)]);
    let shown = scene.watch(agrees).await;
    assert_eq!(shown.last(), Some(&Some(0.0)), "{shown:?}");
    let seen = scene.exporter.scrape().await;
    assert_eq!(mismatch(&seen, differs), Some(1.0));
}

fn mode(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_stats_reading", &[("reading", "cumulative")])
}

fn delivered(seen: &Exposition) -> Option<f64> {
    seen.value(
        "twilio_email_email_outcomes_total",
        &[("outcome", "delivered")],
    )
}

#[tokio::test]
async fn emails_prove_the_cumulative_mode_that_stats_alone_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let (scene, yaml) = Scene::saving(directory.path()).await;
    // Few enough are delivered that the sum may be an error.
    let stats = json!({"total": 100, "sent": 100, "delivered": 10, "opened": 2});
    let rows = [("SENT", 90), ("DELIVERED", 8), ("OPENED", 2)];
    let id = scene.put_with(stats, &rows);
    assert_eq!(mode(&scene.exporter.scrape().await), Some(0.0));
    scene.watch(id).await;
    let seen = scene.exporter.scrape().await;
    assert_eq!((mode(&seen), mismatch(&seen, id)), (Some(1.0), Some(0.0)));
    let before = delivered(&seen).unwrap();
    scene.exporter.stop().await.unwrap();
    let again = start(&yaml, &scene.clock).await;
    let seen = again.scrape().await;
    assert_eq!(mode(&seen), Some(1.0));
    assert!(delivered(&seen) >= Some(before));
}

#[tokio::test]
async fn emails_refute_a_mode_that_stats_proved_and_what_was_missing_is_counted_once() {
    let directory = tempfile::tempdir().unwrap();
    let (scene, yaml) = Scene::saving(directory.path()).await;
    // A row with impossible stats.
    let wrong = json!({"total": 9, "sent": 9, "delivered": 9});
    scene.put_with(wrong, &[("DELIVERED", 9)]);
    let stats = json!({"total": 10, "delivered": 4, "opened": 6});
    let id = scene.twilio.put(Duration::ZERO, stats);
    let seen = scene.seen("a mode", |seen| mode(seen) == Some(1.0)).await;
    assert_eq!(delivered(&seen), Some(9.0 + 4.0));
    let shown = scene.watch(id).await;
    assert_eq!(shown.last(), Some(&Some(0.0)), "{shown:?}");
    let seen = scene.exporter.scrape().await;
    assert_eq!(
        (mode(&seen), delivered(&seen)),
        (Some(0.0), Some(9.0 + 10.0))
    );
    scene.exporter.stop().await.unwrap();
    let again = start(&yaml, &scene.clock).await;
    let scene = Scene {
        exporter: again,
        ..scene
    };
    let seen = scene
        .seen("the proof is loaded", |seen| mode(seen) == Some(0.0))
        .await;
    assert_eq!(delivered(&seen), Some(9.0 + 10.0));
}
