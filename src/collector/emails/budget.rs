//! The requests of one run of the collector of emails: a share of the account's requests per minute. They are evenly spaced, so that reads
//! of operations always fit in between.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::config::{EmailsCollector, Limits};

/// A run makes at most the requests of its share of this time.
const SPAN: Duration = Duration::from_mins(1);
/// Below this, a run could not make progress on both new and known emails.
const FEWEST: usize = 2;

/// How many requests a run may still make, and when it may make the next one.
#[derive(Debug)]
pub(super) struct EmailBudget {
    left: AtomicUsize,
    /// The time between two requests.
    interval: Duration,
    next: Mutex<Instant>,
}

impl EmailBudget {
    pub(super) fn new(limits: &Limits, emails: &EmailsCollector) -> Self {
        let rate = limits.requests_per_second * emails.request_share;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and a larger one saturates"
        )]
        let total = (rate * SPAN.as_secs_f64()) as usize;
        Self {
            left: AtomicUsize::new(total.max(FEWEST)),
            // The configuration accepts only positive rates.
            interval: Duration::try_from_secs_f64(1.0 / rate).unwrap_or(SPAN),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Whether no request is left.
    pub(super) fn is_spent(&self) -> bool {
        self.left() == 0
    }

    pub(super) fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }

    /// Waits until the next request is allowed, and counts it. A run may exceed its budget to finish a list.
    pub(super) async fn take(&self) {
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock();
            let at = (*next).max(now);
            *next = at + self.interval;
            at
        };
        let spend = |left: usize| Some(left.saturating_sub(1));
        // It never fails, because the closure always returns a value.
        let _ = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(requests_per_second: f64, request_share: f64) -> EmailBudget {
        let limits = Limits {
            requests_per_second,
            ..Limits::default()
        };
        let emails = EmailsCollector {
            request_share,
            ..EmailsCollector::default()
        };
        EmailBudget::new(&limits, &emails)
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_a_share_of_the_accounts_and_evenly_spread() {
        let budget = budget(10.0, 0.25);
        assert_eq!(budget.left(), 150);
        let began = Instant::now();
        for _ in 0..10 {
            budget.take().await;
        }
        assert_eq!(began.elapsed().as_millis(), 3600);
        assert_eq!(budget.left(), 140);
        for _ in 0..150 {
            budget.take().await;
        }
        assert!(budget.is_spent());
    }

    #[test]
    fn a_slow_account_still_makes_progress() {
        assert_eq!(budget(0.01, 0.1).left(), 2);
    }
}
