//! The operations that a page shows: filtered, sorted, and cut into pages. It also collects the states and labels that the form
//! proposes.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::filter::{Filter, Sort};
use super::operation::OperationSummary;
use crate::collector::AccountOverview;
use crate::operation::OperationState;
use crate::operation::{Breakdown, Sums};
use crate::snapshot::{AccountSnapshot, ShownOperation};
use crate::timestamp::Timestamp;

/// The operations on one page: below 100 KiB of HTML, and not too many for a person.
pub(super) const PAGE_SIZE: usize = 25;
/// The most labels that the search field proposes.
const MOST_PROPOSALS: usize = 30;
/// A longer label is not proposed.
const LONGEST_PROPOSAL: usize = 60;

/// One page of operations.
#[derive(Debug, Serialize)]
pub(super) struct Selection {
    /// Operations with series, of all accounts.
    pub(super) total: usize,
    /// Those that match the filter.
    pub(super) matching: usize,
    /// From 1.
    pub(super) page: usize,
    pub(super) pages: usize,
    pub(super) items: Vec<OperationSummary>,
    /// The states to choose from.
    #[serde(skip)]
    pub(super) states: BTreeSet<String>,
    /// Some labels to choose from: `name=value`.
    #[serde(skip)]
    pub(super) labels: BTreeSet<String>,
}

/// One operation before it is rendered.
struct Candidate<'a> {
    account: &'a AccountSnapshot,
    operation: &'a ShownOperation,
    outcome: Option<Sums>,
}

impl Selection {
    /// The page that `filter` selects. A page beyond the last one is the last one.
    pub(super) fn new(accounts: &[AccountOverview], filter: &Filter, now: Timestamp) -> Self {
        let accounts = || accounts.iter().map(|account| &account.snapshot);
        let mut states: BTreeSet<_> = OperationState::KNOWN
            .iter()
            .map(|state| state.as_str().to_owned())
            .collect();
        let mut labels = BTreeSet::new();
        let mut total = 0;
        let mut matching = Vec::new();
        let wanted = Wanted::new(filter);
        for account in accounts() {
            for operation in &account.operations {
                total += 1;
                if let Some(seen) = &operation.seen
                    && !states.contains(seen.state.as_str())
                {
                    states.insert(seen.state.as_str().to_owned());
                }
                propose(&mut labels, operation);
                if wanted.is_met_by(account, operation) {
                    matching.push(Candidate::new(account, operation));
                }
            }
        }
        sort(&mut matching, filter.sort);
        let pages = matching.len().div_ceil(PAGE_SIZE).max(1);
        let page = filter.page.clamp(1, pages);
        let items = matching
            .iter()
            .skip((page - 1) * PAGE_SIZE)
            .take(PAGE_SIZE)
            .map(|candidate| {
                let account = candidate.account;
                let mode = account.counting_mode;
                OperationSummary::new(&account.name, candidate.operation, mode, now)
            })
            .collect();
        Self {
            total,
            matching: matching.len(),
            page,
            pages,
            items,
            states,
            labels,
        }
    }
}

impl<'a> Candidate<'a> {
    fn new(account: &'a AccountSnapshot, operation: &'a ShownOperation) -> Self {
        let seen = operation.seen.as_ref();
        let emails = seen.map(|seen| Breakdown::of_stats(&seen.stats, account.counting_mode));
        Self {
            account,
            operation,
            outcome: emails.map(|emails| emails.sums()),
        }
    }

    /// Emails in flight, and lost ones.
    fn counts(&self) -> (u64, u64) {
        self.outcome
            .map_or((0, 0), |outcome| (outcome.in_flight, outcome.lost))
    }
}

fn sort(candidates: &mut [Candidate<'_>], sort: Sort) {
    // An id begins with the time of creation.
    let newest = |candidate: &Candidate<'_>| Reverse(candidate.operation.id);
    match sort {
        Sort::Newest => candidates.sort_by_key(newest),
        Sort::InFlight => {
            candidates.sort_by_key(|candidate| (Reverse(candidate.counts().0), newest(candidate)));
        }
        Sort::Worst => {
            candidates.sort_by_key(|candidate| (Reverse(candidate.counts().1), newest(candidate)));
        }
    }
}

fn propose(labels: &mut BTreeSet<String>, operation: &ShownOperation) {
    if labels.len() >= MOST_PROPOSALS {
        return;
    }
    for (name, value) in &*operation.labels {
        // The name of a single operation is not a filter.
        if name != "name" && name.len() + value.len() < LONGEST_PROPOSAL {
            labels.insert(format!("{name}={value}"));
        }
    }
}

/// The conditions of a filter.
struct Wanted<'f> {
    filter: &'f Filter,
    /// In lower case.
    text: String,
    label: Option<(&'f str, Option<&'f str>)>,
}

impl<'f> Wanted<'f> {
    fn new(filter: &'f Filter) -> Self {
        let label = filter.label.as_deref().map(|label| {
            let pair = label.split_once('=');
            pair.map_or((label.trim(), None), |(name, value)| {
                (name.trim(), Some(value))
            })
        });
        Self {
            filter,
            text: filter.text.to_lowercase(),
            label,
        }
    }

    fn is_met_by(&self, account: &AccountSnapshot, operation: &ShownOperation) -> bool {
        let filter = self.filter;
        let name: &Arc<str> = &account.name;
        if filter
            .account
            .as_ref()
            .is_some_and(|wanted| **wanted != **name)
        {
            return false;
        }
        if let Some(wanted) = &filter.state {
            let state = operation.seen.as_ref().map(|seen| seen.state.as_str());
            if state != Some(wanted.as_str()) {
                return false;
            }
        }
        if let Some((label, wanted)) = self.label {
            let value = operation.labels.get(label);
            if value.is_none_or(|value| wanted.is_some_and(|wanted| wanted != value)) {
                return false;
            }
        }
        let has = |text: &str| text.to_lowercase().contains(&self.text);
        self.text.is_empty()
            || operation.id.to_string().contains(&self.text)
            || has(name)
            || operation.labels.values().any(|value| has(value))
    }
}
