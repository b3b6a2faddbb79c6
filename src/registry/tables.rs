//! Everything in a registry besides the records of operations. One call keeps all of it consistent with a record that is added, changed
//! or removed.

use std::collections::BTreeSet;

use super::account_counters::AccountCounters;
use super::clock_jumps::Jump;
use super::groups::Seen;
use super::new_lists::NewLists;
use super::operation_labels::OperationLabels;
use super::read_failures::ReadFailures;
use super::record::Record;
use super::scheduled_times::ScheduledTimes;
use super::undocumented_values::UndocumentedValues;
use super::unsaved_changes::{ToSave, UnsavedChanges};
use super::vocabulary;
use super::watched::Watched;
use crate::config::Series;
use crate::operation::{CountingMode, OperationId, RETENTION, Unexpected};
use crate::snapshot::Totals;
use crate::store::{SavedAccount, SavedGroup, SavedOperation};
use crate::timestamp::Timestamp;

/// The tables beside the records.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) watched: Watched,
    pub(super) new_lists: NewLists,
    pub(super) labels: OperationLabels,
    pub(super) scheduled: ScheduledTimes,
    pub(super) failures: ReadFailures,
    pub(super) undocumented: UndocumentedValues,
    /// How many undocumented words were beyond the limit.
    pub(super) unexpected: Unexpected,
    pub(super) totals: Totals,
    pub(super) counters: AccountCounters,
    pub(super) unsaved: UnsavedChanges,
}

impl Tables {
    pub(super) fn new(series: &Series, mode: Option<CountingMode>, started: Timestamp) -> Self {
        Self {
            watched: Watched::default(),
            new_lists: NewLists::default(),
            labels: OperationLabels::new(series),
            scheduled: ScheduledTimes::default(),
            failures: ReadFailures::default(),
            undocumented: UndocumentedValues::default(),
            unexpected: Unexpected::default(),
            totals: Totals::default(),
            counters: AccountCounters::new(mode, started),
            unsaved: UnsavedChanges::default(),
        }
    }

    pub(super) fn restore(&mut self, account: &SavedAccount, groups: Vec<SavedGroup>) {
        self.counters.restore(account);
        for group in groups {
            self.labels.groups.restore(group);
        }
    }

    /// Notes the time, and whether this machine's clock was set.
    pub(super) fn set_time(&mut self, now: Timestamp, jump: Option<Jump>) {
        if let Some(jump) = jump {
            self.failures.shift(jump);
            self.labels.groups.shift(jump);
        }
        self.counters.limit_discovered(now);
    }

    /// Loads one saved operation; returns its record.
    pub(super) fn load(&mut self, mut saved: SavedOperation) -> Record {
        vocabulary::limit_words(
            &mut saved.operation,
            &self.totals,
            &self.undocumented,
            &mut self.unexpected,
        );
        let operation = &saved.operation;
        self.counters.detect_cumulative(std::iter::once(operation));
        self.totals.add(&operation.state, &operation.stats);
        self.labels.restore(&saved, &self.watched);
        self.scheduled.restore(operation.id, saved.scheduled_for);
        self.watched.set_read(operation.id, true);
        let record = Record::new(
            operation,
            &mut self.undocumented,
            saved.marks,
            saved.last_change,
            saved.last_success,
        );
        record.watched(self.watched.contains(operation.id))
    }

    /// Applies the labels that `id` has now; `record` is its record, if it has one.
    pub(super) fn relabel(&mut self, id: OperationId, record: Option<&Record>) {
        #[cfg(test)]
        super::visits::note();
        let operation = record.map(|record| record.operation(&self.undocumented));
        let seen = record
            .zip(operation.as_ref())
            .map(|(record, operation)| Seen {
                operation,
                counted: self.counters.counted(operation, record.marks),
            });
        let is_news = self.labels.relabel(id, &self.watched, seen.as_ref());
        if is_news && seen.is_some() {
            self.unsaved.changed(id);
        }
    }

    /// Removes an operation whose record has been removed.
    pub(super) fn remove(&mut self, record: &Record) {
        let saved = self.to_saved(record);
        self.watched.set_read(record.id, false);
        self.totals
            .remove(&saved.operation.state, &saved.operation.stats);
        self.labels.groups.left(&saved.operation);
        self.labels.remove(record.id);
        self.scheduled.remove(record.id);
        self.unsaved.remove(record.id, || saved);
        self.undocumented.remove(record.id);
        self.failures.remove(record.id);
    }

    /// Removes what has expired at `now`, apart from the operations whose records are `gone` already. Returns the watched ones.
    pub(super) fn expire(
        &mut self,
        mut gone: BTreeSet<OperationId>,
        now: Timestamp,
    ) -> Vec<OperationId> {
        self.labels.groups.expire(now);
        self.labels.groups.begin(now);
        self.unsaved.expire(now);
        // Ids sort by time.
        let unread = self.watched.unread().iter().copied();
        gone.extend(unread.take_while(|id| id.created() + RETENTION <= now));
        gone.retain(|id| self.watched.contains(*id));
        for id in &gone {
            self.watched.remove(*id);
            self.failures.remove(*id);
            self.labels.remove(*id);
        }
        gone.into_iter().collect()
    }

    /// The content of the next save, with all unsaved `operations`.
    pub(super) fn to_save(&self, operations: Vec<SavedOperation>) -> ToSave {
        let (groups, removed) = self.labels.groups.unsaved();
        ToSave {
            account: *self.counters.account(),
            operations,
            groups,
            removed,
            covers: self.unsaved.revision(),
        }
    }

    pub(super) fn saved(&mut self, saved: &ToSave) {
        self.unsaved.saved(saved.covers);
        self.counters.saved(&saved.account);
        self.labels.groups.saved(&saved.groups, &saved.removed);
    }

    /// Notes that the store lost its content.
    pub(super) fn lost(&mut self) {
        self.unsaved.lost();
        self.labels.groups.lost();
    }

    /// Whether there is nothing to save.
    pub(super) fn is_saved(&self) -> bool {
        self.unsaved.is_empty() && self.counters.is_saved() && self.labels.groups.is_saved()
    }

    /// An operation as the store keeps it.
    pub(super) fn to_saved(&self, record: &Record) -> SavedOperation {
        #[cfg(test)]
        super::visits::note();
        let credited = self.labels.groups.credited(record.id);
        let tags = self.labels.tags(record.id).cloned();
        SavedOperation {
            scheduled_for: self.scheduled.get(record.id),
            ..record.to_saved(&self.undocumented, credited, tags)
        }
    }
}
