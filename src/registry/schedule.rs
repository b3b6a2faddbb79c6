//! When an operation is due to be polled: a function of its history and of the time.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// The interval is the time since the last change divided by this: every scrape while an operation is active, 6 minutes after an hour,
/// over an hour after half a day.
const SHARE: u32 = 10;
/// The longest interval is this, or up to twice as long: an account with a million idle operations has a thousand pages of them,
/// which must not all be due in the same minute.
pub(super) const LONGEST: Duration = Duration::from_mins(90);
/// The longest interval for an operation for which Twilio returns 404: it may just have been sent.
const LONGEST_UNKNOWN: Duration = Duration::from_hours(1);

/// The times that decide when an operation is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct PollTimes {
    /// When it last changed.
    pub(super) change: Timestamp,
    /// When it was last read.
    pub(super) read: Timestamp,
    /// The shortest interval is a tenth of the time from here to the last read.
    pub(super) min_interval_from: Timestamp,
}

/// When an operation is due: the last read plus a tenth of the time since the last change, clamped to the shortest and the longest
/// interval. `spread` varies the longest interval from chunk to chunk.
pub(super) fn due(history: PollTimes, spread: u8) -> Timestamp {
    let longest = LONGEST + LONGEST * u32::from(spread) / 256;
    let share = |since| (history.read.since(since) / SHARE).min(longest);
    history.read + share(history.change).clamp(share(history.min_interval_from), longest)
}

/// Whether an operation is due at `now`. A read in the future means that the clock has since been set back, and counts as no read.
pub(super) fn is_due(history: PollTimes, spread: u8, now: Timestamp) -> bool {
    history.read > now || due(history, spread) <= now
}

/// The last attempt to read an operation, by which plans sort. An attempt in the future means that the clock has since been set back: the
/// operation is served first, or it would wait for all others until then.
pub(super) fn attempt(last: Timestamp, now: Timestamp) -> Timestamp {
    if last > now {
        Timestamp::default()
    } else {
        last
    }
}

/// Whether a read at `read` belongs to the collection that began at `since`. A read in the future does not.
pub(super) fn was_read(read: Timestamp, since: Timestamp, now: Timestamp) -> bool {
    (since..=now).contains(&read)
}

/// Whether an operation that has returned 404 since `first`, and was last polled at `last`, is due. Twilio penalizes repeated requests
/// for resources that do not exist (error 70005).
pub(super) fn is_unknown_due(first: Timestamp, last: Timestamp, now: Timestamp) -> bool {
    last > now || last + (last.since(first) / SHARE).min(LONGEST_UNKNOWN) <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGE: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    fn read(age: Duration) -> PollTimes {
        let read = CHANGE + age;
        PollTimes {
            change: CHANGE,
            read,
            min_interval_from: read,
        }
    }

    fn pause_after(age: Duration, spread: u8) -> Duration {
        due(read(age), spread).since(CHANGE + age)
    }

    #[test]
    fn the_longer_an_operation_is_idle_the_less_often_it_is_polled() {
        assert_eq!(pause_after(Duration::ZERO, 0), Duration::ZERO);
        assert_eq!(
            pause_after(Duration::from_secs(100), 0),
            Duration::from_secs(10)
        );
        assert_eq!(
            pause_after(Duration::from_hours(1), 255),
            Duration::from_mins(6)
        );
        assert_eq!(pause_after(Duration::from_hours(100), 0), LONGEST);
        assert!(pause_after(Duration::from_hours(100), 255) < 2 * LONGEST);
    }

    #[test]
    fn a_change_does_not_shorten_the_shortest_interval() {
        let swept = PollTimes {
            min_interval_from: CHANGE,
            change: CHANGE + Duration::from_hours(5),
            read: CHANGE + Duration::from_hours(5),
        };
        assert_eq!(due(swept, 0).since(swept.read), Duration::from_mins(30));
    }

    #[test]
    fn a_read_in_the_future_is_no_read() {
        assert!(is_due(read(Duration::from_hours(2)), 0, CHANGE));
        assert!(is_unknown_due(
            CHANGE,
            CHANGE + Duration::from_hours(2),
            CHANGE
        ));
    }

    #[test]
    fn an_unknown_operation_is_polled_less_and_less_often() {
        let (mut now, mut last, mut polls) = (CHANGE, CHANGE, 1);
        while now < CHANGE + Duration::from_hours(24) {
            now = now + Duration::from_secs(15);
            if is_unknown_due(CHANGE, last, now) {
                last = now;
                polls += 1;
            }
        }
        assert!((20..120).contains(&polls), "{polls}");
    }

    #[test]
    fn an_operation_is_due_at_its_time_and_not_before() {
        let hour = Duration::from_hours(1);
        let moment = CHANGE + hour + hour / SHARE;
        assert!(is_due(read(hour), 0, moment));
        assert!(!is_due(read(hour), 0, moment - Duration::from_millis(1)));
        // A read at this moment is no read in the future.
        assert!(!is_due(read(hour), 0, CHANGE + hour));
        assert!(is_due(
            read(hour),
            0,
            CHANGE + hour - Duration::from_millis(1)
        ));
    }

    #[test]
    fn the_longest_interval_is_up_to_twice_as_long() {
        let long = Duration::from_hours(100);
        assert_eq!(pause_after(long, 128), LONGEST + LONGEST / 2);
        assert_eq!(pause_after(long, 64), LONGEST + LONGEST / 4);
        // The interval grows up to the longest one, and no further.
        assert_eq!(pause_after(LONGEST * SHARE, 0), LONGEST);
        let (less, share) = (Duration::from_secs(53_990), Duration::from_secs(5399));
        assert_eq!(pause_after(less, 0), share);
    }

    #[test]
    fn a_read_belongs_to_the_collection_from_its_beginning_until_now() {
        let (since, now) = (CHANGE, CHANGE + Duration::from_secs(9));
        let apart = Duration::from_millis(1);
        assert!(was_read(since, since, now) && was_read(now, since, now));
        assert!(!was_read(since - apart, since, now) && !was_read(now + apart, since, now));
    }

    #[test]
    fn an_unknown_operation_is_due_after_a_tenth_of_the_time_it_was_unknown_and_after_at_most_an_hour()
     {
        let apart = Duration::from_millis(1);
        for (unknown, pause) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_mins(50), Duration::from_mins(5)),
            (Duration::from_hours(10), LONGEST_UNKNOWN),
            (Duration::from_hours(30), LONGEST_UNKNOWN),
        ] {
            let last = CHANGE + unknown;
            assert!(is_unknown_due(CHANGE, last, last + pause), "{unknown:?}");
            let is_early = pause > Duration::ZERO;
            assert_eq!(
                is_unknown_due(CHANGE, last, last + pause - apart),
                !is_early,
                "{unknown:?}"
            );
        }
        let last = CHANGE + Duration::from_hours(1);
        assert!(!is_unknown_due(CHANGE, last, last), "polled just now");
    }
}
