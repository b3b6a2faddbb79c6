//! A pause of an account's requests. Its length is a function of `Retry-After` and of the rejections in a row.

use std::time::{Duration, Instant};

use super::error::RetryAfter;
use crate::timestamp::Timestamp;

/// The longest pause for a `Retry-After`. Twilio's limits are per second, and an hour without requests would hide a failing campaign.
const LONGEST: Duration = Duration::from_mins(15);
/// The longest pause without `Retry-After`, so that the exporter soon notices when Twilio responds again.
const LONGEST_WITHOUT_HEADER: Duration = Duration::from_mins(2);
/// The first pause without `Retry-After`; it doubles with every rejection in a row.
const FIRST: Duration = Duration::from_secs(5);
/// Two ends of a pause that differ by less count as the same.
const SAME_END: Duration = Duration::from_secs(1);
/// Up to this share of the length is added, so that several exporters do not continue at the same time.
const JITTER: f64 = 0.1;

/// A time in which an account makes no request. It is measured by a monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    end: Instant,
    /// Its end by the time of day, computed when it began.
    shown: Timestamp,
}

impl Pause {
    /// A pause that begins at `instant`, when the time of day is `now`.
    pub(super) fn new(length: Duration, instant: Instant, now: Timestamp) -> Self {
        Self {
            // A pause has at most some minutes, so this does not overflow.
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

    /// Its end by the time of day, which is `now`. The two clocks differ by milliseconds, so the exposed end stays the same unless the time
    /// of day jumped.
    pub(super) fn until(&self, instant: Instant, now: Timestamp) -> Timestamp {
        let until = now + self.end.saturating_duration_since(instant);
        if until.since(self.shown).max(self.shown.since(until)) < SAME_END {
            self.shown
        } else {
            until
        }
    }
}

/// The length of the pause after the `refusals`th rejection in a row.
///
/// `chance` is a random number between 0 and 1. A pause has at least one second, even if `Retry-After` is 0.
pub(super) fn length(
    retry_after: Option<RetryAfter>,
    refusals: u32,
    now: Timestamp,
    chance: f64,
) -> Duration {
    let plain = match retry_after {
        Some(RetryAfter::In(span)) => span,
        Some(RetryAfter::At(moment)) => moment.since(now),
        None => {
            let doubled = 1_u32.checked_shl(refusals.saturating_sub(1));
            let without_header = FIRST.saturating_mul(doubled.unwrap_or(u32::MAX));
            without_header.min(LONGEST_WITHOUT_HEADER)
        }
    };
    let bounded = plain.clamp(Duration::from_secs(1), LONGEST);
    let length = bounded + bounded.mul_f64(JITTER * chance.clamp(0.0, 1.0));
    // Whole milliseconds, the resolution of its exposed end.
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
    fn a_pause_follows_retry_after_within_limits() {
        let pause_for =
            |span| length(Some(RetryAfter::In(Duration::from_secs(span))), 1, NOW, 0.0).as_secs();
        assert_eq!(
            [pause_for(0), pause_for(30), pause_for(86_400)],
            [1, 30, 900]
        );
        let until = Some(RetryAfter::At(NOW + Duration::from_secs(42)));
        assert_eq!(length(until, 1, NOW, 0.0).as_secs(), 42);
        let past = Some(RetryAfter::At(NOW - Duration::from_secs(42)));
        assert_eq!(length(past, 1, NOW, 0.0).as_secs(), 1);
    }

    #[test]
    fn without_retry_after_pauses_double_up_to_a_limit() {
        let nth = |refusals| length(None, refusals, NOW, 0.0).as_secs();
        assert_eq!(
            [nth(1), nth(2), nth(3), nth(5), nth(6), nth(99)],
            [5, 10, 20, 80, 120, 120]
        );
    }

    #[test]
    fn jitter_adds_at_most_a_tenth() {
        assert_eq!(length(None, 1, NOW, 1.0), Duration::from_millis(5500));
        assert_eq!(length(None, 99, NOW, 1.0), Duration::from_secs(132));
        let day = Some(RetryAfter::In(Duration::from_hours(24)));
        assert_eq!(length(day, 1, NOW, 1.0), Duration::from_secs(990));
    }
}
