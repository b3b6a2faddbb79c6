//! When an operation is due to be asked for again: a function of its history and of now.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// So much of the time since the last change passes between two reads: every scrape while it moves, minutes after an hour, an hour after half a day.
const SHARE: u32 = 10;
/// Nothing waits longer; opens still come in on the seventh day.
const LONGEST: Duration = Duration::from_hours(1);

/// Whether something that last changed at `change` and was last asked for at `attempt` is due at `now`.
///
/// For an operation that Twilio does not know, `change` is the first time it said so: Twilio punishes
/// repeated requests for dead resources (error 70005), yet a fresh one may show up any moment.
pub(super) fn is_due(change: Timestamp, attempt: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(attempt) = attempt else { return true };
    // A clock that was set back must not put everything off: an attempt in the future is no attempt.
    attempt > now || now.since(attempt) >= (attempt.since(change) / SHARE).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGE: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    /// How long after an attempt `age` after the change it is due again.
    fn pause_after(age: Duration) -> Duration {
        let attempt = CHANGE + age;
        let due = |after: u64| {
            is_due(
                CHANGE,
                Some(attempt),
                attempt + Duration::from_millis(after),
            )
        };
        let (mut early, mut late) = (0, 8_000_000);
        while early < late {
            let middle = u64::midpoint(early, late);
            if due(middle) {
                late = middle;
            } else {
                early = middle + 1;
            }
        }
        Duration::from_millis(late)
    }

    #[test]
    fn the_longer_it_rests_the_rarer_it_is_asked_for() {
        assert_eq!(pause_after(Duration::ZERO), Duration::ZERO);
        assert_eq!(
            pause_after(Duration::from_secs(100)),
            Duration::from_secs(10)
        );
        assert_eq!(pause_after(Duration::from_hours(1)), Duration::from_mins(6));
        assert_eq!(
            pause_after(Duration::from_hours(100)),
            Duration::from_hours(1)
        );
    }

    #[test]
    fn what_was_never_asked_for_is_due_and_so_is_what_was_asked_for_in_the_future() {
        assert!(is_due(CHANGE, None, CHANGE));
        assert!(is_due(
            CHANGE,
            Some(CHANGE + Duration::from_hours(2)),
            CHANGE
        ));
    }
}
