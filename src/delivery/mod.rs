//! An account's emails: the last status of each, and counters by mailbox provider and domain. Times are Twilio's; the caller
//! corrects this machine's clock.
//!
//! An email counts once for each outcome, in any order of its rows. An email that was created before the exporter watched the
//! account is baseline: its status at first sight does not count, later changes do. From its final status on, only its id is kept
//! until it expires, so that it is not counted again.

mod by_label;
mod by_operation;
mod capacity;
mod chunks;
mod comparison;
mod counts;
mod ingest;
mod names;
mod operation_emails;
mod record;
mod saving;
mod status_counts;
mod tallies;
#[cfg(test)]
mod tests;
mod unsaved;
mod zero_for;

pub use comparison::Comparison;
pub use operation_emails::{EmailsByStatus, OperationEmails, ProviderEmails};
pub use tallies::{MOST_TALLIES, OperationTally};
pub use unsaved::EmailChanges;

use std::sync::Arc;
use std::time::Duration;

use crate::email::{Email, EmailId, EmailStatus, Outcomes, ProviderCounts, Providers};
use crate::mx::MxProviders;
use crate::operation::{CountingMode, RETENTION};
use crate::snapshot::{EmailCounters, LabelValue};
use crate::store::{NameKind, SavedEmails};
use crate::timestamp::Timestamp;

use by_label::ByLabel;
use capacity::Capacity;
use chunks::SortedChunks;
use names::NameTable;
use record::{DONE, DoneEmail, ID, OPEN, OpenEmail};
use status_counts::StatusCounts;
use tallies::Tallies;
use unsaved::Unsaved;

/// The most provider names of an account: the numbers that fit into a byte. A configuration has at most 200.
const MOST_PROVIDERS: usize = 255;
/// The fewest emails to a domain that gets a name. A domain with fewer may belong to one person.
const LEAST_TO_DOMAIN: u32 = 10;

/// The limits of emails and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailLimits {
    /// The most emails in memory.
    pub max_emails: usize,
    /// The most domains of recipients with counters of their own; 0: none are counted.
    pub max_recipient_domains: usize,
    /// The same for domains of senders.
    pub max_sender_domains: usize,
}

/// The result of ingesting a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingested {
    /// An email that was not known.
    New,
    /// A known email with another status.
    Changed,
    /// A known email without a change.
    Known,
    /// An email that has expired, or that may have been counted already.
    Expired,
    /// An email of an operation for which there is no room.
    LeftOut,
}

/// The emails of one account.
#[derive(Debug)]
pub struct Deliveries {
    providers: Arc<Providers>,
    /// The providers of domains that the table does not have, if they are looked up.
    exchangers: Option<Arc<MxProviders>>,
    open: SortedChunks<OPEN, ID>,
    done: SortedChunks<DONE, ID>,
    /// When the emails with status [`EmailStatus::Sent`] were sent, in seconds.
    sent: SortedChunks<4, 4>,
    capacity: Capacity,
    /// `None` until the first collection begins.
    born: Option<Timestamp>,
    /// Whether the first collection has not ended. Its results are baseline.
    is_first: bool,
    /// The newest creation that the first collection found.
    newest: Option<Timestamp>,
    /// An unknown email that is older may have been counted.
    expired_until: Timestamp,
    /// The creation times of which everything has been read.
    read_range: Option<(Timestamp, Timestamp)>,
    /// The counting mode of the account's stats that emails have proven; kept here to be saved.
    counting_mode: Option<CountingMode>,
    inbound: u64,
    by_provider: NameTable<ProviderCounts>,
    by_recipient: NameTable<Outcomes>,
    by_sender: NameTable<Outcomes>,
    by_label: ByLabel,
    statuses: StatusCounts,
    tallies: Tallies,
    unsaved: Unsaved,
    /// The state as last saved; `None` if nothing of it is saved.
    saved_standing: Option<SavedEmails>,
    /// The counters as last saved.
    shown: Option<Arc<EmailCounters>>,
}

