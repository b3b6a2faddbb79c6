//! Everything the exporter knows about the operations of one account: which exist, their last stats, what the counters include,
//! which have series, and which are due.
//!
//! It makes no request, saves nothing and reads no clock. The collector brings operations and the time, and writes to the store what is
//! unsaved. [`Registry`] composes the parts of this module; [`Agenda`] returns what to poll, [`Presenter`] what to show.

mod account_counters;
mod agenda;
mod chunk;
mod chunks;
mod clock_jumps;
mod contributions;
mod due;
mod due_search;
mod email_evidence;
mod email_proof;
mod first_emails;
mod group;
mod groups;
mod label_pool;
mod merger;
mod new_lists;
mod operation_labels;
mod pending_changes;
mod presenter;
mod read_failures;
mod record;
mod records;
mod rejected_operations;
mod save_draft;
mod schedule;
mod scheduled_times;
mod slice;
mod slices;
mod tables;
mod unconfirmed;
mod undocumented_values;
mod unsaved_changes;
#[cfg(test)]
pub(crate) mod visits;
mod vocabulary;
mod walks;
mod watched;

use std::sync::Arc;

pub use self::agenda::Agenda;
pub use self::chunk::CHUNK_SIZE;
pub use self::due::{Due, ListRange};
pub use self::due_search::DueSearch;
pub use self::email_evidence::DatedStats;
pub use self::merger::Observed;
pub use self::presenter::{Page, Presenter, View};
pub use self::save_draft::SaveDraft;
pub use self::unsaved_changes::ToSave;
pub use self::watched::Source;

use self::chunk::ChunkPolicy;
use self::chunks::Chunks;
use self::clock_jumps::ClockJumps;
use self::merger::Merger;
use self::rejected_operations::RejectedOperations;
use self::tables::Tables;
use self::walks::Walks;
use crate::clock_skew::ClockSkew;
use crate::config::Series;
use crate::operation::{CountingMode, Operation, OperationId, RETENTION, Unexpected};
use crate::reason::Reason;
use crate::snapshot::{Labels, ListedOperations};
use crate::store::{SavedAccount, SavedGroup, SavedOperation};
use crate::timestamp::Timestamp;

/// The operations of one account.
#[derive(Debug)]
pub struct Registry {
    account: Arc<str>,
    /// The most operations with series. Watched ones come first, and configured ones always have series.
    most_shown: usize,
    chunks: Chunks,
    rejected: RejectedOperations,
    tables: Tables,
    clock_jumps: ClockJumps,
    walks: Walks,
    #[cfg(test)]
    panic_on: Option<OperationId>,
}

impl Registry {
    /// The registry of `account`, with the counting mode if the user configured it. The exporter watches a new account since
    /// `started`, by this machine's clock.
    #[must_use]
    pub fn new(
        account: Arc<str>,
        series: &Series,
        mode: Option<CountingMode>,
        started: Timestamp,
    ) -> Self {
        Self {
            account,
            most_shown: series.max_operations,
            chunks: Chunks::new(ChunkPolicy {
                min_size: series.min_size,
                by_age: false,
            }),
            rejected: RejectedOperations::default(),
            tables: Tables::new(series, mode, started),
            clock_jumps: ClockJumps::default(),
            walks: Walks::default(),
            #[cfg(test)]
            panic_on: None,
        }
    }

