//! The only module that reads the time of day; all other code receives `now` as a value.
//!
//! The time of day may jump forward or back at any moment. Durations (a pause, a token's life, an interval) therefore use
//! [`Clock::instant`], which is monotonic.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::timestamp::Timestamp;

/// A clock: the system's, or one that a test sets.
#[derive(Clone, Default)]
pub enum Clock {
    /// The operating system's.
    #[default]
    System,
    /// A clock that changes only when a test sets it.
    Manual(Arc<Mutex<ManualTime>>),
}

/// The time of a manual clock.
#[derive(Debug)]
pub struct ManualTime {
    time_of_day: Timestamp,
    instant: Instant,
}

impl Clock {
    /// A clock that returns `start` until a test sets it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(Mutex::new(ManualTime {
            time_of_day: start,
            instant: Instant::now(),
        })))
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            // A clock before 1970 is not set; then 1970 is as good as any time.
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                Timestamp::from_millis(since.map_or(0, |since| {
                    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
                }))
            }
            Self::Manual(time) => time.lock().time_of_day,
        }
    }

    /// A monotonic instant, for measuring durations; jumps of the time of day do not affect it.
    #[must_use]
    pub fn instant(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(time) => time.lock().instant,
        }
    }

    /// Advances a manual clock to `to`, the instant included. If `to` is in the past, the time of day jumps back and the instant
    /// stays. Does nothing to the system's clock.
    pub fn set(&self, to: Timestamp) {
        if let Self::Manual(time) = self {
            let mut time = time.lock();
            let passed = to.since(time.time_of_day);
            time.instant = time.instant.checked_add(passed).unwrap_or(time.instant);
            time.time_of_day = to;
        }
    }

    /// Makes the time of day of a manual clock jump to `to`; the instant stays. Does nothing to the system's clock.
    pub fn put(&self, to: Timestamp) {
        if let Self::Manual(time) = self {
            time.lock().time_of_day = to;
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_jump_of_the_time_of_day_does_not_change_the_instant() {
        let start = Timestamp::from_millis(1_775_370_000_000);
        let clock = Clock::manual(start);
        let began = clock.instant();
        let hour = Duration::from_hours(1);
        clock.put(start + hour);
        clock.put(start - hour);
        assert_eq!((clock.now(), clock.instant()), (start - hour, began));
        clock.set(start);
        assert_eq!((clock.now(), clock.instant()), (start, began + hour));
        clock.set(start - hour);
        assert_eq!((clock.now(), clock.instant()), (start - hour, began + hour));
    }
}
