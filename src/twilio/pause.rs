//! A pause of an account, and how long one lasts that Twilio asks for: a function of what it said and of what came before.

use std::time::{Duration, Instant};

use super::error::RetryAfter;
use crate::timestamp::Timestamp;

/// The longest pause that is believed. Twilio's limits are per second; an hour's silence would hide a failing campaign.
const LONGEST: Duration = Duration::from_mins(15);
/// The longest pause that Twilio did not ask for: what is over should be seen to be.
const LONGEST_UNASKED: Duration = Duration::from_mins(2);
/// The first pause when Twilio names none; it doubles with every refusal in a row.
const FIRST: Duration = Duration::from_secs(5);
/// Two ends of a pause that differ by less are the same.
const SAME_END: Duration = Duration::from_secs(1);
/// Up to this share is added, so that several exporters do not come back as one.
const JITTER: f64 = 0.1;

/// A time in which an account makes no request. It ends when its span has passed, also if the time of day is changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    end: Instant,
    /// Its end by the time of day when it began.
    shown: Timestamp,
}

impl Pause {
    /// A pause that begins at `instant`, which is `now` by the time of day.
    pub(super) fn new(length: Duration, instant: Instant, now: Timestamp) -> Self {
        Self {
            // No pause is longer than some minutes, so this is in reach.
            end: instant.checked_add(length).unwrap_or(instant),
            shown: now + length,
        }
    }

    pub(super) fn is_active(&self, instant: Instant) -> bool {
        self.end > instant
    }

    pub(super) fn ends_before(&self, other: Self) -> bool {
        self.end < other.end
    }

    /// Its end by the time of day, which is `now`. The two clocks never agree to the millisecond, so the end that was shown
    /// stays unless the time of day was changed.
    pub(super) fn until(&self, instant: Instant, now: Timestamp) -> Timestamp {
        let until = now + self.end.saturating_duration_since(instant);
        if until.since(self.shown).max(self.shown.since(until)) < SAME_END {
            self.shown
        } else {
            until
        }
    }
}

/// The length of the pause after the `refusals`th refusal in a row.
///
/// `chance` is between 0 and 1. A pause of no length at all does not exist: a server that refuses and says "now" still gets a second.
pub(super) fn length(
    asked: Option<RetryAfter>,
    refusals: u32,
    now: Timestamp,
    chance: f64,
) -> Duration {
    let plain = match asked {
        Some(RetryAfter::In(span)) => span,
        Some(RetryAfter::At(moment)) => moment.since(now),
        None => {
            let doubled = 1_u32.checked_shl(refusals.saturating_sub(1));
            let unasked = FIRST.saturating_mul(doubled.unwrap_or(u32::MAX));
            unasked.min(LONGEST_UNASKED)
        }
    };
    let bounded = plain.clamp(Duration::from_secs(1), LONGEST);
    let length = bounded + bounded.mul_f64(JITTER * chance.clamp(0.0, 1.0));
    // Whole milliseconds, as its end is shown.
    Duration::from_millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[test]
    fn of_two_pauses_the_one_with_the_earlier_end_ends_first() {
        let instant = Instant::now();
        let [short, long] = [5, 6].map(|s| Pause::new(Duration::from_secs(s), instant, NOW));
        assert!(short.ends_before(long));
        assert!(!long.ends_before(short) && !short.ends_before(short));
    }

    #[test]
    fn the_shown_end_stays_unless_the_time_of_day_is_changed_by_a_second() {
        let instant = Instant::now();
        let millis = Duration::from_millis;
        let pause = Pause::new(millis(5000), instant, NOW);
        let end = NOW + millis(5000);
        for (now, shown) in [
            (NOW, end),
            (NOW + millis(999), end),
            (NOW - millis(999), end),
            (NOW + millis(1000), end + millis(1000)),
            (NOW - millis(1000), end - millis(1000)),
        ] {
            assert_eq!(pause.until(instant, now), shown, "{now}");
        }
    }

    #[test]
    fn what_twilio_asks_for_is_done_within_reason() {
        let asked =
            |span| length(Some(RetryAfter::In(Duration::from_secs(span))), 1, NOW, 0.0).as_secs();
        assert_eq!([asked(0), asked(30), asked(86_400)], [1, 30, 900]);
        let until = Some(RetryAfter::At(NOW + Duration::from_secs(42)));
        assert_eq!(length(until, 1, NOW, 0.0).as_secs(), 42);
        let past = Some(RetryAfter::At(NOW - Duration::from_secs(42)));
        assert_eq!(length(past, 1, NOW, 0.0).as_secs(), 1);
    }

    #[test]
    fn without_a_word_the_pauses_double_up_to_a_bound() {
        let nth = |refusals| length(None, refusals, NOW, 0.0).as_secs();
        assert_eq!(
            [nth(1), nth(2), nth(3), nth(5), nth(6), nth(99)],
            [5, 10, 20, 80, 120, 120]
        );
    }

    #[test]
    fn jitter_only_lengthens_and_only_by_a_tenth() {
        assert_eq!(length(None, 1, NOW, 1.0), Duration::from_millis(5500));
        assert_eq!(length(None, 99, NOW, 1.0), Duration::from_secs(132));
        let day = Some(RetryAfter::In(Duration::from_hours(24)));
        assert_eq!(length(day, 1, NOW, 1.0), Duration::from_secs(990));
    }
}
