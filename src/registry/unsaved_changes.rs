//! The content of the next save: operations that changed since the last one, and operations that left memory before it. A save that
//! fails loses nothing, because the next one has its changes, too.

use std::collections::BTreeMap;

use crate::operation::OperationId;
use crate::store::{GroupKey, SavedAccount, SavedGroup, SavedOperation};
use crate::timestamp::Timestamp;

/// The most unsaved operations that are kept after they left memory, and the most that are kept after an early eviction. Only days
/// without a successful save reach the first limit.
const MOST_REMOVED: usize = 100_000;

/// A number for each change. A save covers all changes up to a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Revision(u64);

/// The content of one save; see [`Registry::unsaved`](super::Registry::unsaved).
#[derive(Debug, Clone)]
pub struct ToSave {
    /// The account's counters.
    pub account: SavedAccount,
    /// The operations that changed since the last save.
    pub operations: Vec<SavedOperation>,
    /// The groups that changed.
    pub groups: Vec<SavedGroup>,
    /// The removed groups.
    pub removed: Vec<GroupKey>,
    pub(super) covers: Revision,
}

/// The operations that the next save writes.
#[derive(Debug, Default)]
pub(super) struct UnsavedChanges {
    now: Revision,
    changed: BTreeMap<OperationId, Revision>,
    /// Operations that left memory unsaved.
    removed: BTreeMap<OperationId, (Revision, SavedOperation)>,
    /// Operations that left memory before they expired. If a source lists one again, it must not be counted again, even without a store
    /// on disk.
    evicted_early: BTreeMap<OperationId, SavedOperation>,
}

impl UnsavedChanges {
    /// Notes that an operation in memory changed.
    pub(super) fn changed(&mut self, id: OperationId) {
        self.removed.remove(&id);
        self.evicted_early.remove(&id);
        self.now.0 += 1;
        self.changed.insert(id, self.now);
    }

    /// Notes that an operation leaves memory; `last` is its record. An unsaved one is kept: unless its high-water marks are saved with
    /// the counters, it is counted twice after a clock is set back.
    pub(super) fn remove(&mut self, id: OperationId, last: impl FnOnce() -> SavedOperation) {
        if let Some(revision) = self.changed.remove(&id)
            && self.removed.len() < MOST_REMOVED
        {
            self.removed.insert(id, (revision, last()));
        }
    }

    /// Notes that an operation left memory before it expired.
    pub(super) fn evict_early(&mut self, saved: SavedOperation) {
        if self.evicted_early.len() < MOST_REMOVED {
            self.evicted_early.insert(saved.operation.id, saved);
        }
    }

    /// Removes the early evictions that have expired by now.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.evicted_early
            .retain(|_, saved| saved.operation.expires() > now);
    }

    /// Notes that the store lost its content: the next save writes the early evictions again.
    pub(super) fn lost(&mut self) {
        self.now.0 += 1;
        for (id, saved) in &self.evicted_early {
            self.removed.insert(*id, (self.now, saved.clone()));
        }
    }

    /// The last record of an operation that left memory, if it is kept.
    pub(super) fn last_record(&self, id: OperationId) -> Option<SavedOperation> {
        let removed = self.removed.get(&id).map(|(_, saved)| saved);
        removed.or_else(|| self.evicted_early.get(&id)).cloned()
    }

    /// The revision that a save covers which begins now.
    pub(super) const fn revision(&self) -> Revision {
        self.now
    }

    /// The unsaved operations in memory.
    pub(super) fn in_memory(&self) -> impl Iterator<Item = OperationId> {
        self.changed.keys().copied()
    }

    /// The unsaved operations that left memory.
    pub(super) fn removed(&self) -> impl Iterator<Item = &SavedOperation> {
        self.removed.values().map(|(_, saved)| saved)
    }

    /// Notes that everything up to `covered` is saved.
    pub(super) fn saved(&mut self, covered: Revision) {
        self.changed.retain(|_, revision| *revision > covered);
        self.removed.retain(|_, (revision, _)| *revision > covered);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Marks, Operation, OperationState, RETENTION, Stats};
    use crate::snapshot::Labels;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    fn saved(n: usize) -> SavedOperation {
        SavedOperation {
            operation: Operation {
                id: format!("comms_operation_01h2xcejqt{n:016}")
                    .parse()
                    .unwrap(),
                state: OperationState::Completed,
                stats: Stats::default(),
                created: NOW,
                updated: None,
            },
            last_success: NOW,
            last_change: NOW,
            marks: Marks::default(),
            credited: Labels::default(),
            tags: None,
            scheduled_for: None,
        }
    }

    fn id(n: usize) -> OperationId {
        saved(n).operation.id
    }

    #[test]
    fn an_operation_that_returns_is_not_a_removed_one() {
        let mut unsaved = UnsavedChanges::default();
        unsaved.changed(id(0));
        unsaved.remove(id(0), || saved(0));
        unsaved.evict_early(saved(1));
        assert_eq!(unsaved.last_record(id(0)), Some(saved(0)));
        assert_eq!(unsaved.last_record(id(1)), Some(saved(1)));
        assert!(!unsaved.is_empty(), "a removed one is unsaved");
        for n in [0, 1] {
            unsaved.changed(id(n));
            assert_eq!(unsaved.last_record(id(n)), None);
        }
        assert_eq!(
            (unsaved.in_memory().count(), unsaved.removed().count()),
            (2, 0)
        );
        assert!(!unsaved.is_empty(), "a changed one is unsaved");
    }

    #[test]
    fn a_save_covers_what_was_changed_or_removed_before_it() {
        let mut unsaved = UnsavedChanges::default();
        for n in 0..3 {
            unsaved.changed(id(n));
        }
        unsaved.remove(id(0), || saved(0));
        let covered = unsaved.revision();
        unsaved.changed(id(1));
        unsaved.changed(id(3));
        unsaved.remove(id(3), || saved(3));
        unsaved.saved(covered);
        assert_eq!(unsaved.in_memory().collect::<Vec<_>>(), [id(1)]);
        assert_eq!(unsaved.removed().collect::<Vec<_>>(), [&saved(3)]);
        unsaved.saved(unsaved.revision());
        assert!(unsaved.is_empty());
    }

    #[test]
    fn early_evictions_are_kept_until_they_expire_and_saved_again_when_the_store_lost_them() {
        let mut unsaved = UnsavedChanges::default();
        unsaved.evict_early(saved(0));
        assert!(unsaved.is_empty(), "it is saved");
        unsaved.lost();
        assert_eq!(unsaved.removed().count(), 1);
        unsaved.saved(unsaved.revision());
        let end = NOW + RETENTION;
        unsaved.expire(end - std::time::Duration::from_millis(1));
        assert!(unsaved.last_record(id(0)).is_some());
        unsaved.expire(end);
        assert!(unsaved.last_record(id(0)).is_none());
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let mut unsaved = UnsavedChanges::default();
        for n in 0..MOST_REMOVED + 9 {
            unsaved.evict_early(saved(n));
            unsaved.changed.insert(id(n), Revision(0));
            unsaved.remove(id(n), || saved(n));
        }
        assert_eq!(unsaved.removed.len(), MOST_REMOVED);
        assert_eq!(unsaved.evicted_early.len(), MOST_REMOVED);
    }
}
