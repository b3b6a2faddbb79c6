//! Endless rows of operations that nobody stores: the time and the nature of each follow from its index.

use std::time::Duration;

use super::id::{CHANCE_BITS, OperationPosition};
use super::life::{Origin, Spec};
use super::pace::Pace;
use super::random::{Draws, mix};
use super::settings::WorldSettings;

/// Preloaded operations end this fraction of the retention before they would expire, so that all of them live
/// through the first hour of a test.
const MARGIN: i64 = 168;
/// Operations of one row are at least this far apart, or their order could not follow from the time alone.
const CLOSEST: i64 = 10;
/// The first campaign of a run starts within this time, so that whoever watches sees something begin.
const FIRST_CAMPAIGN: u64 = 3_000;
/// Every so many campaigns each of the odd ones comes round once.
const ROUND: i64 = 6;
/// Sending time of a bulk operation that is still moving: its figures change every few seconds for a day or so.
const MOVING: (f64, f64) = (12.0 * 3600.0, 36.0 * 3600.0);

/// When the operations of a stream are created.
#[derive(Debug)]
enum CreationSchedule {
    /// So many, evenly over the time before the start; `active` of them still move.
    Preloaded { active: u64 },
    /// So many before the start, ever closer together towards it, and after it one per `every` milliseconds.
    Running { every: i64 },
}

/// One row of operations, oldest first.
#[derive(Debug)]
pub(super) struct OperationStream {
    seed: u64,
    start: i64,
    /// How far before the start the row begins, in milliseconds.
    reach: i64,
    /// How many there are before the start.
    history: u64,
    rhythm: CreationSchedule,
    origin: Origin,
    trouble: bool,
    pace: Pace,
}

impl OperationStream {
    /// The rows that `settings` ask for.
    pub(super) fn all(settings: &WorldSettings, pace: Pace, start: i64) -> Vec<Self> {
        let retention = millis(settings.retention);
        let stream = |origin, history: u32, rhythm, trouble| Self {
            seed: mix(settings.seed, origin as u64),
            start,
            reach: retention - retention / MARGIN,
            history: u64::from(history),
            rhythm,
            origin,
            trouble,
            pace,
        };
        let mut streams = Vec::new();
        if settings.operations > 0 {
            let active = u64::from(settings.active.min(settings.operations));
            let rhythm = CreationSchedule::Preloaded { active };
            streams.push(stream(Origin::Bulk, settings.operations, rhythm, false));
        }
        if let Some(traffic) = &settings.traffic {
            let running = |every| CreationSchedule::Running {
                every: pace.millis(every).max(CLOSEST),
            };
            let (campaigns, singles) = (traffic.history - traffic.history / 3, traffic.history / 3);
            let (rare, frequent) = (
                running(traffic.campaign_every),
                running(traffic.single_every),
            );
            streams.push(stream(Origin::Campaign, campaigns, rare, traffic.trouble));
            streams.push(stream(Origin::Single, singles, frequent, false));
        }
        streams
    }

