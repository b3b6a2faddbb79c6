//! The exporter and a simple model of it, through random histories: operations appear, change, are corrected and
//! disappear; collections fail and time out; the process is killed and starts again. The test compares every counter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tokio::runtime::Builder;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{self, SimulatorSettings};
use twilio_email_exporter::timestamp::Timestamp;

use crate::support::PATIENCE;
use crate::support::exporter::one_account;
use crate::support::exposition::Exposition;
use crate::support::killable::KillableExporter;
use crate::support::twilio::Twilio;

/// Operations in a history.
const OPERATIONS: usize = 4;
/// The failure that takes time: requests time out, and collections take longer than their scrapes.
const HANG: &str = "all=hang";
/// The timeout of a scrape that ends long before such a collection: this, less half a second.
const SHORT: f64 = 0.6;
const DAY: Duration = Duration::from_hours(24);

/// An event of a history.
#[derive(Debug, Clone)]
enum Event {
    /// An operation has these stats from now on: delivered, opened, failed. The first ones create it.
    Stats(usize, [u8; 3]),
    /// Twilio no longer returns it, although it should.
    Vanish(usize),
    /// Every request fails from now on, in one of these ways.
    Fail(&'static str),
    /// Twilio works again.
    Heal,
    /// The exporter stops at once and starts again.
    Restart,
    /// Time passes: hours.
    Pass(u64),
    /// Prometheus scrapes.
    Scrape,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..OPERATIONS, [0_u8..40, 0_u8..40, 0_u8..9]).prop_map(|(operation, stats)| Event::Stats(operation, stats)),
        1 => (0..OPERATIONS).prop_map(Event::Vanish),
        1 => prop::sample::select(vec!["all=500", "all=503:retry-after=1", "all=cut", "all=401", "all=html", HANG]).prop_map(Event::Fail),
        2 => Just(Event::Heal),
        1 => Just(Event::Restart),
        1 => (1_u64..40).prop_map(Event::Pass),
        8 => Just(Event::Scrape),
    ]
}

/// What counters must be: the high-water marks of all stats that a working scrape has read.
#[derive(Debug, Default)]
struct Model {
    marks: BTreeMap<OperationId, [u64; 4]>,
    baseline: BTreeMap<OperationId, [u64; 4]>,
}

impl Model {
    fn see(&mut self, id: OperationId, [delivered, opened, failed]: [u8; 3], counts: bool) {
        let [delivered, opened, failed] = [delivered, opened, failed].map(u64::from);
        // Exclusive: an opened email is no longer delivered, and the stats add up to the total.
        let shown = [
            delivered + opened + failed,
            delivered + opened,
            opened,
            failed,
        ];
        if !counts && !self.marks.contains_key(&id) {
            self.baseline.insert(id, shown);
        }
        let marks = self.marks.entry(id).or_default();
        for (mark, shown) in marks.iter_mut().zip(shown) {
            *mark = (*mark).max(shown);
        }
    }

    /// Accepted, delivered, opened, failed.
    fn counters(&self) -> [u64; 4] {
        let mut sums = [0; 4];
        for (id, marks) in &self.marks {
            let before = self.baseline.get(id).copied().unwrap_or_default();
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum += marks[at] - before[at];
            }
        }
        sums
    }
}

struct World {
    twilio: Twilio,
    clock: Clock,
    directory: tempfile::TempDir,
    exporter: Option<KillableExporter>,
    born: Timestamp,
    ids: Vec<(OperationId, Timestamp)>,
    /// The stats that Twilio returns now.
    stats: BTreeMap<OperationId, [u8; 3]>,
    healthy: bool,
    /// Whether requests get no response.
    hanging: bool,
    model: Model,
    last: [u64; 4],
    /// Whether the collection of the last scrape outlasted it. The next scrape joins that collection, which may have read Twilio
    /// before the last event.
    outlasted: bool,
}

/// How counters differ from those of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mismatch {
    /// One is lower than in the last scrape.
    Lower,
    /// One is above the model.
    Above,
    /// One is below the model.
    Behind,
}

impl World {
    async fn new() -> Self {
        let born = Timestamp::from_millis(1_775_370_000_000);
        let clock = Clock::manual(born);
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        // Half of them were created before the exporter started.
        let created = |n: u64| {
            if n.is_multiple_of(2) {
                born - Duration::from_mins(n + 1)
            } else {
                born + Duration::from_secs(n)
            }
        };
        let ids = (0..OPERATIONS as u64)
            .map(|n| {
                (
                    simulator::operation_id(created(n), u128::from(n)),
                    created(n),
                )
            })
            .collect();
        let mut world = Self {
            twilio,
            clock,
            directory: tempfile::tempdir().unwrap(),
            exporter: None,
            born,
            ids,
            stats: BTreeMap::new(),
            healthy: true,
            hanging: false,
            model: Model::default(),
            last: [0; 4],
            outlasted: false,
        };
        world.start().await;
        world
    }

    async fn start(&mut self) {
        let yaml = one_account(
            &self.twilio,
            "stats_reading: exclusive\nrequest_timeout: 1s",
        ) + &format!("storage: {{path: {}}}\n", self.directory.path().display());
        self.exporter = Some(KillableExporter::start(yaml, self.clock.clone()).await);
        self.outlasted = false;
        self.saw();
    }

