//! The health of an account's list of operations: whether Twilio returns it, and how it behaves.

use std::sync::Arc;

use super::list_backoff::ListBackoff;
use super::list_behavior::ListBehavior;

/// The list of operations of one account.
#[derive(Debug)]
pub(super) struct ListHealth {
    pub(super) backoff: ListBackoff,
    pub(super) behavior: ListBehavior,
}

impl ListHealth {
    pub(super) fn new(account: Arc<str>) -> Self {
        Self {
            backoff: ListBackoff::after_refusals(),
            behavior: ListBehavior::new(account),
        }
    }

    /// Drops earlier failures, because discovery was switched on or off.
    pub(super) const fn discovery_changed(&mut self) {
        self.backoff = ListBackoff::after_refusals();
    }
}
