//! Logs the failures of a collection of operations: each when it begins, once an hour while it lasts, and when it ends.
//!
//! Scrapes come every few seconds, so a line per failure would hide all other lines. A collection logs at most [`MOST_LINES`] lines about
//! single operations, and a total for the rest. If all requests of the account fail for one cause, only one operation has a line.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::current_failures::CurrentFailures;
use super::list_log::{ListLog, ListReader};
use crate::diagnosis::Login;
use crate::ongoing_failure::OngoingFailure;
use crate::operation::OperationId;
use crate::reason::Reason;
use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// The most lines about single operations in one collection: ten thousand wrong ids are one mistake.
const MOST_LINES: usize = 10;
/// The most operations whose failures are logged by name, each hourly and when it ends. The totals count all others.
const MOST_NAMED: usize = 100;
/// Unreadable rows are reported as ended after this time without one: each collection reads other windows, so it may not see the row.
const QUIET: Duration = Duration::from_hours(1);

/// The current failures of one account that have been logged.
#[derive(Debug)]
pub(super) struct FailureLog {
    account: Arc<str>,
    lists: Arc<ListLog>,
    current: Mutex<Current>,
    /// For findings, which are not repeated hourly.
    failures: Mutex<CurrentFailures>,
}

#[derive(Debug)]
struct Current {
    rows: UnreadableRows,
    named: BTreeMap<OperationId, NamedFailure>,
    /// The operation whose line is about a cause of the whole account, so that other operations need none.
    example: Option<OperationId>,
    /// Operations that fail without a line of their own.
    others: OngoingFailure<()>,
    /// The lines of this collection about single operations.
    lines: usize,
    /// The operations that began to fail in this collection without a line of their own.
    more: usize,
}

#[derive(Debug)]
struct UnreadableRows {
    failure: OngoingFailure<()>,
    last_seen: Option<Instant>,
}

/// An operation that cannot be read and was logged by name.
#[derive(Debug)]
struct NamedFailure {
    failure: OngoingFailure<Reason>,
    reason: Reason,
    error: ApiError,
}

impl FailureLog {
    pub(super) fn new(account: Arc<str>, lists: Arc<ListLog>) -> Self {
        Self {
            account,
            lists,
            failures: Mutex::default(),
            current: Mutex::new(Current {
                rows: UnreadableRows {
                    failure: OngoingFailure::new(),
                    last_seen: None,
                },
                named: BTreeMap::new(),
                example: None,
                others: OngoingFailure::new(),
                lines: 0,
                more: 0,
            }),
        }
    }

    /// A list was read to its end, except for `unreadable` rows.
    pub(super) fn list_read(&self, unreadable: usize) {
        self.failures.lock().list_read();
        self.lists.succeeded(ListReader::Operations);
        let (mut current, now) = (self.current.lock(), Instant::now());
        let rows = &mut current.rows;
        if unreadable > 0 {
            rows.last_seen = Some(now);
            if rows.failure.failed((), now) {
                tracing::warn!(account = %self.account, rows = unreadable, "the list of operations has invalid rows; the exporter skips them");
            }
        } else if rows.is_quiet(now) && rows.failure.recovered() {
            tracing::info!(account = %self.account, "the list of operations has only valid rows again");
        }
    }

    /// The list of operations of an account with `login` failed at `at`.
    pub(super) fn list_failed(&self, error: &ApiError, login: Login, at: Timestamp) {
        self.failures.lock().list_failed(error, at);
        self.lists.failed(ListReader::Operations, error, login);
    }

    /// Call this for each failed read of a collection.
    pub(super) fn note_read_failed(&self, error: &ApiError, at: Timestamp) {
        self.failures.lock().read_failed(error, at);
    }

    /// Call this at the end of a collection in which a request authenticated.
    pub(super) fn note_authenticated(&self) {
        self.failures.lock().authenticated();
        self.lists.operation_read();
    }

    /// Call this when discovery was switched on or off.
    pub(super) fn discovery_changed(&self) {
        self.failures.lock().discovery_changed();
        self.lists.forget(ListReader::Operations);
    }

    /// The failures now.
    pub(super) fn current_failures(&self) -> CurrentFailures {
        self.failures.lock().clone()
    }

