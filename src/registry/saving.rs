//! What a registry has to save, and how it comes back.

use super::Registry;
use super::record::Record;
use super::unsaved::Revision;
use super::vocabulary;
use crate::store::{GroupKey, SavedAccount, SavedGroup, SavedOperation};
use crate::timestamp::Timestamp;

/// What one save writes; see [`Registry::unsaved`].
#[derive(Debug, Clone)]
pub struct ToSave {
    /// How the account stands.
    pub account: SavedAccount,
    /// The operations that changed since the last save.
    pub operations: Vec<SavedOperation>,
    /// The groups that changed.
    pub groups: Vec<SavedGroup>,
    /// The groups that ended.
    pub ended: Vec<GroupKey>,
    pub(super) covers: Revision,
}

impl Registry {
    /// Takes up what was saved of the account. To be called once, before anything is observed.
    pub fn restore(&mut self, account: &SavedAccount, groups: Vec<SavedGroup>) {
        self.counting.restore(account);
        for group in groups {
            self.labelling.groups.restore(group);
        }
    }

    /// Takes up operations as they were saved, in the order of their ids; those that have expired meanwhile stay away.
    pub fn restore_operations(
        &mut self,
        operations: impl IntoIterator<Item = SavedOperation>,
        now: Timestamp,
    ) {
        let mut records = Vec::new();
        for mut saved in operations
            .into_iter()
            .filter(|saved| saved.operation.expires() > now)
        {
            vocabulary::hold(
                &mut saved.operation,
                &self.totals,
                &self.oddities,
                &mut self.unexpected,
            );
            let operation = &saved.operation;
            self.counting.consider(std::iter::once(operation));
            self.totals.add(&operation.state, &operation.stats);
            self.labelling.restore(&saved, &self.watched);
            let record = Record::new(
                operation,
                &mut self.oddities,
                saved.marks,
                saved.last_change,
                saved.last_success,
            );
            self.watched.note(operation.id, true);
            records.push(record.watched(self.watched.contains(operation.id)));
        }
        self.chunks.append(records);
    }

    /// What is to be saved: the account, and what changed since the last time.
    #[must_use]
    pub fn unsaved(&self) -> ToSave {
        let in_memory = self.unsaved.in_memory();
        let in_memory = in_memory
            .filter_map(|id| self.chunks.get(id))
            .map(|record| self.as_saved(record));
        let (groups, ended) = self.labelling.groups.unsaved();
        ToSave {
            account: *self.counting.account(),
            operations: in_memory.chain(self.unsaved.departed().cloned()).collect(),
            groups,
            ended,
            covers: self.unsaved.revision(),
        }
    }

    /// Takes in that `saved` has been saved: from now on it is shown. What changed meanwhile is still to be saved.
    pub fn saved(&mut self, saved: &ToSave) {
        self.unsaved.saved(saved.covers);
        self.counting.saved(&saved.account);
        self.labelling.groups.saved(&saved.groups, &saved.ended);
    }

    /// Takes in that what was saved is lost: all of it is to be saved again. Counters stay as they were shown.
    pub fn lost(&mut self) {
        for id in self.chunks.ids(|_| true) {
            self.unsaved.changed(id);
        }
        self.unsaved.lost();
        self.labelling.groups.lost();
    }

    /// Whether there is nothing to save.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.unsaved.is_empty() && self.counting.is_saved() && self.labelling.groups.is_saved()
    }

    pub(super) fn as_saved(&self, record: &Record) -> SavedOperation {
        SavedOperation {
            operation: record.operation(&self.oddities),
            last_success: record.last_success(),
            last_change: record.last_change(),
            marks: record.marks,
            credited: self.labelling.groups.credited(record.id),
            tags: self.labelling.tags(record.id).cloned(),
        }
    }
}
