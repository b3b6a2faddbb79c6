//! A failure that lasts: it is logged when it begins, once an hour while it lasts, and when it ends.

use std::time::Duration;

use tokio::time::Instant;

/// How often a failure that lasts is logged again: whoever looks at the last hours of a log finds it.
const REPEAT: Duration = Duration::from_hours(1);

/// The present failure of one thing, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lasting<E>(Option<Failing<E>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failing<E> {
    error: E,
    logged: Instant,
}

impl<E: PartialEq> Lasting<E> {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// It failed at `now`; whether to log that.
    pub(crate) fn fails(&mut self, error: E, now: Instant) -> bool {
        let is_known = self.0.as_ref().is_some_and(|failing| {
            failing.error == error && now.duration_since(failing.logged) < REPEAT
        });
        if !is_known {
            self.0 = Some(Failing { error, logged: now });
        }
        !is_known
    }

    /// It worked; whether it failed before, so that this is to be logged.
    pub(crate) fn works(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// What it fails with.
    pub(crate) fn error(&self) -> Option<&E> {
        self.0.as_ref().map(|failing| &failing.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_logged_when_it_begins_once_an_hour_and_when_it_ends() {
        let mut lasting = Lasting::new();
        let began = Instant::now();
        let minute = |minutes: u64| began + Duration::from_mins(minutes);
        let logged: Vec<_> = (0..150)
            .filter(|minutes| lasting.fails("full", minute(*minutes)))
            .collect();
        assert_eq!(logged, [0, 60, 120]);
        assert!(lasting.fails("read-only", minute(150)), "another failure");
        assert_eq!(lasting.error(), Some(&"read-only"));
        assert!(!lasting.fails("read-only", minute(151)));
        assert!(lasting.works() && !lasting.works());
        assert!(lasting.fails("read-only", minute(152)), "it begins anew");
    }
}