impl Deliveries {
    /// An account of which nothing is known.
    #[must_use]
    pub fn new(providers: Arc<Providers>, limits: &EmailLimits) -> Self {
        let domains = |kind, most, least| NameTable::new(kind, most, least);
        let recipients = limits.max_recipient_domains;
        Self {
            providers,
            exchangers: None,
            open: SortedChunks::default(),
            done: SortedChunks::default(),
            sent: SortedChunks::default(),
            capacity: Capacity::new(limits.max_emails),
            born: None,
            is_first: true,
            newest: None,
            expired_until: Timestamp::default(),
            read_range: None,
            counting_mode: None,
            inbound: 0,
            by_provider: NameTable::new(NameKind::Provider, MOST_PROVIDERS, 0),
            by_recipient: domains(NameKind::RecipientDomain, recipients, LEAST_TO_DOMAIN),
            by_sender: domains(NameKind::SenderDomain, limits.max_sender_domains, 1),
            by_label: ByLabel::default(),
            statuses: StatusCounts::default(),
            tallies: Tallies::default(),
            unsaved: Unsaved::default(),
            saved_standing: None,
            shown: None,
        }
    }

    /// Applies a new configuration. Emails keep the providers and domains under which they were first seen.
    pub fn reconfigure(&mut self, providers: Arc<Providers>, limits: &EmailLimits) {
        self.providers = providers;
        self.capacity.set_most(limits.max_emails);
        self.by_recipient.set_most(limits.max_recipient_domains);
        self.by_sender.set_most(limits.max_sender_domains);
    }

    /// From now on, looks up domains that the table does not have with `exchangers`; `None`: no lookups.
    pub fn set_exchangers(&mut self, exchangers: Option<Arc<MxProviders>>) {
        self.exchangers = exchangers;
    }

    /// Applies the labels whose values have counters of their own, and the most values of each. Call it before [`Self::restore`].
    pub fn set_labels(&mut self, labels: &[Arc<str>], most_values: usize) {
        self.by_label.configure(labels, most_values);
    }

    /// To be called when a collection begins: notes when the account was first watched, and which new names need not expose 0 any more.
    pub fn begin(&mut self, now: Timestamp) {
        self.born.get_or_insert(now);
        self.by_provider.pass(now);
        self.by_recipient.pass(now);
        self.by_sender.pass(now);
        self.by_label.pass(now);
    }

    /// To be called when a scrape has exposed [`Self::shown`].
    pub fn exposed(&mut self) {
        if self.shown.is_some() {
            self.by_provider.shown();
            self.by_recipient.shown();
            self.by_sender.shown();
            self.by_label.shown();
        }
    }

    /// To be called when a collection is complete: ends the first one, and gives names to the largest domains.
    pub fn end(&mut self) {
        let is_first = std::mem::take(&mut self.is_first);
        if is_first && let Some(newest) = self.newest {
            self.born = self.born.max(Some(newest + Duration::from_millis(1)));
        }
        self.by_recipient.name_largest(is_first);
        self.by_sender.name_largest(is_first);
    }

    /// Ingests one row of an email whose operation has no label.
    pub fn ingest(&mut self, email: &Email, now: Timestamp) -> Ingested {
        self.ingest_labeled(email, &[], now)
    }

    /// Ingests one row. `labels` are those that the email's operation has now.
    pub fn ingest_labeled(
        &mut self,
        email: &Email,
        labels: &[LabelValue],
        now: Timestamp,
    ) -> Ingested {
        self.tallies.set_time(now);
        let id = email.id;
        if id.created() + RETENTION <= now {
            return Ingested::Expired;
        }
        let key = id.to_bytes();
        if let Some(known) = self.open.get(&key) {
            return self.see_again(OpenEmail::from_bytes(&known), email, labels);
        }
        if self.done.get(&key).is_some() {
            return Ingested::Known;
        }
        if id.created() < self.expired_until {
            return Ingested::Expired;
        }
        if !self.admits(email) {
            return Ingested::LeftOut;
        }
        self.see_first(email, labels);
        Ingested::New
    }