    /// Call this when an operation begins to fail, or fails for another reason than before.
    pub(super) fn read_failed(&self, id: OperationId, error: &ApiError) {
        let Some(reason) = error.reason().filter(|_| !error.is_logged_already()) else {
            return;
        };
        let current = &mut *self.current.lock();
        let is_covered = self.is_covered(current.example(|_| true), id, reason, error);
        let is_full = current.lines >= MOST_LINES || current.named.len() >= MOST_NAMED;
        if is_full && !current.named.contains_key(&id) {
            current.more += usize::from(!is_covered);
            return;
        }
        let named = current.named.entry(id).or_insert_with(|| NamedFailure {
            failure: OngoingFailure::new(),
            reason,
            error: error.clone(),
        });
        (named.reason, named.error) = (reason, error.clone());
        if !is_covered && named.failure.failed(reason, Instant::now()) {
            if is_of_account(error) {
                current.example = Some(id);
            }
            if current.lines < MOST_LINES {
                current.lines += 1;
                named.warn(&self.account, id);
            } else {
                current.more += 1;
            }
        }
    }

    /// Call this at the end of a collection. `failing` operations cannot be read now; `is_failing` returns whether an operation is one of
    /// them, and `None` if it is gone.
    pub(super) fn collection_finished(
        &self,
        failing: usize,
        is_failing: impl Fn(OperationId) -> Option<bool>,
    ) {
        let (current, now) = (&mut *self.current.lock(), Instant::now());
        let mut ended = 0;
        let mut example = current.example(|id| is_failing(id) == Some(true));
        let (lines, more) = (&mut current.lines, &mut current.more);
        let mut has_line = || {
            *lines += 1;
            *lines <= MOST_LINES
        };
        current.named.retain(|id, named| match is_failing(*id) {
            Some(true) => {
                let is_covered = self.is_covered(example, *id, named.reason, &named.error);
                if !is_covered && named.failure.failed(named.reason, now) {
                    if is_of_account(&named.error) {
                        example = Some((*id, named.reason));
                    }
                    if has_line() {
                        named.warn(&self.account, *id);
                    } else {
                        *more += 1;
                    }
                }
                true
            }
            Some(false) if !named.failure.recovered() => false,
            Some(false) => {
                if has_line() {
                    tracing::info!(account = %self.account, operation = %id, "an operation can be read again");
                } else {
                    ended += 1;
                }
                false
            }
            None => false,
        });
        if ended > 0 {
            tracing::info!(account = %self.account, operations = ended, "more operations can be read again");
        }
        current.example = example.map(|(id, _)| id);
        self.log_others(current, failing, now);
        (current.lines, current.more) = (0, 0);
    }

    /// Whether the log has the cause of this failure already: from a list, or from the `example` of another operation.
    fn is_covered(
        &self,
        example: Option<(OperationId, Reason)>,
        id: OperationId,
        reason: Reason,
        error: &ApiError,
    ) -> bool {
        let has_example = example.is_some_and(|(other, same)| other != id && same == reason);
        self.lists.covers_account(reason) || has_example && is_of_account(error)
    }

    /// Logs the total of the operations without a line of their own.
    fn log_others(&self, current: &mut Current, failing: usize, now: Instant) {
        let unnamed = failing.saturating_sub(current.named.len());
        let others = &mut current.others;
        let operations = if current.more > 0 {
            // Operations that begin to fail now are a new failure, which starts the hour again.
            others.recovered();
            current.more
        } else {
            unnamed
        };
        if current.more == 0 && others.error().is_none() {
            return;
        }
        if operations == 0 {
            others.recovered();
            tracing::info!(account = %self.account, "the other operations can be read again");
        } else if others.failed((), now) {
            tracing::warn!(account = %self.account, operations, "cannot read more operations; twilio_email_operation_up shows which");
        }
    }
}

impl Current {
    /// The operation whose line covers others, and its reason, if it still fails.
    fn example(
        &self,
        is_failing: impl FnOnce(OperationId) -> bool,
    ) -> Option<(OperationId, Reason)> {
        let id = self.example.filter(|id| is_failing(*id))?;
        let named = self.named.get(&id)?;
        named.failure.error().map(|reason| (id, *reason))
    }
}

impl UnreadableRows {
    fn is_quiet(&self, now: Instant) -> bool {
        self.last_seen
            .is_none_or(|seen| now.duration_since(seen) >= QUIET)
    }
}

impl NamedFailure {
    fn warn(&self, account: &str, id: OperationId) {
        let (reason, error) = (self.reason.as_str(), &self.error);
        tracing::warn!(account, operation = %id, reason, %error, "cannot read an operation");
    }
}

/// Whether all requests of the account fail for this cause. Twilio can refuse single operations, too.
fn is_of_account(error: &ApiError) -> bool {
    error.concerns_account() && !error.is_refusal()
}
