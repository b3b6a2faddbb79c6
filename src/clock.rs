//! The one place where the time of day is read; everything inside takes `now` as a value.
//!
//! The time of day may be put forward or back at any moment. What lasts for a span (a pause, a token, an interval) goes by
//! [`Clock::instant`], which only ever goes on.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::timestamp::Timestamp;

/// Tells the time of day: the system's, or one that a test sets.
#[derive(Clone, Default)]
pub enum Clock {
    /// The operating system's.
    #[default]
    System,
    /// Stands still until somebody moves it.
    Manual(Arc<Mutex<Hands>>),
}

/// What a manual clock shows.
#[derive(Debug)]
pub struct Hands {
    time_of_day: Timestamp,
    instant: Instant,
}

impl Clock {
    /// A clock that shows `start` until it is set.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(Mutex::new(Hands {
            time_of_day: start,
            instant: Instant::now(),
        })))
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            // A clock before 1970 is a machine without one; 1970 is as good as its guess.
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                Timestamp::from_millis(since.map_or(0, |since| {
                    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
                }))
            }
            Self::Manual(hands) => hands.lock().time_of_day,
        }
    }

    /// A moment to measure spans by; it goes on evenly whatever becomes of the time of day.
    #[must_use]
    pub fn instant(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(hands) => hands.lock().instant,
        }
    }

    /// Lets time pass on a manual clock until it shows `to`. If that is earlier than now, the clock is put back, and no time
    /// passes. The system's clock stays as it is.
    pub fn set(&self, to: Timestamp) {
        if let Self::Manual(hands) = self {
            let mut hands = hands.lock();
            let passed = to.since(hands.time_of_day);
            hands.instant = hands.instant.checked_add(passed).unwrap_or(hands.instant);
            hands.time_of_day = to;
        }
    }

    /// Puts a manual clock forward or back to `to` without any time passing. The system's clock stays as it is.
    pub fn put(&self, to: Timestamp) {
        if let Self::Manual(hands) = self {
            hands.lock().time_of_day = to;
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
    fn a_clock_that_is_put_forward_or_back_lets_no_time_pass() {
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
