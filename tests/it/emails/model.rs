//! The collector of emails and a simple model of it, through random histories: emails appear, arrive, are opened and are lost; lists fail;
//! the process is killed and starts again. No counter is ever lower than before or above the model, and in the end all are equal to it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::timestamp::Timestamp;

use super::*;
use crate::support::PATIENCE;

/// Operations in a history, half of them from before the exporter.
const OPERATIONS: usize = 4;
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
/// Longer than the longest interval between two reads, in steps that each have a run.
const SETTLING: u32 = 14;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    /// Some more emails of an operation are delivered, opened and lost, if there are any. It appears with the first ones.
    Change(usize, [u8; 3]),
    /// Requests for emails fail from now on, in one of these ways.
    Fail(&'static str),
    /// Requests succeed again.
    Heal,
    /// The exporter stops at once and starts again.
    Kill,
    /// Time passes: minutes.
    Pass(u64),
    /// Prometheus scrapes.
    Scrape,
}

fn event() -> impl Strategy<Value = Event> {
    let faults = vec![
        "emails=500",
        "emails=503:retry-after=1",
        "emails=cut",
        "emails=401",
        "emails=html",
        "emails:page=2=500",
        "emails=moving-rows",
        "unfiltered-emails=403",
        "all=500",
    ];
    prop_oneof![
        6 => (0..OPERATIONS, [0_u8..30, 0_u8..20, 0_u8..9]).prop_map(|(at, moved)| Event::Change(at, moved)),
        1 => prop::sample::select(faults).prop_map(Event::Fail),
        1 => Just(Event::Heal),
        1 => Just(Event::Kill),
        2 => (1_u64..200).prop_map(Event::Pass),
        6 => Just(Event::Scrape),
    ]
}

/// The emails of an operation: each is sent, then delivered or lost; a delivered one may be opened.
#[derive(Debug, Clone, Copy, Default)]
struct Sends {
    sent: u64,
    delivered: u64,
    opened: u64,
    undelivered: u64,
}

impl Sends {
    fn advance(&mut self, [delivered, opened, undelivered]: [u8; 3]) {
        let take = |from: u64, wanted: u8| u64::from(wanted).min(from);
        let delivered = take(self.sent, delivered);
        let undelivered = take(self.sent - delivered, undelivered);
        let opened = take(self.delivered, opened);
        self.sent -= delivered + undelivered;
        self.delivered = self.delivered + delivered - opened;
        self.opened += opened;
        self.undelivered += undelivered;
    }

    /// Emails that reached each outcome: delivered, opened, undelivered.
    fn outcomes(&self) -> [u64; 3] {
        [self.delivered + self.opened, self.opened, self.undelivered]
    }
}

struct World {
    clock: Clock,
    twilio: Twilio,
    directory: TempDir,
    /// The exporter, in a runtime of its own: it can be ended at any moment, with everything in it.
    exporter: Option<(Exporter, Runtime)>,
    born: Timestamp,
    sends: [Option<Sends>; OPERATIONS],
    /// What counters do not include.
    baseline: [u64; 3],
    last: [u64; 3],
}

