//! Detects when this machine's clock was set, by a comparison with the monotonic clock.

use std::time::{Duration, Instant};

use crate::timestamp::Timestamp;

/// A smaller difference is no jump: the two clocks are not read at the same time, and NTP corrects small differences slowly.
const TOLERANCE: Duration = Duration::from_secs(1);

/// How far the clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jump {
    /// It was set forward, or the machine was suspended.
    Forward(Duration),
    /// It was set back.
    Back(Duration),
}

/// The last times at which both clocks agreed.
#[derive(Debug, Default)]
pub(super) struct ClockJumps(Option<(Timestamp, Instant)>);

impl ClockJumps {
    /// Compares the clocks; returns a jump since the last call that returned one.
    pub(super) fn compare(&mut self, now: Timestamp, instant: Instant) -> Option<Jump> {
        let (then, then_instant) = *self.0.get_or_insert((now, instant));
        let expected = then + instant.saturating_duration_since(then_instant);
        let (ahead, behind) = (now.since(expected), expected.since(now));
        if ahead.max(behind) <= TOLERANCE {
            return None;
        }
        self.0 = Some((now, instant));
        Some(if ahead > behind {
            Jump::Forward(ahead)
        } else {
            Jump::Back(behind)
        })
    }
}

impl Jump {
    /// Converts a time that the clock showed before the jump to what it shows for that moment now.
    pub(super) fn apply(self, time: Timestamp) -> Timestamp {
        match self {
            Self::Forward(span) => time + span,
            Self::Back(span) => time - span,
        }
    }

    /// Like [`Self::apply`], for the time of a read. After a jump forward the time stays: the machine may have been suspended, and then
    /// the read is that old. Everything is due once.
    pub(super) fn apply_to_read(self, time: Timestamp) -> Timestamp {
        match self {
            Self::Forward(_) => time,
            Self::Back(_) => self.apply(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[test]
    fn only_a_difference_of_more_than_a_second_is_a_jump_and_it_is_reported_once() {
        let (second, ms) = (Duration::from_secs(1), Duration::from_millis(1));
        let start = Instant::now();
        for (apart, jump) in [
            (Duration::ZERO, None),
            (second, None),
            (second + ms, Some(second + ms)),
        ] {
            let later = start + 10 * second;
            let mut jumps = ClockJumps::default();
            assert_eq!(jumps.compare(NOW, start), None);
            let forward = jumps.compare(NOW + 10 * second + apart, later);
            assert_eq!(forward, jump.map(Jump::Forward));
            assert_eq!(jumps.compare(NOW + 10 * second + apart, later), None);
            let mut jumps = ClockJumps::default();
            assert_eq!(jumps.compare(NOW, start), None);
            let back = jumps.compare(NOW + 10 * second - apart, later);
            assert_eq!(back, jump.map(Jump::Back));
            assert_eq!(jumps.compare(NOW + 10 * second - apart, later), None);
        }
    }

    #[test]
    fn a_clock_that_drifts_slowly_jumps_once_it_is_a_second_off() {
        let mut jumps = ClockJumps::default();
        let start = Instant::now();
        let minute = Duration::from_mins(1);
        let drift = Duration::from_millis(300);
        let found: Vec<_> = (0..10)
            .filter_map(|n| jumps.compare(NOW + n * (minute + drift), start + n * minute))
            .collect();
        assert_eq!(found, [Jump::Forward(4 * drift); 2]);
    }

    #[test]
    fn a_read_keeps_its_time_when_the_clock_is_set_forward() {
        let hour = Duration::from_hours(1);
        let (forward, back) = (Jump::Forward(hour), Jump::Back(hour));
        assert_eq!(
            (forward.apply(NOW), back.apply(NOW)),
            (NOW + hour, NOW - hour)
        );
        assert_eq!(
            (forward.apply_to_read(NOW), back.apply_to_read(NOW)),
            (NOW, NOW - hour)
        );
    }
}
