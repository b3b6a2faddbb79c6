//! What goes wrong is told once when it begins, and once when it is over; scrapes come every few seconds.

use std::sync::Arc;

use crate::operation::OperationId;
use crate::reason::Reason;
use crate::twilio::{ApiError, Listed};

/// The account's present trouble, as far as it has been told.
#[derive(Debug)]
pub(super) struct Trouble {
    account: Arc<str>,
    list: Option<Reason>,
    unreadable_rows: bool,
}

impl Trouble {
    pub(super) const fn new(account: Arc<str>) -> Self {
        Self {
            account,
            list: None,
            unreadable_rows: false,
        }
    }

    pub(super) fn list_answered(&mut self, listed: &Listed) {
        if self.list.take().is_some() {
            tracing::info!(account = %self.account, "operations are listed again");
        }
        let unreadable = listed.unreadable > 0;
        if unreadable && !self.unreadable_rows {
            tracing::warn!(account = %self.account, rows = listed.unreadable, "the list has rows that are no operation; they are left out");
        }
        self.unreadable_rows = unreadable;
    }

    pub(super) fn list_failed(&mut self, error: &ApiError) {
        // A pause is the consequence of a refusal that has been told.
        let Some(reason) = error.reason() else { return };
        if self.list.replace(reason) != Some(reason) {
            tracing::warn!(account = %self.account, reason = reason.as_str(), %error, "operations cannot be listed");
        }
    }

    /// To be called when the operation begins to fail, or fails for another reason than before.
    pub(super) fn read_failed(&mut self, id: OperationId, error: &ApiError) {
        let reason = error.reason().map_or("paused", Reason::as_str);
        tracing::warn!(account = %self.account, operation = %id, reason, %error, "an operation cannot be read");
    }
}
