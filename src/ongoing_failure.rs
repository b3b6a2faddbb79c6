//! Decides when to log a failure that lasts: when it begins, once an hour, and when it ends. A failure with another error counts as
//! a new one.

#[cfg(test)]
pub(crate) mod log;

use std::time::Duration;

use tokio::time::Instant;

/// The interval at which a lasting failure is logged again, so that the last hours of a log always contain it.
pub(crate) const REPEAT: Duration = Duration::from_hours(1);

/// The current failure of one task, if it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OngoingFailure<E>(Option<Failing<E>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failing<E> {
    error: E,
    logged: Instant,
}

impl<E: PartialEq> OngoingFailure<E> {
    /// No failure yet.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Notes that the task failed at `now`. Returns whether to log this.
    pub(crate) fn failed(&mut self, error: E, now: Instant) -> bool {
        let is_known = self.0.as_ref().is_some_and(|failing| {
            failing.error == error && now.duration_since(failing.logged) < REPEAT
        });
        if !is_known {
            self.0 = Some(Failing { error, logged: now });
        }
        !is_known
    }

    /// Notes that the task succeeded. Returns whether it failed before, which is when to log this.
    pub(crate) fn recovered(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// The error of the current failure.
    pub(crate) fn error(&self) -> Option<&E> {
        self.0.as_ref().map(|failing| &failing.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_logged_when_it_begins_once_an_hour_and_when_it_ends() {
        let mut failure = OngoingFailure::new();
        let began = Instant::now();
        let minute = |minutes: u64| began + Duration::from_mins(minutes);
        let logged: Vec<_> = (0..150)
            .filter(|minutes| failure.failed("full", minute(*minutes)))
            .collect();
        assert_eq!(logged, [0, 60, 120]);
        assert!(failure.failed("read-only", minute(150)), "another failure");
        assert_eq!(failure.error(), Some(&"read-only"));
        assert!(!failure.failed("read-only", minute(151)));
        assert!(failure.recovered() && !failure.recovered());
        assert!(failure.failed("read-only", minute(152)), "it begins anew");
    }
}
