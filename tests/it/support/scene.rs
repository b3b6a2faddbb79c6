//! The usual scene: a healthy account with two operations, and a clock that only the test sets.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;
use twilio_email_exporter::timestamp::Timestamp;

use super::PATIENCE;
use super::exporter::{Exporter, one_account};
use super::exposition::Exposition;
use super::twilio::Twilio;

/// The time between two scrapes.
pub(crate) const INTERVAL: Duration = Duration::from_secs(15);
/// How long the counters of a new label value are 0.
pub(crate) const ZERO_FOR: Duration = Duration::from_mins(2);

/// An exporter that has read two operations: one that only the list returns, and one that is configured.
pub(crate) struct Scene {
    pub(crate) clock: Clock,
    pub(crate) twilio: Twilio,
    pub(crate) exporter: Exporter,
    pub(crate) listed: OperationId,
    pub(crate) configured: OperationId,
    /// The last scrape while everything was healthy.
    pub(crate) healthy: Exposition,
}

/// A clock that shows some morning.
pub(crate) fn morning() -> Clock {
    Clock::manual("2026-04-05T06:20:00Z".parse::<Timestamp>().unwrap())
}

/// Advances `clock`.
pub(crate) fn pass(clock: &Clock, span: Duration) {
    clock.set(clock.now() + span);
}

/// Scrapes at [`INTERVAL`] until a scrape shows what is `wanted`.
pub(crate) async fn scrape_until(
    exporter: &Exporter,
    clock: &Clock,
    what: &str,
    wanted: impl Fn(&Exposition) -> bool,
) -> Exposition {
    let deadline = Instant::now() + PATIENCE;
    loop {
        pass(clock, INTERVAL);
        let seen = exporter.scrape().await;
        if wanted(&seen) {
            return seen;
        }
        let families = seen.families.iter();
        let of_providers = families.filter(|family| family.name.contains("provider"));
        assert!(
            Instant::now() < deadline,
            "not within {PATIENCE:?}: {what}\n{:#?}",
            of_providers.collect::<Vec<_>>()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// The usual scene with `more` YAML of the account, one key per line.
    pub(crate) async fn with(more: &str) -> Self {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let hour = Duration::from_hours(1);
        let listed = twilio.put(hour, json!({"total": 7, "delivered": 7}));
        let configured = twilio.put(2 * hour, json!({"total": 3, "opened": 3}));
        let more = format!("operations:\n- id: {configured}\n{more}");
        let exporter = Exporter::start_at(&one_account(&twilio, &more), clock.clone()).await;
        let exporter = exporter.settled().await;
        pass(&clock, INTERVAL);
        let healthy = exporter.scrape().await;
        let scene = Self {
            clock,
            twilio,
            exporter,
            listed,
            configured,
            healthy,
        };
        scene.assert_healthy(&scene.healthy, "at first");
        scene.twilio.handle.reset_requests();
        scene
    }

    /// A scrape after the usual interval.
    pub(crate) async fn next(&self) -> Exposition {
        self.after(INTERVAL).await
    }

    /// A scrape after `span`.
    pub(crate) async fn after(&self, span: Duration) -> Exposition {
        pass(&self.clock, span);
        self.exporter.scrape().await
    }

    pub(crate) fn ids(&self) -> [OperationId; 2] {
        [self.listed, self.configured]
    }

    /// Everything is up and complete, and has the current stats at Twilio.
    #[track_caller]
    pub(crate) fn assert_healthy(&self, seen: &Exposition, when: &str) {
        let up = [
            ("up", 1.0),
            ("discovery_up", 1.0),
            ("collection_complete", 1.0),
            ("api_paused_until_timestamp_seconds", 0.0),
        ];
        seen.expect(when, &up);
        let now = self.clock.now().as_seconds();
        for id in self.ids() {
            assert_eq!(seen.of_operation(id, "up"), Some(1.0), "{id} up {when}");
            let success = seen.of_operation(id, "last_success_timestamp_seconds");
            assert_eq!(success, Some(now), "{id} last success {when}");
        }
        self.assert_stats(seen, when);
    }

    /// Both operations still have their healthy values, with the right age.
    #[track_caller]
    pub(crate) fn assert_kept(&self, seen: &Exposition, when: &str) {
        let success = "last_success_timestamp_seconds";
        for id in self.ids() {
            assert_eq!(seen.of_operation(id, "up"), Some(0.0), "{id} up {when}");
            assert_eq!(
                seen.of_operation(id, success),
                self.healthy.of_operation(id, success),
                "{id} last success {when}"
            );
        }
        self.assert_stats(seen, when);
    }

    #[track_caller]
    fn assert_stats(&self, seen: &Exposition, when: &str) {
        let found = (
            seen.emails(self.listed, "delivered"),
            seen.emails(self.configured, "opened"),
            seen.value("twilio_email_operations", &[("state", "completed")]),
        );
        assert_eq!(found, (Some(7.0), Some(3.0), Some(2.0)), "stats {when}");
    }
}
