//! The facts behind the findings about an account: what fails, and when that began. It collects them from the account's parts and judges
//! nothing.

use std::sync::Arc;

use super::budget::RequestBudget;
use super::failure_log::FailureLog;
use super::history::History;
use super::ledger::Ledger;
use super::settings::AccountSettings;
use super::source_sync::SourceSync;
use crate::diagnosis::{AccountFacts, Ongoing};
use crate::snapshot::AccountSnapshot;
use crate::timestamp::Timestamp;

/// The known values of an account, and the facts about its failures.
#[derive(Debug, Clone)]
pub struct AccountOverview {
    /// The known values.
    pub snapshot: AccountSnapshot,
    /// The facts behind its findings.
    pub facts: AccountFacts,
}

/// The parts of an account that have facts about its failures.
pub(super) struct AccountStatus<'a> {
    pub(super) settings: &'a AccountSettings,
    pub(super) ledger: &'a Ledger,
    pub(super) log: &'a FailureLog,
    pub(super) sources: &'a SourceSync,
    pub(super) history: &'a History,
    /// When the series limit began to hide operations.
    pub(super) hides_since: Option<Timestamp>,
}

impl AccountStatus<'_> {
    /// The facts about the account whose values are in `snapshot`.
    pub(super) fn facts(&self, snapshot: &AccountSnapshot) -> AccountFacts {
        let (settings, failures) = (self.settings, self.log.current_failures());
        let unreadable = {
            let registry = self.ledger.lock();
            let agenda = registry.agenda();
            ongoing(agenda.failing_since(), Some(agenda.failing()))
        };
        let status = &snapshot.status;
        let history = self.history;
        AccountFacts {
            name: Arc::clone(self.ledger.name()),
            login: settings.client.login(),
            host: settings.client.host(),
            has_collected: status.duration.is_some(),
            up: status.up,
            incomplete_since: history.incomplete_since(),
            failure: failures.account().cloned(),
            list_failure: failures.list().filter(|_| settings.discovers).cloned(),
            paused_until: ongoing(settings.client.paused_since(), status.paused_until),
            next_login_at: status.next_login_at,
            wrong_clock: ongoing(history.clock_wrong_since(), status.clock_skew),
            unsaved: self.ledger.unsaved(),
            unreadable,
            broken_sources: self.sources.broken(),
            without_series: ongoing(self.hides_since, Some(snapshot.without_series)),
            most_series: settings.series.max_operations,
            budget: RequestBudget::new(&settings.limits).total(),
            budget_left: history.budget_left(),
            is_durable: self.ledger.is_durable(),
        }
    }
}

/// `what` with the time when it began; `None` if it does not hold.
fn ongoing<T>(since: Option<Timestamp>, what: Option<T>) -> Option<Ongoing<T>> {
    let (since, what) = since.zip(what)?;
    Some(Ongoing { what, since })
}
