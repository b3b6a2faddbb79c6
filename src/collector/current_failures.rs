//! The current failures of an account's requests, and when they began: facts for [`diagnosis`](crate::diagnosis). A failure of the
//! whole account is kept apart from one of the list.

use std::mem::discriminant;

use crate::diagnosis::{Ongoing, RequestFailure};
use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// The current failures of one account.
#[derive(Debug, Clone, Default)]
pub(super) struct CurrentFailures {
    /// Of every request.
    account: Option<Ongoing<RequestFailure>>,
    /// Of the list of operations.
    list: Option<Ongoing<RequestFailure>>,
}

impl CurrentFailures {
    /// The failure of all requests.
    pub(super) const fn account(&self) -> Option<&Ongoing<RequestFailure>> {
        self.account.as_ref()
    }

    /// The failure of the list of operations.
    pub(super) const fn list(&self) -> Option<&Ongoing<RequestFailure>> {
        self.list.as_ref()
    }

    /// The list of operations was read to its end.
    pub(super) fn list_read(&mut self) {
        (self.account, self.list) = (None, None);
    }

    /// The list of operations failed.
    pub(super) fn list_failed(&mut self, error: &ApiError, at: Timestamp) {
        begin_or_go_on(&mut self.list, error, at);
    }

    /// The read of a single operation failed. It counts if every other request would fail in the same way.
    pub(super) fn read_failed(&mut self, error: &ApiError, at: Timestamp) {
        if error.concerns_account() {
            begin_or_go_on(&mut self.account, error, at);
        }
    }

    /// A collection in which a request authenticated has finished.
    pub(super) fn authenticated(&mut self) {
        self.account = None;
    }

    /// Discovery was switched on or off.
    pub(super) fn discovery_changed(&mut self) {
        self.list = None;
    }
}

/// A failure of the same kind keeps its start time. An error that follows from an earlier failure does not replace it.
fn begin_or_go_on(current: &mut Option<Ongoing<RequestFailure>>, error: &ApiError, at: Timestamp) {
    let Some(what) = error.of_list() else {
        return;
    };
    let is_consequence = matches!(error, ApiError::LoginRejected { .. });
    match current {
        Some(_) if is_consequence => {}
        Some(known) if discriminant(&known.what) == discriminant(&what) => known.what = what,
        _ => *current = Some(Ongoing { what, since: at }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[test]
    fn a_failure_keeps_its_beginning_until_another_one_begins_or_it_ends() {
        let mut failures = CurrentFailures::default();
        let at = |minutes| START + Duration::from_mins(minutes);
        let list = |failures: &CurrentFailures| failures.list().cloned();
        failures.list_failed(&ApiError::Unauthorized, at(0));
        failures.list_failed(&ApiError::LoginRejected { retry_at: at(9) }, at(1));
        failures.list_failed(&ApiError::Paused { until: at(9) }, at(1));
        failures.list_failed(&ApiError::Unauthorized, at(2));
        let since = |what, minutes| {
            Some(Ongoing {
                what,
                since: at(minutes),
            })
        };
        assert_eq!(list(&failures), since(RequestFailure::Unauthorized, 0));
        failures.list_failed(&ApiError::Forbidden, at(3));
        assert_eq!(list(&failures), since(RequestFailure::Forbidden, 3));
        failures.list_read();
        assert_eq!(list(&failures), None);
    }

    #[test]
    fn only_an_error_about_the_account_is_a_failure_of_the_account() {
        let mut failures = CurrentFailures::default();
        failures.read_failed(&ApiError::NotFound { status: 404 }, START);
        assert_eq!(failures.account(), None);
        failures.read_failed(&ApiError::Unauthorized, START);
        assert!(failures.account().is_some());
        failures.authenticated();
        assert_eq!(failures.account(), None);
    }
}
