//! The values about Twilio that one scrape exposes. A snapshot is immutable and belongs to one moment; the registry creates it, and
//! `exposition` and `web` read it. [`Totals`] are sums that the registry updates by differences.

mod emails;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use emails::{EmailCounters, EmailsSnapshot, HeldNames, LabelValue};

use crate::clock_skew::ClockSkew;
use crate::operation::{
    Counters, CountingMode, Operation, OperationId, OperationState, Outcome, Stats, Status, Word,
};
use crate::timestamp::Timestamp;

/// All accounts at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// In the order of the configuration.
    pub accounts: Vec<AccountSnapshot>,
}

/// One account at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSnapshot {
    /// Its configured name; never a SID.
    pub name: Arc<str>,
    /// The status of its collections.
    pub status: CollectionStatus,
    /// The counters as far as they are saved; `None` before the first save.
    pub counters: Option<Counters>,
    /// When the counters began to count, and the operations behind their last growth.
    pub origins: CounterOrigins,
    /// The collectors of the account, each with its own task and result.
    pub collectors: Vec<CollectorStatus>,
    /// How its stats overlap.
    pub counting_mode: CountingMode,
    /// Sums over all tracked operations.
    pub totals: Totals,
    /// Emails that are sent and neither confirmed nor failed; `None`: not known.
    pub unconfirmed: Option<Unconfirmed>,
    /// Tracked operations that the series limit hides.
    pub without_series: u64,
    /// Its single emails; `None` unless they are collected.
    pub emails: Option<EmailsSnapshot>,
    /// Sums by the labels that the configuration names, each value a group.
    pub groups: Vec<GroupSnapshot>,
    /// The operations that have series, newest first after the configured ones.
    pub operations: Vec<ShownOperation>,
}

/// The ages by which unconfirmed emails are summed up, as values of the label `older_than`. Twilio retries deferred mail for up to
/// three days.
pub const UNCONFIRMED_AGES: [(&str, Duration); 4] = [
    ("5m", Duration::from_mins(5)),
    ("1h", Duration::from_hours(1)),
    ("6h", Duration::from_hours(6)),
    ("1d", Duration::from_hours(24)),
];

/// The emails that have been sent and neither confirmed nor failed for at least each of [`UNCONFIRMED_AGES`].
pub type Unconfirmed = [u64; UNCONFIRMED_AGES.len()];

/// When the counters of an account began to count, and the operations behind their last growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CounterOrigins {
    /// When the counters were 0 and began to count, by Twilio's clock; `None` until Twilio has responded.
    pub since: Option<Timestamp>,
    /// The operation behind the last growth of accepted emails.
    pub accepted: Option<Contribution>,
    /// The operation behind the last growth of each outcome.
    pub outcomes: [Option<Contribution>; Outcome::ALL.len()],
}

/// What one operation added to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contribution {
    /// The operation.
    pub operation: OperationId,
    /// How many emails it added.
    pub emails: u32,
    /// When the exporter read these emails.
    pub read: Timestamp,
}

/// The name of a collector of an account. Each collector has its own task, so that none waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectorName {
    /// Lists and reads operations.
    Operations,
    /// Reads the tags of emails.
    Tags,
    /// Reads single emails.
    Emails,
}

impl CollectorName {
    /// The value of the label `collector`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Tags => "tags",
            Self::Emails => "emails",
        }
    }
}

/// The last finished run of a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectorStatus {
    /// The collector.
    pub name: CollectorName,
    /// Whether it read everything due.
    pub success: bool,
    /// How long it took.
    pub duration: Duration,
}

/// The operations of an account that share a label's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSnapshot {
    /// The label's name.
    pub label: Arc<str>,
    /// Its value; `other` has the values beyond the limit.
    pub value: Arc<str>,
    /// Sums over those that are tracked.
    pub totals: Totals,
    /// The counters as far as they are saved; `None` before the first save.
    pub counters: Option<Counters>,
}

/// The status of an account's collections. `None` means not known yet; it has no series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CollectionStatus {
    /// Whether the last collection reached Twilio and authenticated.
    pub up: bool,
    /// Whether Twilio returns the list of operations; `None` with discovery off.
    pub discovery_up: Option<bool>,
    /// Whether everything due was read.
    pub complete: bool,
    /// How long the last finished collection took.
    pub duration: Option<Duration>,
    /// When a collection was last complete.
    pub last_success: Option<Timestamp>,
    /// When the current pause ends, if there is one.
    pub paused_until: Option<Timestamp>,
    /// When rejected credentials are tried again, if there are any.
    pub next_login_at: Option<Timestamp>,
    /// The server's clock minus this machine's, from the last response with a `Date`; `None` before one.
    pub clock_skew: Option<ClockSkew>,
}

/// One operation that has series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownOperation {
    /// Its id.
    pub id: OperationId,
    /// Its last read; `None` for a configured operation that was never read.
    pub seen: Option<Operation>,
    /// Whether the last attempt to read it succeeded; `None` before the first attempt.
    pub up: Option<bool>,
    /// When it was last read.
    pub last_success: Option<Timestamp>,
    /// The `scheduledFor` of its first email; `None`: not scheduled, or not known.
    pub scheduled_for: Option<Timestamp>,
    /// Whether its stats and its emails disagree; `None`: not compared.
    pub emails_mismatch: Option<bool>,
    /// The user's labels, by name, without those the configuration does not allow; empty when there are none.
    pub labels: Labels,
}

