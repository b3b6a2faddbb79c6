//! Unlimited sequences of generated operations. An operation's creation time and spec are functions of its index; nothing is
//! stored.

use std::time::Duration;

use super::id::{CHANCE_BITS, OperationPosition};
use super::life::{Origin, Spec};
use super::pace::Pace;
use super::random::{Draws, mix};
use super::settings::WorldSettings;

/// The oldest preloaded operation is 1/`MARGIN` of the retention younger than the retention, so that none expires in the first hour.
const MARGIN: i64 = 168;
/// The shortest time between two operations of a stream, in milliseconds, so that their times determine their order.
const CLOSEST: i64 = 10;
/// The first campaign starts within this time, in milliseconds, so that the demo shows a change soon.
const FIRST_CAMPAIGN: u64 = 3_000;
/// Each special kind of campaign occurs once per `ROUND` campaigns.
const ROUND: i64 = 6;
/// The shortest and longest sending time of an active bulk operation, in seconds: its stats change every few seconds for about a day.
const ACTIVE_SPAN: (f64, f64) = (12.0 * 3600.0, 36.0 * 3600.0);

/// When the operations of a stream are created.
#[derive(Debug)]
enum CreationSchedule {
    /// All before the start, at even intervals; `active` of them still change.
    Preloaded { active: u64 },
    /// Before the start at intervals that decrease; after it one per `every` milliseconds, until `end`.
    Running { every: i64, end: i64 },
}

/// A sequence of operations, oldest first.
#[derive(Debug)]
pub(super) struct OperationStream {
    seed: u64,
    start: i64,
    /// The time between the first operation and the start, in milliseconds.
    reach: i64,
    /// The number of operations before the start.
    history: u64,
    schedule: CreationSchedule,
    origin: Origin,
    fails_campaigns: bool,
    tracks_opens: bool,
    pace: Pace,
}

impl OperationStream {
    /// The streams for `settings`.
    pub(super) fn all(settings: &WorldSettings, pace: Pace, start: i64) -> Vec<Self> {
        let retention = millis(settings.retention);
        let stream = |origin, history: u32, schedule, fails_campaigns| Self {
            seed: mix(settings.seed, origin as u64),
            start,
            reach: retention - retention / MARGIN,
            history: u64::from(history),
            schedule,
            origin,
            fails_campaigns,
            tracks_opens: settings.tracks_opens,
            pace,
        };
        let mut streams = Vec::new();
        if settings.operations > 0 {
            let active = u64::from(settings.active.min(settings.operations));
            let schedule = CreationSchedule::Preloaded { active };
            streams.push(stream(Origin::Bulk, settings.operations, schedule, false));
        }
        if let Some(traffic) = &settings.traffic {
            let lasts = traffic.lasts.map(millis);
            let running = |every| CreationSchedule::Running {
                every: pace.millis(every).max(CLOSEST),
                end: lasts.map_or(i64::MAX, |lasts| start.saturating_add(lasts)),
            };
            let (campaigns, singles) = (traffic.history - traffic.history / 3, traffic.history / 3);
            let (rare, frequent) = (
                running(traffic.campaign_every),
                running(traffic.single_every),
            );
            streams.push(stream(
                Origin::Campaign,
                campaigns,
                rare,
                traffic.fails_campaigns,
            ));
            streams.push(stream(Origin::Single, singles, frequent, false));
        }
        streams
    }