    /// Ends the exporter as if its process were killed: nothing is finished.
    async fn end(&mut self) {
        if let Some(exporter) = self.exporter.take() {
            exporter.kill().await;
        }
    }

    async fn happen(&mut self, event: &Event) -> Result<(), String> {
        self.clock.set(self.clock.now() + Duration::from_mins(1));
        match event {
            Event::Stats(operation, stats) => {
                let (id, created) = self.ids[*operation];
                let [delivered, opened, failed] = *stats;
                let total: u32 = stats.iter().map(|count| u32::from(*count)).sum();
                self.stats.insert(id, *stats);
                let stats = json!({"total": total, "delivered": delivered, "opened": opened, "failed": failed});
                self.twilio.set(id, created, "COMPLETED", stats);
            }
            Event::Vanish(operation) => {
                self.stats.remove(&self.ids[*operation].0);
                self.twilio
                    .handle
                    .remove(&self.ids[*operation].0.to_string());
            }
            Event::Fail(how) => {
                self.healthy = false;
                self.hanging |= *how == HANG;
                self.twilio.fault(how);
            }
            Event::Heal => {
                self.twilio.handle.clear_faults();
                if self.hanging {
                    // Joins the collection that still waits for responses.
                    self.exporter.as_ref().unwrap().scrape().await;
                }
                (self.healthy, self.hanging) = (true, false);
                // Longer than any pause and any backoff of a rejected list.
                self.clock.set(self.clock.now() + Duration::from_hours(2));
            }
            Event::Restart => {
                self.end().await;
                self.start().await;
            }
            Event::Pass(hours) => self
                .clock
                .set(self.clock.now() + Duration::from_hours(*hours)),
            Event::Scrape => {}
        }
        self.scrape().await
    }

    /// Adds the stats that a working collection reads now to the model.
    fn saw(&mut self) {
        let now = self.clock.now();
        for (id, created) in self
            .ids
            .iter()
            .filter(|(_, created)| self.healthy && now < *created + 7 * DAY)
        {
            // Shortly before an operation expires, stats that fall are ignored. Stats that rise are used, and marks
            // only rise.
            if let Some(stats) = self.stats.get(id) {
                self.model.see(*id, *stats, *created >= self.born);
            }
        }
    }

    async fn scrape(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        let mut is_repeated = false;
        loop {
            let seen = {
                let exporter = self.exporter.as_ref().unwrap();
                if self.hanging {
                    exporter.scrape_within(SHORT).await
                } else {
                    exporter.scrape().await
                }
            };
            self.saw();
            let outcome = self.compare(&seen);
            // On a busy machine a collection or a save may outlast its scrape, which is reported.
            let is_behind = seen.value("twilio_email_collection_complete", &[]) == Some(0.0)
                || seen
                    .value("twilio_email_exporter_state_unsaved_seconds", &[])
                    .is_some_and(|seconds| seconds > 0.0);
            // A save can finish after the counters of an exposition were taken and before the age of the unsaved changes is. That
            // happens once: the next scrape has what was saved.
            let is_first = !std::mem::replace(&mut is_repeated, true);
            let may_be_old =
                std::mem::replace(&mut self.outlasted, is_behind) || is_behind || is_first;
            if outcome != Err(Mismatch::Behind) || !may_be_old || Instant::now() >= deadline {
                return outcome.map_err(|mismatch| {
                    format!(
                        "{mismatch:?}: counters {:?}, the model {:?}\n{:#?}",
                        self.last,
                        self.model.counters(),
                        self.model
                    )
                });
            }
        }
    }

    /// Compares the counters with the model and with those of the last scrape.
    fn compare(&mut self, seen: &Exposition) -> Result<(), Mismatch> {
        let outcome = |outcome: &str| {
            seen.value("twilio_email_email_outcomes_total", &[("outcome", outcome)])
        };
        let accepted = seen.value("twilio_email_emails_accepted_total", &[]);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small counts"
        )]
        let counters = [
            accepted,
            outcome("delivered"),
            outcome("opened"),
            outcome("failed"),
        ]
        .map(|value| value.unwrap() as u64);
        let lower = counters
            .iter()
            .zip(self.last)
            .any(|(now, before)| *now < before);
        self.last = counters;
        let model = self.model.counters();
        let is_above = counters.iter().zip(model).any(|(now, most)| *now > most);
        if lower {
            Err(Mismatch::Lower)
        } else if self.healthy && is_above {
            Err(Mismatch::Above)
        } else if self.healthy && counters != model {
            Err(Mismatch::Behind)
        } else {
            Ok(())
        }
    }
}

#[test]
fn counters_equal_the_model_after_any_history() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let histories = proptest::collection::vec(event(), 1..40);
    let outcome = runner.run(&histories, |events| {
        runtime.block_on(async {
            let mut world = World::new().await;
            for event in &events {
                let happened = world.happen(event).await;
                if let Err(reason) = happened {
                    world.end().await;
                    return Err(TestCaseError::fail(reason));
                }
            }
            world.end().await;
            Ok(())
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