    /// Which operations are due.
    #[must_use]
    pub const fn agenda(&self) -> Agenda<'_> {
        Agenda {
            chunks: &self.chunks,
            rejected: &self.rejected,
            watched: &self.tables.watched,
            failures: &self.tables.failures,
            totals: &self.tables.totals,
        }
    }

    /// What scrapes and the API show.
    #[must_use]
    pub const fn presenter(&self) -> Presenter<'_> {
        Presenter {
            account: &self.account,
            most_shown: self.most_shown,
            chunks: &self.chunks,
            rejected: &self.rejected,
            tables: &self.tables,
        }
    }

    /// Notes what `source` listed at `now`, without expired operations. This replaces the source's previous list in slices, and is
    /// complete once the registry has [caught up](Self::catch_up).
    pub fn list(&mut self, source: Source, listed: ListedOperations, now: Timestamp) {
        self.tables.new_lists.push(source, listed, now);
        self.catch_up();
    }

    /// Sets the labels that `source` lists for `id`; `None`: `source` does not list it any more.
    pub fn set(&mut self, source: &Source, id: OperationId, labels: Option<Labels>) {
        if self.tables.watched.set(source, id, labels) {
            self.rewatch(&[id]);
        }
    }

    /// Whether `id` is not in memory and, by the time in it, has expired.
    #[must_use]
    pub fn is_expired(&self, id: OperationId, now: Timestamp) -> bool {
        id.created() + RETENTION <= now && self.chunks.get(id).is_none()
    }

    /// Unpacks the chunks of `operations`, so that [`Self::observe`] is faster.
    pub fn prepare(&mut self, operations: &[Operation]) {
        self.chunks
            .open(operations.iter().map(|operation| operation.id));
    }

    /// Ingests what Twilio returned at `now`, without what has expired. `saved` looks up what the store has of an operation that is
    /// not in memory. The collection began at `since`.
    ///
    /// # Panics
    ///
    /// Only if it has a bug. No record is lost then, but the sums and counters of the operation being merged may be half changed:
    /// the caller must replace the registry by one that it loads from the store.
    pub fn observe(
        &mut self,
        operations: Vec<Operation>,
        saved: impl Fn(OperationId) -> Option<SavedOperation>,
        since: Timestamp,
        now: Timestamp,
    ) -> Observed {
        let operations = merger::in_order(operations, now);
        for operation in &operations {
            self.rejected.remove(operation.id);
        }
        self.catch_up_for(operations.iter().map(|operation| operation.id));
        self.tables.counters.detect_cumulative(operations.iter());
        #[cfg(test)]
        let panic_on = self.panic_on;
        let mut merger = Merger::new(&mut self.tables, since, now);
        self.chunks.ingest(&operations, |before, operation| {
            #[cfg(test)]
            assert_ne!(Some(operation.id), panic_on, "as a test asked for");
            merger.merge(before, operation, &saved)
        });
        let observed = merger.observed;
        self.tables.labels.groups.begin(now);
        observed
    }

    /// Makes a response and a list panic at `id`, in the middle and after the operations before it: for tests of what the collector does
    /// then.
    #[cfg(test)]
    pub(crate) const fn panic_on(&mut self, id: OperationId) {
        self.panic_on = Some(id);
    }

    /// Notes that a list returned `id` at `now` with implausible stats. Returns whether this is new.
    pub fn reject(&mut self, id: OperationId, now: Timestamp) -> bool {
        let is_known = self.chunks.get(id).is_some() || self.tables.watched.contains(id);
        if !is_known && (self.is_expired(id, now) || !self.rejected.add(id)) {
            return false;
        }
        let is_news = self.fail(id, Reason::InvalidResponse, now);
        self.tables.failures.listed(id);
        is_news
    }

    /// Notes that `id` could not be read at `now`. Returns whether this is new.
    pub fn fail(&mut self, id: OperationId, reason: Reason, now: Timestamp) -> bool {
        self.chunks.set_failed(id);
        self.tables.failures.failed(id, reason, now)
    }

    /// Notes that `ids` were due at `now` and not requested, because the account is blocked.
    pub fn fail_each(&mut self, ids: &[OperationId], now: Timestamp) {
        for id in ids {
            if !self.chunks.set_failed(*id) {
                self.tables.failures.not_reached(*id, now);
            }
        }
    }

    /// The number of operations in memory.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.chunks.size()
    }

    /// How many undocumented words were beyond the limit since the last call.
    pub fn take_unexpected(&mut self) -> Unexpected {
        std::mem::take(&mut self.tables.unexpected)
    }

    /// Decides from when on operations count; call it before each response is observed. Twilio's clock is `skew` ahead of this
    /// machine's, which shows `now`. Returns a saved time in the future, which it corrects.
    pub fn decide_birth(&mut self, skew: Option<ClockSkew>, now: Timestamp) -> Option<Timestamp> {
        self.tables.counters.decide_birth(skew, now)
    }

    /// Ends the first collection that read anything, or had nothing to read. Its results are baseline.
    pub fn end_first_collection(&mut self) {
        self.tables.counters.end_first();
    }

    /// The time before which all operations have been discovered, if there is one.
    #[must_use]
    pub const fn discovered_until(&self) -> Option<Timestamp> {
        self.tables.counters.account().discovered_until
    }

    /// Notes that all operations created before `moment` have been discovered.
    pub fn discovered(&mut self, moment: Timestamp) {
        self.tables.counters.discovered(moment);
    }

    /// Notes that a scrape exposed the last [snapshot](Presenter::snapshot).
    pub fn exposed(&mut self) {
        self.tables.labels.groups.shown();
    }

    /// Loads the saved account. Call it once, before anything is observed.
    pub fn restore(&mut self, account: &SavedAccount, groups: Vec<SavedGroup>) {
        self.tables.restore(account, groups);
    }

    /// Loads saved operations, in the order of their ids, without those that have expired.
    pub fn restore_operations(
        &mut self,
        operations: impl IntoIterator<Item = SavedOperation>,
        now: Timestamp,
    ) {
        let kept = operations
            .into_iter()
            .filter(|saved| saved.operation.expires() > now);
        let records = kept.map(|saved| self.tables.load(saved)).collect();
        self.chunks.append(records);
        self.walks.is_restored = true;
    }

    /// The content of the next save: the account, and the changes since the last save, once the registry has
    /// [caught up](Self::catch_up). With millions of changes, use a [`SaveDraft`].
    #[must_use]
    pub fn unsaved(&self) -> ToSave {
        let operations = SaveDraft::all(&self.tables, &self.chunks);
        self.tables.to_save(operations)
    }

    /// Notes that `saved` has been saved, so its counters may be exposed. Later changes are still unsaved. Call
    /// [`Self::forget_saved`] afterwards.
    pub fn saved(&mut self, saved: &ToSave) {
        self.tables.saved(saved);
    }

    /// Notes that the store lost its content, so everything is unsaved. Counters keep their exposed values.
    pub fn lost(&mut self) {
        self.tables.lost();
    }

    /// Whether there is nothing to save.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.tables.is_saved()
    }

    /// Applies a change of what the sources list for these operations.
    fn rewatch(&mut self, ids: &[OperationId]) {
        #[cfg(test)]
        assert!(
            !ids.iter().any(|id| Some(*id) == self.panic_on),
            "as a test asked for"
        );
        self.catch_up_for(ids.iter().copied());
        let watched = &mut self.tables.watched;
        let read = self.chunks.change(ids, |record| {
            *record = record.watched(watched.contains(record.id));
        });
        for id in ids {
            let is_read = read.contains(id);
            self.tables.watched.set_read(*id, is_read);
            self.rejected.remove(*id);
            if !is_read && !self.tables.watched.contains(*id) {
                self.tables.failures.remove(*id);
                self.tables.labels.remove(*id);
            }
            self.relabel(*id);
        }
    }

    fn relabel(&mut self, id: OperationId) {
        self.tables.relabel(id, self.chunks.get(id).as_ref());
    }
}

#[cfg(test)]
mod tests;
