//! The request budget of one collection: windows, single reads and first emails spend from it. The throttle limits the rate of
//! requests; the budget limits their number.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::Limits;

/// A collection makes at most the requests that the account's rate allows in this many seconds.
const SECONDS: f64 = 60.0;
/// Below this, a collection could not make progress on both new and known operations.
const FEWEST_REQUESTS: usize = 4;
/// Windows that take more pages than planned leave this many requests for single reads.
const KEPT_FOR_READS: usize = FEWEST_REQUESTS / 2;
/// First emails spend at most the requests of this many seconds per collection: stats are more urgent than labels.
const SECONDS_FOR_FIRST_EMAILS: f64 = 2.0;

/// The requests that a collection may still make.
#[derive(Debug)]
pub(super) struct RequestBudget {
    total: usize,
    for_first_emails: usize,
    spent: AtomicUsize,
}

impl RequestBudget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            total: requests_in(limits, SECONDS).max(FEWEST_REQUESTS),
            for_first_emails: requests_in(limits, SECONDS_FOR_FIRST_EMAILS).max(1),
            spent: AtomicUsize::new(0),
        }
    }

    /// The requests of the whole collection.
    pub(super) const fn total(&self) -> usize {
        self.total
    }

    pub(super) fn spend(&self, requests: usize) {
        self.spent.fetch_add(requests, Ordering::Relaxed);
    }

    /// How many single reads are left.
    pub(super) fn left_for_reads(&self) -> usize {
        self.left().max(KEPT_FOR_READS)
    }

    /// How many reads of first emails are left; at least one, so that they make progress beside any number of reads.
    pub(super) fn left_for_first_emails(&self) -> usize {
        self.left().clamp(1, self.for_first_emails)
    }

    /// How many requests are left.
    pub(super) fn left(&self) -> usize {
        self.total
            .saturating_sub(self.spent.load(Ordering::Relaxed))
    }
}

fn requests_in(limits: &Limits, seconds: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a larger one saturates"
    )]
    let requests = (limits.requests_per_second * seconds) as usize;
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(requests_per_second: f64) -> RequestBudget {
        RequestBudget::new(&Limits {
            requests_per_second,
            ..Limits::default()
        })
    }

    #[test]
    fn windows_single_reads_and_first_emails_spend_one_budget() {
        let budget = budget(10.0);
        assert_eq!((budget.total(), budget.left_for_reads()), (600, 600));
        assert_eq!(budget.left_for_first_emails(), 20);
        budget.spend(590);
        assert_eq!(
            (budget.left_for_reads(), budget.left_for_first_emails()),
            (10, 10)
        );
        budget.spend(2_000);
        assert_eq!(
            (budget.left_for_reads(), budget.left_for_first_emails()),
            (2, 1)
        );
        assert_eq!(budget.total(), 600, "the plan counts from the whole");
    }

    #[test]
    fn a_slow_account_still_makes_progress() {
        let budget = budget(0.01);
        assert_eq!((budget.total(), budget.left_for_first_emails()), (4, 1));
    }
}
