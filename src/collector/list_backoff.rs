//! When to request a list again that Twilio refused or did not return. It is a function of the earlier responses.

use std::time::{Duration, Instant};

use crate::twilio::ApiError;

/// The wait after the first failure; it doubles with each further one.
const FIRST: Duration = Duration::from_mins(1);
/// The longest wait after refusals. A newly granted permission is noticed within this time.
const LONGEST: Duration = Duration::from_hours(1);
/// The longest wait after other failures, where they cause one.
const LONGEST_AFTER_MISHAP: Duration = Duration::from_mins(5);

/// The state of one list. Only one of Twilio's two documents mentions the list of operations, so it may be refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListBackoff {
    up: Option<bool>,
    failures: u32,
    not_before: Option<Instant>,
    waits_after_mishaps: bool,
}

impl ListBackoff {
    /// Only refusals (403, 404, ...) cause a wait; other failures are tried again in the next collection.
    pub(super) const fn after_refusals() -> Self {
        Self {
            up: None,
            failures: 0,
            not_before: None,
            waits_after_mishaps: false,
        }
    }

    /// Every failure causes a wait: for a list that nothing else depends on.
    pub(super) const fn after_failures() -> Self {
        Self {
            waits_after_mishaps: true,
            ..Self::after_refusals()
        }
    }

    /// Whether the last attempt succeeded; `None` before the first.
    pub(super) const fn up(&self) -> Option<bool> {
        self.up
    }

    /// Whether to request the list at `now`.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|moment| moment <= now)
    }

    /// Notes that the list was read to its end.
    pub(super) const fn succeeded(&mut self) {
        self.up = Some(true);
        self.failures = 0;
        self.not_before = None;
    }

    /// Notes that the list was not read to its end.
    pub(super) fn failed(&mut self, error: &ApiError, now: Instant) {
        self.up = Some(false);
        let longest = if error.is_refusal() {
            LONGEST
        } else if self.waits_after_mishaps {
            LONGEST_AFTER_MISHAP
        } else {
            return;
        };
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.checked_add(FIRST.saturating_mul(doubled).min(longest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The minutes without a request after each of `failures`.
    fn waits(mut list: ListBackoff, failures: usize, error: &ApiError) -> Vec<u64> {
        let mut now = Instant::now();
        let mut wait = || {
            list.failed(error, now);
            let requested = now;
            while !list.is_due(now) {
                now += Duration::from_secs(15);
            }
            now.duration_since(requested).as_secs() / 60
        };
        (0..failures).map(|_| wait()).collect()
    }

    #[test]
    fn the_wait_doubles_while_a_list_is_refused() {
        let list = ListBackoff::after_refusals();
        let waits = waits(list, 9, &ApiError::Forbidden);
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn a_list_that_succeeds_is_due_at_once() {
        let now = Instant::now();
        let mut list = ListBackoff::after_refusals();
        list.failed(&ApiError::Forbidden, now);
        assert!(!list.is_due(now));
        list.succeeded();
        assert!(list.is_due(now) && list.up() == Some(true));
    }

    #[test]
    fn a_mishap_is_no_refusal() {
        let now = Instant::now();
        let error = ApiError::ServerError { status: 500 };
        let mut list = ListBackoff::after_refusals();
        list.failed(&error, now);
        assert!(list.is_due(now) && list.up() == Some(false));
        let waits = waits(ListBackoff::after_failures(), 5, &error);
        assert_eq!(waits, [1, 2, 4, 5, 5]);
    }
}
