//! The lists of emails that the exporter reads, and the requests that test one row of each. The list of all emails is for the collector
//! of emails, those of single operations are for tags, and for the collector if Twilio refuses the list of all.

use super::result::CheckResult;
use crate::config::Config;
use crate::diagnosis::{self, AccountFacts, Ongoing};
use crate::operation::{OperationId, RETENTION};
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Client, ListFilter};

/// The lists of emails that a configuration needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EmailLists {
    None,
    OfOperations,
    All,
}

/// The requests for lists of emails of one account.
pub(super) struct EmailRequests {
    lists: EmailLists,
    all: Option<Result<(), ApiError>>,
    of_operation: Option<Result<(), ApiError>>,
    lacks_operation: bool,
}

impl EmailLists {
    pub(super) fn of(config: &Config) -> Self {
        if config.emails.enabled {
            Self::All
        } else if config.series.tags.is_empty() {
            Self::None
        } else {
            Self::OfOperations
        }
    }
}

impl EmailRequests {
    pub(super) fn new(lists: EmailLists) -> Self {
        Self {
            lists,
            all: None,
            of_operation: None,
            lacks_operation: false,
        }
    }

    pub(super) fn are_read(&self) -> bool {
        self.lists != EmailLists::None
    }

    /// Requests the list of all emails, or that of the emails of `operation`, as the exporter does.
    pub(super) async fn make(
        &mut self,
        client: &Client,
        operation: Option<OperationId>,
        now: Timestamp,
    ) {
        let needs_operation = match self.lists {
            EmailLists::None => false,
            EmailLists::OfOperations => true,
            EmailLists::All => {
                let filter = ListFilter {
                    from: Some(now - RETENTION),
                    ..ListFilter::default()
                };
                let all = self.all.insert(list_one(client, filter).await);
                all.as_ref().is_err_and(ApiError::is_refusal)
            }
        };
        self.lacks_operation = needs_operation && operation.is_none();
        if needs_operation && operation.is_some() {
            let filter = ListFilter {
                operation,
                ..ListFilter::default()
            };
            self.of_operation = Some(list_one(client, filter).await);
        }
    }

    /// The result; `None` if the requests were not made or not completed. `since` is the time of the check.
    pub(super) fn result(
        &self,
        name: &'static str,
        facts: &AccountFacts,
        since: Timestamp,
    ) -> Option<CheckResult> {
        let (list, text) = match self.lists {
            EmailLists::OfOperations => (&self.of_operation, "the emails of an operation"),
            EmailLists::All | EmailLists::None => (&self.all, "the list of emails"),
        };
        let error = match list {
            Some(Ok(())) => {
                return Some(CheckResult::ok(name, format_args!("Twilio returns {text}")));
            }
            Some(Err(error)) => error,
            None if self.lacks_operation => {
                let what = "The account has no operation of the last seven days";
                return Some(CheckResult::skipped(name, what));
            }
            None => return None,
        };
        let Some(what) = error.of_list() else {
            return Some(CheckResult::skipped(name, error));
        };
        let failure = Ongoing { what, since };
        let finding = match &self.of_operation {
            Some(Ok(())) => diagnosis::emails_by_operation(facts, &failure),
            _ => diagnosis::emails_only(facts, &failure),
        };
        Some(CheckResult::finding(name, finding))
    }
}

async fn list_one(client: &Client, filter: ListFilter) -> Result<(), ApiError> {
    client
        .emails(filter)
        .with_page_size(1)
        .page()
        .await
        .map(drop)
}
