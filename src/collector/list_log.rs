//! Logs why an account's lists cannot be read: one line for each cause, even if several readers meet it.
//!
//! A reader is silent while the log has the same reason from another reader, for the same list or for the whole account. A cause that lasts
//! is logged when it begins, once an hour by the next reader that meets it, and when it ends. Metrics count every failed request.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::diagnosis::{Login, RequestFailure};
use crate::ongoing_failure::REPEAT;
use crate::reason::Reason;
use crate::twilio::ApiError;

/// What reads a list of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListReader {
    /// Discovery, from the list of operations.
    Operations,
    /// The collector of tags, from the lists of emails of single operations.
    Tags,
    /// The collector of emails, from any list of emails.
    Emails,
    /// The collector of emails, from the list of all emails. Without that, it reads the lists of single operations.
    AllEmails,
}

/// The requests that fail for one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All of the account.
    Account,
    /// Those for the list of operations.
    Operations,
    /// Those for emails.
    Emails,
    /// Those for all emails.
    AllEmails,
}

/// The current failures of an account's lists.
#[derive(Debug)]
pub(super) struct ListLog {
    account: Arc<str>,
    failures: Mutex<[Option<Failure>; ListReader::ALL.len()]>,
}

/// The last failure of one reader, which has not succeeded since.
#[derive(Debug, Clone, Copy)]
struct Failure {
    reason: Reason,
    scope: Scope,
    /// When this reader last logged it; `None` while another reader's line covers it.
    logged: Option<Instant>,
}

impl ListReader {
    const ALL: [Self; 4] = [Self::Operations, Self::Tags, Self::Emails, Self::AllEmails];

    /// The requests that certainly fail when this reader's do.
    const fn own_scope(self) -> Scope {
        match self {
            Self::Operations => Scope::Operations,
            Self::Tags | Self::Emails => Scope::Emails,
            Self::AllEmails => Scope::AllEmails,
        }
    }

    /// The requests that probably fail for the same cause. A collection begins with the list of operations, so its failure counts as one of
    /// the account until another request succeeds. Emails are read after operations.
    const fn scope(self, error: &ApiError) -> Scope {
        let concerns_account = match self {
            Self::Operations => true,
            Self::Tags | Self::Emails => error.concerns_account() && !error.is_refusal(),
            Self::AllEmails => false,
        };
        if concerns_account {
            Scope::Account
        } else {
            self.own_scope()
        }
    }

    const fn begins(self) -> &'static str {
        match self {
            Self::Operations => "cannot list operations",
            Self::Tags | Self::Emails => "cannot list emails",
            Self::AllEmails => {
                "cannot list all emails; the emails of each known operation are listed, which takes more requests"
            }
        }
    }

    const fn ends(self) -> &'static str {
        match self {
            Self::Operations => "operations are listed again",
            Self::Tags | Self::Emails => "emails are listed again",
            Self::AllEmails => "all emails are listed again",
        }
    }

    fn explained(self, failure: &RequestFailure, login: Login) -> String {
        match self {
            Self::Operations => failure.explained(login),
            Self::Tags | Self::Emails | Self::AllEmails => failure.explained_for_emails(login),
        }
    }
}

impl Scope {
    const fn contains(self, other: Self) -> bool {
        match self {
            Self::Account => true,
            Self::Operations => matches!(other, Self::Operations),
            Self::Emails => matches!(other, Self::Emails | Self::AllEmails),
            Self::AllEmails => matches!(other, Self::AllEmails),
        }
    }
}

impl Failure {
    fn is_logged(&self, now: Instant) -> bool {
        self.logged
            .is_some_and(|logged| now.duration_since(logged) < REPEAT)
    }
}

impl ListLog {
    pub(super) fn new(account: Arc<str>) -> Self {
        Self {
            account,
            failures: Mutex::default(),
        }
    }

    /// `reader` failed, with the account's `login`.
    pub(super) fn failed(&self, reader: ListReader, error: &ApiError, login: Login) {
        // A pause follows from a response that was logged, as does a missing token.
        let Some(reason) = error.reason().filter(|_| !error.is_logged_already()) else {
            return;
        };
        if self.note_failed(reader, error, reason) {
            let error = error.of_list();
            let error = error.map(|failure| reader.explained(&failure, login));
            tracing::warn!(account = %self.account, reason = reason.as_str(), error, "{}", reader.begins());
        }
    }

    /// `reader` read its list to the end. Returns whether it failed before.
    pub(super) fn succeeded(&self, reader: ListReader) -> bool {
        self.limit_scopes(Some(reader.own_scope()));
        let failure = self.failures.lock()[reader as usize].take();
        if failure.is_some_and(|failure| failure.logged.is_some()) {
            tracing::info!(account = %self.account, "{}", reader.ends());
        }
        failure.is_some()
    }

    /// A single operation was read.
    pub(super) fn operation_read(&self) {
        self.limit_scopes(None);
    }

    /// Whether the log has a line about a failure of all requests of the account with `reason`.
    pub(super) fn covers_account(&self, reason: Reason) -> bool {
        let now = Instant::now();
        self.failures.lock().iter().flatten().any(|failure| {
            failure.reason == reason && failure.scope == Scope::Account && failure.is_logged(now)
        })
    }

    /// A success shows that failures of other lists than `succeeded` concern only those lists, not the whole account.
    fn limit_scopes(&self, succeeded: Option<Scope>) {
        let failures = &mut *self.failures.lock();
        for (reader, failure) in ListReader::ALL.into_iter().zip(failures) {
            if let Some(failure) = failure
                && Some(reader.own_scope()) != succeeded
            {
                failure.scope = reader.own_scope();
            }
        }
    }

    /// Drops the failure of a reader that is switched on or off.
    pub(super) fn forget(&self, reader: ListReader) {
        self.failures.lock()[reader as usize] = None;
    }

    /// Returns whether to log this failure.
    fn note_failed(&self, reader: ListReader, error: &ApiError, reason: Reason) -> bool {
        let (failures, now) = (&mut *self.failures.lock(), Instant::now());
        let before = failures[reader as usize].filter(|before| before.reason == reason);
        let mut failure = before.unwrap_or(Failure {
            reason,
            scope: reader.scope(error),
            logged: None,
        });
        let own = reader.own_scope();
        let is_covered = failures.iter().enumerate().any(|(other, current)| {
            current.as_ref().is_some_and(|current| {
                other != reader as usize
                    && current.reason == reason
                    && current.scope.contains(own)
                    && current.is_logged(now)
            })
        });
        let logs = !is_covered && !failure.is_logged(now);
        if is_covered {
            failure.logged = None;
        } else if logs {
            failure.logged = Some(now);
            // This line replaces older ones of the same cause, so that its end is logged once.
            for other in failures.iter_mut().flatten() {
                let is_same = other.scope.contains(own) || own.contains(other.scope);
                if other.reason == reason && is_same {
                    other.logged = None;
                }
            }
        }
        failures[reader as usize] = Some(failure);
        logs
    }
}