/// A user's labels of an operation, sorted by name; shared, because a snapshot is made for every scrape.
pub type Labels = Arc<BTreeMap<String, String>>;

/// The operations that one source lists, each with the user's labels.
pub type ListedOperations = BTreeMap<OperationId, Labels>;

/// Sums over the tracked operations of an account, kept up to date by differences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    known_states: [u64; OperationState::KNOWN.len()],
    other_states: BTreeMap<Word, u64>,
    emails: [u64; Status::ALL.len()],
    /// The number of emails, and of operations that have the status: an operation may have it with 0 emails.
    other_emails: BTreeMap<Word, (u64, u64)>,
}

impl Totals {
    /// Adds an operation.
    pub fn add(&mut self, state: &OperationState, stats: &Stats) {
        match OperationState::KNOWN
            .iter()
            .position(|known| known == state)
        {
            Some(known) => self.known_states[known] += 1,
            None => {
                *self
                    .other_states
                    .entry(Word::new(state.as_str()))
                    .or_default() += 1;
            }
        }
        for (sum, emails) in self.emails.iter_mut().zip(stats.emails) {
            *sum += u64::from(emails);
        }
        for (name, emails) in stats.unknown() {
            let (sum, operations) = self.other_emails.entry(name.clone()).or_default();
            *sum += u64::from(*emails);
            *operations += 1;
        }
    }

    /// Removes an operation that was added with the same stats.
    pub fn remove(&mut self, state: &OperationState, stats: &Stats) {
        match OperationState::KNOWN
            .iter()
            .position(|known| known == state)
        {
            Some(known) => self.known_states[known] -= 1,
            None => self.remove_other_state(state),
        }
        for (sum, emails) in self.emails.iter_mut().zip(stats.emails) {
            *sum -= u64::from(emails);
        }
        for (name, emails) in stats.unknown() {
            if let Some((sum, operations)) = self.other_emails.get_mut(name) {
                *sum = sum.saturating_sub(u64::from(*emails));
                *operations = operations.saturating_sub(1);
                if *operations == 0 {
                    self.other_emails.remove(name);
                }
            }
        }
    }

    fn remove_other_state(&mut self, state: &OperationState) {
        let word = Word::new(state.as_str());
        if let Some(operations) = self.other_states.get_mut(&word) {
            *operations = operations.saturating_sub(1);
            if *operations == 0 {
                self.other_states.remove(&word);
            }
        }
    }

    /// The undocumented states that operations are in.
    pub fn undocumented_states(&self) -> impl Iterator<Item = &Word> {
        self.other_states.keys()
    }

    /// The undocumented stats that operations have.
    pub fn undocumented_stats(&self) -> impl Iterator<Item = &Word> {
        self.other_emails.keys()
    }

    /// The number of operations added.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.known_states
            .iter()
            .chain(self.other_states.values())
            .sum()
    }

    /// The number of operations in one of the documented states.
    #[must_use]
    pub fn in_state(&self, state: &OperationState) -> u64 {
        OperationState::KNOWN
            .iter()
            .zip(self.known_states)
            .filter(|(known, _)| *known == state)
            .map(|(_, count)| count)
            .sum()
    }

    /// The number of emails in `status`.
    #[must_use]
    pub const fn at(&self, status: Status) -> u64 {
        self.emails[status as usize]
    }

    /// Operations by state: the documented states always, others while there are any.
    pub fn operations(&self) -> impl Iterator<Item = (&str, u64)> {
        let known = OperationState::KNOWN
            .iter()
            .zip(self.known_states)
            .map(|(state, count)| (state.as_str(), count));
        known.chain(
            self.other_states
                .iter()
                .map(|(state, count)| (state.as_str(), *count)),
        )
    }

    /// Emails by status: the documented statuses always, others while there are any.
    pub fn emails(&self) -> impl Iterator<Item = (&str, u64)> {
        let known = Status::ALL
            .iter()
            .zip(self.emails)
            .map(|(status, sum)| (status.as_str(), sum));
        known.chain(
            self.other_emails
                .iter()
                .map(|(name, (sum, _))| (name.as_str(), *sum)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undocumented_status_stays_while_an_operation_has_it_even_without_emails() {
        let mut totals = Totals::default();
        let with = |emails| Stats {
            unknown: Some(Arc::from([(Word::new("deferred"), emails)])),
            ..Stats::default()
        };
        for emails in [0, 3] {
            totals.add(&OperationState::Completed, &with(emails));
        }
        totals.remove(&OperationState::Completed, &with(3));
        assert!(totals.emails().any(|each| each == ("deferred", 0)));
        totals.remove(&OperationState::Completed, &with(0));
        assert_eq!(totals, Totals::default());
    }

    #[test]
    fn removing_all_operations_leaves_empty_totals() {
        let mut totals = Totals::default();
        let mut stats = Stats {
            unknown: Some(Arc::from([(Word::new("deferred"), 3)])),
            ..Stats::default()
        };
        stats.set(Status::Opened, 7);
        let paused = OperationState::parse("PAUSED");
        totals.add(&paused, &stats);
        totals.add(&OperationState::Completed, &stats);
        assert!(totals.operations().any(|each| each == ("PAUSED", 1)));
        assert!(totals.emails().any(|each| each == ("opened", 14)));
        assert!(totals.emails().any(|each| each == ("deferred", 6)));
        totals.remove(&paused, &stats);
        totals.remove(&OperationState::Completed, &stats);
        assert_eq!(totals, Totals::default());
    }
}
