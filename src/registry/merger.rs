//! Merges Twilio's responses into a registry. One call merges one operation: its stats, its high-water marks, the counters and the
//! sums.

use std::time::Duration;

use super::groups::Seen;
use super::record::Record;
use super::schedule;
use super::tables::Tables;
use super::vocabulary;
use crate::operation::{Marks, Operation, OperationId, OperationState};
use crate::reason::Reason;
use crate::store::SavedOperation;
use crate::timestamp::Timestamp;

/// Stats that fall this shortly before an operation expires are ignored: Twilio has begun to remove its data.
const NEAR_END: Duration = Duration::from_hours(6);

/// The content of one response; see [`Registry::observe`](super::Registry::observe).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observed {
    /// Operations that this collection had not read before.
    pub newly_read: usize,
    /// Those of them that were not in memory.
    pub new: usize,
    /// Operations that this collection had read before.
    pub repeated: usize,
    /// Operations that keep their last values, because their state is unreadable.
    pub unread: usize,
    /// When the oldest of the new operations was created.
    pub oldest_new: Option<Timestamp>,
}

/// One response that is being merged.
#[derive(Debug)]
pub(super) struct Merger<'a> {
    tables: &'a mut Tables,
    /// When the collection began.
    since: Timestamp,
    /// When Twilio responded.
    now: Timestamp,
    /// What the response contained so far.
    pub(super) observed: Observed,
}

impl<'a> Merger<'a> {
    /// A response that arrived at `now`, in the collection that began at `since`.
    pub(super) fn new(tables: &'a mut Tables, since: Timestamp, now: Timestamp) -> Self {
        Self {
            tables,
            since,
            now,
            observed: Observed::default(),
        }
    }

    /// Merges `operation`, of which `before` is the previous record, and returns the new one. `saved` looks up what the store has of an
    /// operation that is not in memory.
    pub(super) fn merge(
        &mut self,
        before: Option<&Record>,
        operation: &Operation,
        saved: impl Fn(OperationId) -> Option<SavedOperation>,
    ) -> Record {
        if let Some(before) = before
            && operation.state.is_unreadable()
            && !self.state_of(before).is_unreadable()
        {
            return self.unread(before, operation.id);
        }
        self.tables.failures.remove(operation.id);
        let limited;
        let operation = if vocabulary::is_documented(operation) {
            operation
        } else {
            limited = self.limited(operation);
            &limited
        };
        let Some(before) = before else {
            let observed = &mut self.observed;
            observed.newly_read += 1;
            observed.new += 1;
            let oldest = observed.oldest_new.unwrap_or(operation.created);
            observed.oldest_new = Some(oldest.min(operation.created));
            let marks = self.first_seen(operation, saved);
            // `updatedAt`, because the first read of an old operation is not its last change.
            return self.record(operation, marks, operation.updated);
        };
        let (since, now) = (self.since, self.now);
        if schedule::was_read(before.last_success(), since, now) {
            self.observed.repeated += 1;
        } else {
            self.observed.newly_read += 1;
        }
        let was = before.operation(&self.tables.undocumented);
        let is_being_removed = || {
            operation.expires() <= now + NEAR_END
                && self.tables.counters.falls(&was.stats, &operation.stats)
        };
        if was == *operation || is_being_removed() {
            let mut record = *before;
            record.confirm(now);
            return record;
        }
        self.tables.totals.remove(&was.state, &was.stats);
        self.tables.totals.add(&operation.state, &operation.stats);
        self.tables.labels.groups.changed(&was, operation);
        self.tables.labels.changed(operation.id);
        self.tables.scheduled.changed(operation.id);
        let marks = self
            .tables
            .counters
            .seen_again(before.marks, &operation.stats);
        self.count(operation.id, before.marks, marks);
        // `updatedAt` if Twilio changed it, else the time of this read.
        let updated = operation
            .updated
            .filter(|updated| was.updated != Some(*updated));
        self.record(operation, marks, updated)
    }

    fn state_of(&self, record: &Record) -> OperationState {
        record.operation(&self.tables.undocumented).state
    }

    /// The record of an operation whose state is unreadable: its values stay, and its read has failed.
    fn unread(&mut self, before: &Record, id: OperationId) -> Record {
        self.observed.unread += 1;
        let failures = &mut self.tables.failures;
        failures.failed(id, Reason::InvalidResponse, self.now);
        failures.listed(id);
        let mut record = *before;
        record.failed = true;
        record
    }

    /// `operation` with no more undocumented words than the limit.
    fn limited(&mut self, operation: &Operation) -> Operation {
        let mut limited = operation.clone();
        vocabulary::limit_words(
            &mut limited,
            &self.tables.totals,
            &self.tables.undocumented,
            &mut self.tables.unexpected,
        );
        limited
    }

    /// Adds an operation that is not in memory yet, and returns its high-water marks.
    fn first_seen(
        &mut self,
        operation: &Operation,
        saved: impl Fn(OperationId) -> Option<SavedOperation>,
    ) -> Marks {
        let id = operation.id;
        let saved = self.tables.unsaved.last_record(id).or_else(|| saved(id));
        let counted = match &saved {
            Some(saved) => self.tables.counters.counted(operation, saved.marks),
            None => Marks::default(),
        };
        let (from, to) = self
            .tables
            .counters
            .first_seen(operation, saved.as_ref().map(|saved| saved.marks));
        let scheduled_for = saved.as_ref().and_then(|saved| saved.scheduled_for);
        self.tables.scheduled.restore(id, scheduled_for);
        let (credited, tags) =
            saved.map_or((None, None), |saved| (Some(saved.credited), saved.tags));
        self.tables.totals.add(&operation.state, &operation.stats);
        self.tables.watched.set_read(id, true);
        self.tables.labels.appeared(id, tags);
        let seen = Seen { operation, counted };
        self.tables.labels.groups.appeared(&seen, credited.as_ref());
        self.count(id, from, to);
        to
    }

    /// Counts the growth of an operation's marks for its groups, and notes that the operation made the counters grow.
    fn count(&mut self, id: OperationId, from: Marks, to: Marks) {
        self.tables.labels.groups.count(id, from, to);
        self.tables.counters.contributed(id, (from, to), self.now);
    }

    /// The record of an operation that is new, or changed at `change`.
    fn record(&mut self, operation: &Operation, marks: Marks, change: Option<Timestamp>) -> Record {
        self.tables.unsaved.changed(operation.id);
        let change = change.unwrap_or(self.now).min(self.now);
        let record = Record::new(
            operation,
            &mut self.tables.undocumented,
            marks,
            change,
            self.now,
        );
        record.watched(self.tables.watched.contains(operation.id))
    }
}

/// The operations that have not expired, in the order of their ids. Of two with one id, the later one in the response counts.
pub(super) fn in_order(mut operations: Vec<Operation>, now: Timestamp) -> Vec<Operation> {
    operations.retain(|operation| operation.expires() > now);
    operations.reverse();
    operations.sort_by_key(|operation| operation.id);
    operations.dedup_by_key(|operation| operation.id);
    operations
}
