//! The durations in an email's life, divided by the simulator's `speed`. At speed 60, a campaign of six hours takes six minutes.

use std::time::Duration;

/// From sending until the recipient's server confirms the delivery.
const DELIVERY: Duration = Duration::from_secs(30);
/// From sending until a bounce. Longer than a delivery, because sending is retried first.
const BOUNCE: Duration = Duration::from_secs(90);
/// After this time, half of the recipients who ever open the email have opened it.
pub(super) const HALF_OPENED: Duration = Duration::from_hours(2);
/// The allowed speeds. Beyond them, durations do not fit their range of milliseconds.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;

/// The durations of an email's life, in milliseconds of wall time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    speed: f64,
    pub(super) delivery: i64,
    pub(super) bounce: i64,
    pub(super) half_opened: i64,
    /// Mailbox providers with delays of their own, and when one of them fails; `None`: all emails have the delays above.
    pub(super) trouble: Option<Trouble>,
}

/// When a provider begins to defer emails, and when it begins to reject them, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) defers_at: i64,
    pub(super) rejects_at: i64,
}

impl Pace {
    /// Durations at `speed`; NaN means 1.
    pub(super) fn new(speed: f64) -> Self {
        let speed = if speed.is_nan() { 1.0 } else { speed };
        let mut pace = Self {
            speed: speed.clamp(*SPEEDS.start(), *SPEEDS.end()),
            delivery: 0,
            bounce: 0,
            half_opened: 0,
            trouble: None,
        };
        pace.delivery = pace.millis(DELIVERY);
        pace.bounce = pace.millis(BOUNCE);
        pace.half_opened = pace.millis(HALF_OPENED);
        pace
    }

    /// A simulated duration in milliseconds of wall time; at least 1, to avoid a division by zero.
    pub(super) fn millis(self, life: Duration) -> i64 {
        self.millis_of(life.as_secs_f64())
    }

    /// Like [`Self::millis`], for seconds.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, which is the right answer here"
    )]
    pub(super) fn millis_of(self, seconds: f64) -> i64 {
        ((seconds * 1000.0 / self.speed) as i64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_divides_durations_and_none_is_zero() {
        assert_eq!(Pace::new(60.0).millis(Duration::from_hours(6)), 360_000);
        assert_eq!(Pace::new(f64::INFINITY).millis(Duration::from_millis(1)), 1);
        assert_eq!(Pace::new(f64::NAN).delivery, 30_000);
        assert_eq!(Pace::new(0.0).delivery, 30_000_000);
    }
}