impl World {
    async fn new() -> Self {
        let (clock, twilio) = quiet_account().await;
        let mut world = Self {
            born: clock.now(),
            clock,
            twilio,
            directory: tempfile::tempdir().unwrap(),
            exporter: None,
            sends: [None; OPERATIONS],
            baseline: [0; 3],
            last: [0; 3],
        };
        for at in (0..OPERATIONS).step_by(2) {
            world.advance(at, [7, 0, 1]);
            world.advance(at, [0, 2, 0]);
        }
        world.baseline = world.truth();
        world.start().await;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while world.scrape().await.is_none() {
            assert!(tokio::time::Instant::now() < deadline, "no counters");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        pass(&world.clock, MINUTE);
        world
    }

    fn id(&self, at: usize) -> OperationId {
        let minutes = u32::try_from(at).unwrap() * MINUTE;
        let created = if at.is_multiple_of(2) {
            self.born - MINUTE - minutes
        } else {
            self.born + Duration::from_secs(9) + minutes / 8
        };
        operation_id(created, at as u128 + 1)
    }

    fn advance(&mut self, at: usize, moved: [u8; 3]) {
        let id = self.id(at);
        let sends = self.sends[at].get_or_insert(Sends {
            sent: 60,
            ..Sends::default()
        });
        sends.advance(moved);
        let stats = json!({
            "total": 60, "sent": sends.sent, "delivered": sends.delivered, "opened": sends.opened, "undelivered": sends.undelivered,
        });
        self.twilio.set(id, id.created(), "COMPLETED", stats);
    }

    /// The outcomes that all emails have reached.
    fn truth(&self) -> [u64; 3] {
        let mut sums = [0; 3];
        for sends in self.sends.iter().flatten() {
            for (sum, outcome) in sums.iter_mut().zip(sends.outcomes()) {
                *sum += outcome;
            }
        }
        sums
    }

    /// The highest values that counters may have.
    fn most(&self) -> [u64; 3] {
        let truth = self.truth();
        std::array::from_fn(|at| truth[at] - self.baseline[at])
    }

    async fn start(&mut self) {
        let yaml = configuration(
            &self.twilio,
            "request_timeout: 1s",
            "",
            Some(self.directory.path()),
        );
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let clock = self.clock.clone();
        let exporter =
            runtime.spawn(async move { Exporter::start_at(&yaml, clock).await.settled().await });
        self.exporter = Some((exporter.await.unwrap(), runtime));
    }

    /// Ends the exporter as if its process were killed: nothing is finished.
    async fn end(&mut self) {
        if let Some((exporter, runtime)) = self.exporter.take() {
            drop(exporter);
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE));
            ended.await.unwrap();
        }
    }

    async fn happen(&mut self, event: &Event) -> Result<(), String> {
        pass(&self.clock, MINUTE / 4);
        match event {
            Event::Change(at, moved) => self.advance(*at, *moved),
            Event::Fail(how) => self.twilio.fault(how),
            Event::Heal => self.twilio.handle.clear_faults(),
            Event::Kill => {
                self.end().await;
                self.start().await;
            }
            Event::Pass(minutes) => pass(&self.clock, Duration::from_mins(*minutes)),
            Event::Scrape => {}
        }
        self.check().await
    }

    async fn scrape(&self) -> Option<[u64; 3]> {
        let seen = self.exporter.as_ref().unwrap().0.scrape().await;
        let mut found = [0; 3];
        for (found, name) in found.iter_mut().zip(["delivered", "opened", "undelivered"]) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small counts"
            )]
            let value = outcome(&seen, "other", name)? as u64;
            *found = value;
        }
        Some(found)
    }

    /// No counter is lower than before or above the truth.
    async fn check(&mut self) -> Result<(), String> {
        // After a start, what was saved may still be loading.
        if let Some(now) = self.scrape().await {
            let (last, most) = (self.last, self.most());
            let is_lower = now.iter().zip(last).any(|(now, before)| *now < before);
            let is_above = now.iter().zip(most).any(|(now, most)| *now > most);
            self.last = now;
            if is_lower || is_above {
                return Err(format!(
                    "counters {now:?} after {last:?}; the truth is {most:?}"
                ));
            }
        }
        Ok(())
    }

    /// After a while without failures, every counter is the truth.
    async fn settle(&mut self) -> Result<(), String> {
        self.twilio.handle.clear_faults();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut hours = 0;
        while self.last != self.most() {
            self.check().await?;
            if hours < SETTLING {
                pass(&self.clock, HOUR);
                hours += 1;
            } else {
                pass(&self.clock, MINUTE);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            if tokio::time::Instant::now() >= deadline {
                return Err(format!(
                    "counters {:?} stay below {:?}",
                    self.last,
                    self.most()
                ));
            }
        }
        Ok(())
    }
}

#[test]
fn counters_of_emails_are_those_of_the_model_whatever_happens() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 8,
        failure_persistence: None,
        ..Config::default()
    });
    let histories = proptest::collection::vec(event(), 1..25);
    let outcome = runner.run(&histories, |events| {
        runtime.block_on(async {
            let mut world = World::new().await;
            let mut happened = Ok(());
            for event in &events {
                happened = world.happen(event).await;
                if happened.is_err() {
                    break;
                }
            }
            if happened.is_ok() {
                happened = world.settle().await;
            }
            world.end().await;
            happened.map_err(TestCaseError::fail)
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