    /// Removes emails that have expired.
    pub fn expire(&mut self, now: Timestamp) {
        let oldest = now - RETENTION;
        let has_expired = |id: EmailId| id.created() <= oldest;
        while let Some(bytes) = self
            .open
            .pop_first_if(|bytes| has_expired(OpenEmail::from_bytes(bytes).id))
        {
            let email = OpenEmail::from_bytes(&bytes);
            self.remove_sent(&email);
            self.statuses.remove(email.provider, email.status);
            self.unsaved.forget(email.id);
        }
        while let Some(bytes) = self
            .done
            .pop_first_if(|bytes| has_expired(DoneEmail::from_bytes(bytes).id))
        {
            let email = DoneEmail::from_bytes(&bytes);
            self.statuses.remove(email.provider, email.status);
            self.unsaved.forget(email.id);
        }
        // A time beyond `now` comes from a clock that has since been set back: nothing so new can have expired.
        let behind = oldest + Duration::from_millis(1);
        self.expired_until = self.expired_until.max(behind).min(now);
        self.by_label.expire(now);
        self.capacity.pass(self.len(), now);
    }

    /// The number of known emails.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.open.len() + self.done.len()
    }

    /// Whether no email is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of emails whose status may change.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.open.len()
    }

    /// The number of emails created from `from` on and before `until` whose status may change. A window without any need not be read.
    #[must_use]
    pub fn open_created(&self, from: Timestamp, until: Timestamp) -> usize {
        // The first id of a time is before every other one, and no email has it.
        let before = |time| self.open.count_to(&EmailId::first_at(time).to_bytes());
        before(until).saturating_sub(before(from))
    }

    /// The emails that were sent at least `age` ago and neither delivered nor undelivered since.
    #[must_use]
    pub fn unconfirmed(&self, age: Duration, now: Timestamp) -> usize {
        let seconds = now.as_millis().div_euclid(1000);
        let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        match u32::try_from(seconds.saturating_sub(age)) {
            Ok(until) => self.sent.count_to(&until.to_be_bytes()),
            Err(_) => 0,
        }
    }

    /// How many emails were left out because there was no room. An email counts each time it is read.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.capacity.left_out()
    }

    /// When the account was first watched. `None` until a collection has begun.
    #[must_use]
    pub const fn born(&self) -> Option<Timestamp> {
        self.born
    }

    /// Whether half of the room is used. Emails created before the account was watched should not take the other half.
    #[must_use]
    pub fn is_half_full(&self) -> bool {
        self.capacity.is_above_half(self.len())
    }

    /// The creation times of which everything has been read, as last noted or restored.
    #[must_use]
    pub const fn read_range(&self) -> Option<(Timestamp, Timestamp)> {
        self.read_range
    }

    /// Notes the creation times of which everything has been read. They are saved with the next change.
    pub const fn set_read_range(&mut self, range: Option<(Timestamp, Timestamp)>) {
        self.read_range = range;
    }

    /// The counting mode that emails have proven, as last noted or restored.
    #[must_use]
    pub const fn counting_mode(&self) -> Option<CountingMode> {
        self.counting_mode
    }

    /// Notes the counting mode that emails have proven.
    pub const fn set_counting_mode(&mut self, mode: Option<CountingMode>) {
        self.counting_mode = mode;
    }

    /// Whether new operations are left out because there is no room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.capacity.is_full()
    }

    /// The counters as they may be exposed; `None` before the first save: the file may have higher ones that cannot be read now.
    #[must_use]
    pub fn shown(&self) -> Option<&Arc<EmailCounters>> {
        self.shown.as_ref()
    }

    fn add_open(&mut self, email: OpenEmail) {
        self.statuses.add(email.provider, email.status);
        if email.status == EmailStatus::Sent {
            self.sent.insert(email.sent_at.to_be_bytes());
        }
        self.open.insert(email.to_bytes());
    }

    fn add_done(&mut self, email: DoneEmail) {
        self.statuses.add(email.provider, email.status);
        self.done.insert(email.to_bytes());
    }

    fn remove_sent(&mut self, email: &OpenEmail) {
        if email.status == EmailStatus::Sent {
            self.sent.remove(&email.sent_at.to_be_bytes());
        }
    }
}
