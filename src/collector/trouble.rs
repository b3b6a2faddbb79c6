//! What goes wrong is logged when it begins, once an hour, and when it is over; scrapes come every few seconds.

use std::sync::Arc;

use tokio::time::Instant;

use crate::ongoing_failure::OngoingFailure;
use crate::operation::OperationId;
use crate::reason::Reason;
use crate::twilio::ApiError;

/// So many operations that begin to fail in one collection are told one by one; ten thousand wrong ids are one mistake.
const MOST_READS: usize = 10;

/// The account's present trouble, as far as it has been told.
#[derive(Debug)]
pub(super) struct Trouble {
    account: Arc<str>,
    list: OngoingFailure<Reason>,
    unreadable_rows: bool,
    /// Operations that began to fail in this collection.
    told_reads: usize,
}

impl Trouble {
    pub(super) const fn new(account: Arc<str>) -> Self {
        Self {
            account,
            list: OngoingFailure::new(),
            unreadable_rows: false,
            told_reads: 0,
        }
    }

    pub(super) fn list_answered(&mut self, unreadable: usize) {
        if self.list.recovered() {
            tracing::info!(account = %self.account, "operations are listed again");
        }
        let any = unreadable > 0;
        if any && !self.unreadable_rows {
            tracing::warn!(account = %self.account, rows = unreadable, "the list has rows that are no operation; they are left out");
        }
        self.unreadable_rows = any;
    }

    pub(super) fn list_failed(&mut self, error: &ApiError) {
        // A pause is the consequence of a refusal that has been told, as is a token that cannot be had.
        let Some(reason) = error.reason().filter(|_| !error.was_told()) else {
            return;
        };
        if self.list.failed(reason, Instant::now()) {
            tracing::warn!(account = %self.account, reason = reason.as_str(), error = error.of_list(), "operations cannot be listed");
        }
    }

    /// To be called when the operation begins to fail, or fails for another reason than before.
    pub(super) fn read_failed(&mut self, id: OperationId, error: &ApiError) {
        if error.was_told() {
            return;
        }
        self.told_reads += 1;
        if self.told_reads > MOST_READS {
            return;
        }
        let reason = error.reason().map_or("paused", Reason::as_str);
        tracing::warn!(account = %self.account, operation = %id, reason, %error, "an operation cannot be read");
    }

    /// To be called at the end of a collection: says how many failures were not told one by one.
    pub(super) fn collection_ended(&mut self) {
        let more = std::mem::take(&mut self.told_reads).saturating_sub(MOST_READS);
        if more > 0 {
            tracing::warn!(account = %self.account, operations = more, "more operations cannot be read; operation_up shows which");
        }
    }
}