    /// The number of operations that were created up to `until`.
    pub(super) fn count(&self, until: i64) -> u64 {
        let (most, until) = match self.schedule {
            CreationSchedule::Preloaded { .. } => (self.history, until),
            CreationSchedule::Running { every, end } => {
                let until = until.min(end);
                let after = until.saturating_sub(self.start).max(0) / every;
                (self.history + after.unsigned_abs() + 1, until)
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

    /// The position of the operation at `index` in the account.
    pub(super) fn position(&self, index: u64) -> OperationPosition {
        let chance = u128::from(mix(self.seed, index)) << 64 | u128::from(mix(!self.seed, index));
        OperationPosition {
            created: self.created(index),
            chance: chance & ((1 << CHANCE_BITS) - 1),
        }
    }

    /// The index of the operation at exactly `position`, if this stream has it.
    pub(super) fn find(&self, position: OperationPosition) -> Option<u64> {
        let index = self.count(position.created).checked_sub(1)?;
        (self.position(index) == position).then_some(index)
    }

    /// The creation time of `index`: a time within its slot, so that the order by index is the order by time.
    fn created(&self, index: u64) -> i64 {
        let (from, until) = (self.edge(index), self.edge(index + 1));
        let mut slot = (until - from).max(1).unsigned_abs();
        if self.origin == Origin::Campaign && index == self.history {
            slot = slot.min(FIRST_CAMPAIGN);
        }
        from + signed(mix(self.seed ^ 1, index) % slot)
    }

    /// The start of the slot of `index`; strictly increasing.
    fn edge(&self, index: u64) -> i64 {
        let left = i128::from(self.history) - i128::from(index);
        let whole = i128::from(self.history.max(1));
        let before = match self.schedule {
            CreationSchedule::Running { every, .. } if left <= 0 => left * i128::from(every),
            CreationSchedule::Running { .. } => {
                // The cube puts half of the operations into the last eighth of the time, so that the last day has many.
                i128::from(self.reach) * left.pow(3) / whole.pow(3) + left
            }
            CreationSchedule::Preloaded { .. } => i128::from(self.reach) * left / whole,
        };
        let before = before.clamp(i128::from(i64::MIN / 2), i128::from(i64::MAX / 2));
        self.start - i64::try_from(before).unwrap_or(0)
    }

    /// The spec of the operation at `index`.
    pub(super) fn spec(&self, index: u64) -> Spec {
        let created = self.created(index);
        let seed = mix(self.seed ^ 2, index);
        let mut spec = self.usual_spec(index, created, seed);
        if !self.tracks_opens {
            spec.opening = 0.0;
        }
        spec
    }

    fn usual_spec(&self, index: u64, created: i64, seed: u64) -> Spec {
        match (self.origin, &self.schedule) {
            (Origin::Campaign, _) => self.campaign(index, created, seed),
            (Origin::Bulk, CreationSchedule::Preloaded { active })
                if self.is_active(index, *active) =>
            {
                self.active(created, seed)
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

    /// Whether the operation at `index` is active; `active` operations are spread evenly over the stream.
    fn is_active(&self, index: u64, active: u64) -> bool {
        index * active / self.history != (index + 1) * active / self.history
    }

    /// A preloaded operation that is still being sent while the simulator runs.
    fn active(&self, created: i64, seed: u64) -> Spec {
        let mut draws = Draws::new(seed);
        let begins =
            created.max(self.start - self.pace.millis_of(draws.between(0.0, 6.0 * 3600.0)));
        Spec {
            begins,
            ends: begins
                + self
                    .pace
                    .millis_of(draws.between(ACTIVE_SPAN.0, ACTIVE_SPAN.1)),
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
        // Counted from the first campaign after the start, which is the failing one.
        match (signed(index) - signed(self.history)).rem_euclid(ROUND) {
            0 if self.fails_campaigns => {
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

/// The spec of a usual operation: it is sent immediately, and a few of its emails fail.
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
    use crate::simulator::settings::Traffic;

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
    fn the_configured_numbers_of_operations_are_preloaded_and_active() {
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
    fn no_operation_is_created_after_the_traffic_has_ended() {
        let day = millis(Duration::from_hours(24));
        let settings = WorldSettings {
            traffic: Some(Traffic {
                lasts: Some(Duration::from_hours(24)),
                ..Traffic::default()
            }),
            ..WorldSettings::empty()
        };
        let endless = streams(&WorldSettings::default());
        for (stream, endless) in streams(&settings).iter().zip(&endless) {
            let count = stream.count(START + day);
            assert_eq!(count, endless.count(START + day));
            assert!(endless.count(START + 3 * day) > count);
            assert_eq!(stream.count(START + 3 * day), count);
            assert!(stream.find(stream.position(count - 1)).is_some());
            assert_eq!(stream.find(stream.position(count + 1)), None);
        }
    }

    #[test]
    fn the_first_campaign_fails_and_every_kind_of_campaign_occurs() {
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
