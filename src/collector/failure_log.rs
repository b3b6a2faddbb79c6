//! Logs the failures of an account's requests: each when it begins, once an hour, and when it ends. Scrapes come every few
//! seconds, so logging each failure would bury everything else.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::ongoing_failure::OngoingFailure;
use crate::operation::OperationId;
use crate::reason::Reason;
use crate::twilio::ApiError;

/// At most this many operations that begin to fail in one collection have a line of their own: ten thousand wrong ids are one
/// mistake.
const MOST_READS: usize = 10;

/// The current failures of one account, as far as they have been logged.
#[derive(Debug)]
pub(super) struct FailureLog {
    account: Arc<str>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    list: OngoingFailure<Reason>,
    unreadable_rows: bool,
    /// How many operations began to fail in this collection.
    failed_reads: usize,
}

impl FailureLog {
    pub(super) const fn new(account: Arc<str>) -> Self {
        Self {
            account,
            current: Mutex::new(Current {
                list: OngoingFailure::new(),
                unreadable_rows: false,
                failed_reads: 0,
            }),
        }
    }

    /// A list was read to its end, except for `unreadable` rows.
    pub(super) fn list_read(&self, unreadable: usize) {
        let mut current = self.current.lock();
        if current.list.recovered() {
            tracing::info!(account = %self.account, "operations are listed again");
        }
        let any = unreadable > 0;
        if any && !current.unreadable_rows {
            tracing::warn!(account = %self.account, rows = unreadable, "the list has rows that are no operation; they are left out");
        }
        current.unreadable_rows = any;
    }

    pub(super) fn list_failed(&self, error: &ApiError) {
        // A pause follows from a refusal that has been logged, as does a missing token.
        let Some(reason) = error.reason().filter(|_| !error.was_told()) else {
            return;
        };
        if self.current.lock().list.failed(reason, Instant::now()) {
            tracing::warn!(account = %self.account, reason = reason.as_str(), error = error.of_list(), "operations cannot be listed");
        }
    }

    /// To be called when an operation begins to fail, or fails for another reason than before.
    pub(super) fn read_failed(&self, id: OperationId, error: &ApiError) {
        if error.was_told() {
            return;
        }
        let failed_reads = &mut self.current.lock().failed_reads;
        *failed_reads += 1;
        if *failed_reads > MOST_READS {
            return;
        }
        let reason = error.reason().map_or("paused", Reason::as_str);
        tracing::warn!(account = %self.account, operation = %id, reason, %error, "an operation cannot be read");
    }

    /// To be called at the end of a collection: logs how many failures had no line of their own.
    pub(super) fn collection_finished(&self) {
        let failed_reads = std::mem::take(&mut self.current.lock().failed_reads);
        let more = failed_reads.saturating_sub(MOST_READS);
        if more > 0 {
            tracing::warn!(account = %self.account, operations = more, "more operations cannot be read; operation_up shows which");
        }
    }
}