    /// How many operations there are at `now` that were created up to `until`.
    pub(super) fn count(&self, until: i64) -> u64 {
        let most = match self.rhythm {
            CreationSchedule::Preloaded { .. } => self.history,
            CreationSchedule::Running { every } => {
                self.history + (until.saturating_sub(self.start).max(0) / every).unsigned_abs() + 1
            }
        };
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.created(middle) <= until {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Where the operation at `index` stands in the account.
    pub(super) fn position(&self, index: u64) -> OperationPosition {
        let chance = u128::from(mix(self.seed, index)) << 64 | u128::from(mix(!self.seed, index));
        OperationPosition {
            created: self.created(index),
            chance: chance & ((1 << CHANCE_BITS) - 1),
        }
    }

    /// The operation at `position`, if this stream has one exactly there.
    pub(super) fn find(&self, position: OperationPosition) -> Option<u64> {
        let index = self.count(position.created).checked_sub(1)?;
        (self.position(index) == position).then_some(index)
    }

    /// A time within the slot of `index`, so that order by index is order by time.
    fn created(&self, index: u64) -> i64 {
        let (from, until) = (self.edge(index), self.edge(index + 1));
        let mut slot = (until - from).max(1).unsigned_abs();
        if self.origin == Origin::Campaign && index == self.history {
            slot = slot.min(FIRST_CAMPAIGN);
        }
        from + signed(mix(self.seed ^ 1, index) % slot)
    }

    /// Where the slot of `index` begins; strictly rising.
    fn edge(&self, index: u64) -> i64 {
        let left = i128::from(self.history) - i128::from(index);
        let whole = i128::from(self.history.max(1));
        let before = match self.rhythm {
            CreationSchedule::Running { every } if left <= 0 => left * i128::from(every),
            CreationSchedule::Running { .. } => {
                // The cube lets half of the history fall into its last eighth: a day has more to see than a week.
                i128::from(self.reach) * left.pow(3) / whole.pow(3) + left
            }
            CreationSchedule::Preloaded { .. } => i128::from(self.reach) * left / whole,
        };
        let before = before.clamp(i128::from(i64::MIN / 2), i128::from(i64::MAX / 2));
        self.start - i64::try_from(before).unwrap_or(0)
    }

    /// What the operation at `index` is going to live through.
    pub(super) fn spec(&self, index: u64) -> Spec {
        let created = self.created(index);
        let seed = mix(self.seed ^ 2, index);
        match (self.origin, &self.rhythm) {
            (Origin::Campaign, _) => self.campaign(index, created, seed),
            (Origin::Bulk, CreationSchedule::Preloaded { active })
                if self.moves(index, *active) =>
            {
                self.moving(created, seed)
            }
            (Origin::Bulk, _) => {
                let mut draws = Draws::new(seed);
                let emails = if draws.whole(1, 5) == 1 {
                    draws.whole(2, 20)
                } else {
                    1
                };
                small(self.pace, Origin::Bulk, created, emails, seed)
            }
            (origin, _) => small(self.pace, origin, created, 1, seed),
        }
    }

    /// Spreads `active` operations evenly over the whole row.
    fn moves(&self, index: u64, active: u64) -> bool {
        index * active / self.history != (index + 1) * active / self.history
    }

    /// A preloaded operation whose sending happens to be under way while the simulator runs.
    fn moving(&self, created: i64, seed: u64) -> Spec {
        let mut draws = Draws::new(seed);
        let begins =
            created.max(self.start - self.pace.millis_of(draws.between(0.0, 6.0 * 3600.0)));
        Spec {
            begins,
            ends: begins + self.pace.millis_of(draws.between(MOVING.0, MOVING.1)),
            scheduled: true,
            ..small(
                self.pace,
                Origin::Bulk,
                created,
                draws.whole(5_000, 10_000),
                seed,
            )
        }
    }

    fn campaign(&self, index: u64, created: i64, seed: u64) -> Spec {
        let mut draws = Draws::new(seed);
        let emails = draws.whole(1_000, 10_000);
        let mut spec = small(self.pace, Origin::Campaign, created, emails, seed);
        let mut span = self
            .pace
            .millis_of(draws.between(3.0 * 3600.0, 6.0 * 3600.0));
        // Counted from the first campaign of the run, which is the one that goes wrong.
        match (signed(index) - signed(self.history)).rem_euclid(ROUND) {
            0 if self.trouble => {
                (spec.failing, spec.bouncing) = (0.08, 0.3);
                span = self.pace.millis(Duration::from_mins(20));
            }
            3 => {
                spec.scheduled = true;
                spec.begins = created + self.pace.millis(Duration::from_hours(12));
            }
            5 => spec.cancels = spec.begins + span * 2 / 5,
            _ => {}
        }
        spec.ends = spec.begins + span;
        spec
    }
}

/// An operation without anything special: it is sent at once, and a few of its emails fail.
pub(super) fn small(pace: Pace, origin: Origin, created: i64, emails: u32, seed: u64) -> Spec {
    let mut draws = Draws::new(seed ^ 3);
    let begins = created + pace.millis(Duration::from_secs(3));
    let lost = draws.between(0.003, 0.015);
    Spec {
        created,
        begins,
        ends: begins + pace.millis(Duration::from_secs(2) * emails),
        cancels: i64::MAX,
        seed,
        emails,
        failing: share(lost * 0.3),
        bouncing: share(lost * 0.7),
        opening: share(draws.between(0.15, 0.45)),
        scheduled: false,
        origin,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a share needs no more than 24 bits"
)]
fn share(share: f64) -> f32 {
    share as f32
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A span in milliseconds.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::life::LifePhase;

    const START: i64 = 1_775_370_000_000;

    fn streams(settings: &WorldSettings) -> Vec<OperationStream> {
        OperationStream::all(settings, Pace::new(settings.speed), START)
    }

    #[test]
    fn order_by_index_is_order_by_time_and_ids_are_found() {
        let settings = WorldSettings {
            operations: 1000,
            active: 10,
            ..WorldSettings::default()
        };
        for stream in streams(&settings) {
            let count = stream.count(START + 3_600_000);
            assert!(count >= 20, "{stream:?} has {count}");
            for index in 0..count {
                assert!(stream.created(index) < stream.created(index + 1));
                assert_eq!(stream.count(stream.created(index)), index + 1);
                assert_eq!(stream.find(stream.position(index)), Some(index));
            }
        }
    }

    #[test]
    fn the_asked_number_is_preloaded_and_the_asked_number_moves() {
        let settings = WorldSettings {
            operations: 1003,
            active: 17,
            ..WorldSettings::empty()
        };
        let [bulk] = &streams(&settings)[..] else {
            panic!("one stream");
        };
        assert_eq!(bulk.count(START), 1003);
        let moving = (0..1003).filter(|index| bulk.spec(*index).scheduled);
        assert_eq!(moving.count(), 17);
        let oldest = START - bulk.created(0);
        assert!(oldest < millis(settings.retention));
    }

    #[test]
    fn a_run_starts_with_a_campaign_that_goes_wrong_and_has_every_kind() {
        let settings = WorldSettings {
            speed: 60.0,
            ..WorldSettings::default()
        };
        let campaigns = &streams(&settings)[0];
        let first = campaigns.spec(campaigns.history);
        assert!(first.created - START < 3_000);
        let minute = first.tally(campaigns.pace, START + 60_000);
        let lost = f64::from(minute.failed + minute.undelivered) / f64::from(minute.made);
        assert!((0.3..0.4).contains(&lost), "{lost}");

        let phases: Vec<LifePhase> = (0..campaigns.count(START + 60_000))
            .map(|index| campaigns.spec(index).phase(START + 60_000))
            .collect();
        for phase in [
            LifePhase::Scheduled,
            LifePhase::Processing,
            LifePhase::Completed,
            LifePhase::Canceled,
        ] {
            assert!(phases.contains(&phase), "{phase:?}");
        }
        for index in 0..campaigns.count(START) {
            assert!((1_000..=10_000).contains(&campaigns.spec(index).emails));
        }
    }
}
