//! The content of the next save: operations that changed since the last one, and operations that left memory before it. A save that
//! fails loses nothing, because the next one has its changes, too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::slice::{Cost, Slice};
use crate::operation::OperationId;
use crate::store::{GroupKey, SavedAccount, SavedGroup, SavedOperation};
use crate::timestamp::Timestamp;

/// The most unsaved operations that are kept after they left memory, and the most that are kept after an early eviction. Only days
/// without a successful save reach the first limit.
const MOST_REMOVED: usize = 100_000;

/// The most saved operations that are removed in one step.
const MOST_FORGOTTEN: usize = 4096;

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
    /// Everything up to here is saved. Saved operations are removed from the tables later, in slices.
    covered: Revision,
    /// The first saved operations in the tables, if any may be left there.
    saved_from: Option<Bound<OperationId>>,
    /// The store lost its content at this revision, so every operation in memory is unsaved.
    all: Option<Revision>,
    changed: BTreeMap<OperationId, Revision>,
    /// Operations that left memory unsaved.
    removed: BTreeMap<OperationId, (Revision, SavedOperation)>,
    /// Operations that left memory before they expired. If a source lists one again, it must not be counted again, even without a store
    /// on disk.
    evicted_early: BTreeMap<OperationId, SavedOperation>,
    /// The operations that changed or left memory since the content of the current save is being collected.
    since_begun: Option<BTreeSet<OperationId>>,
}

impl UnsavedChanges {
    /// Notes that an operation in memory changed.
    pub(super) fn changed(&mut self, id: OperationId) {
        self.removed.remove(&id);
        self.evicted_early.remove(&id);
        self.now.0 += 1;
        self.changed.insert(id, self.now);
        self.note(id);
    }

    fn note(&mut self, id: OperationId) {
        if let Some(since_begun) = &mut self.since_begun {
            since_begun.insert(id);
        }
    }

    /// Notes that an operation leaves memory; `last` is its record. An unsaved one is kept: unless its high-water marks are saved with
    /// the counters, it is counted twice after a clock is set back.
    pub(super) fn remove(&mut self, id: OperationId, last: impl FnOnce() -> SavedOperation) {
        let changed = self.changed.remove(&id).max(self.all);
        if let Some(revision) = changed.filter(|revision| *revision > self.covered)
            && self.removed.len() < MOST_REMOVED
        {
            self.removed.insert(id, (revision, last()));
            self.note(id);
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

    /// Notes that the store lost its content: the next save writes all operations in memory, and the early evictions, again.
    pub(super) const fn lost(&mut self) {
        self.now.0 += 1;
        self.all = Some(self.now);
    }

    /// The last record of an operation that left memory, if it is kept.
    pub(super) fn last_record(&self, id: OperationId) -> Option<SavedOperation> {
        let removed = self.removed.get(&id).map(|(_, saved)| saved);
        removed.or_else(|| self.evicted_early.get(&id)).cloned()
    }

    /// The revision that a save covers which has everything up to now.
    pub(super) const fn revision(&self) -> Revision {
        self.now
    }

    /// Whether all operations in memory are unsaved, since the store lost its content.
    pub(super) const fn is_all(&self) -> bool {
        self.all.is_some()
    }

    /// The number of unsaved operations in memory, or more while [`Self::forget_saved`] has more to do.
    pub(super) fn number_of_changed(&self) -> usize {
        self.changed.len()
    }

    /// The unsaved operations in memory from `first` on, unless [all of them](Self::is_all) are unsaved. Call
    /// [`Self::forget_saved`] until it is done before this; otherwise, this may skip millions of saved operations.
    pub(super) fn changed_from(
        &self,
        first: Bound<OperationId>,
    ) -> impl Iterator<Item = OperationId> {
        let changed = self.changed.range((first, Bound::Unbounded));
        let unsaved = changed.filter(|(_, revision)| **revision > self.covered);
        unsaved.map(|(id, _)| *id)
    }

    /// The unsaved operations that left memory, from `first` on; once all are unsaved, also those that left it early.
    pub(super) fn removed_from(
        &self,
        first: Bound<OperationId>,
    ) -> impl Iterator<Item = &SavedOperation> {
        let range = (first, Bound::Unbounded);
        let removed = self.removed.range(range);
        let removed = removed.filter(|(_, (revision, _))| *revision > self.covered);
        let mut removed = removed.map(|(_, (_, saved))| saved).peekable();
        let early = self.is_all().then(|| self.evicted_early.range(range));
        let early = early.into_iter().flatten();
        let mut early = early.map(|(_, saved)| saved).peekable();
        let id = |saved: &&SavedOperation| saved.operation.id;
        std::iter::from_fn(
            move || match (removed.peek().map(id), early.peek().map(id)) {
                (Some(one), Some(other)) if one == other => {
                    early.next();
                    removed.next()
                }
                (Some(one), Some(other)) if one > other => early.next(),
                (Some(_), _) => removed.next(),
                (None, _) => early.next(),
            },
        )
    }

    /// The last record of an unsaved operation that left memory.
    pub(super) fn removed(&self, id: OperationId) -> Option<&SavedOperation> {
        self.removed.get(&id).map(|(_, saved)| saved)
    }

    /// Notes that the content of a save begins to be collected: from now on, [`Self::take_since_begun`] has what changes.
    pub(super) fn begin(&mut self) {
        self.since_begun = Some(BTreeSet::new());
    }

    /// Whether the content of a save is being collected. It is not if this replaced another registry meanwhile.
    pub(super) const fn has_begun(&self) -> bool {
        self.since_begun.is_some()
    }

    /// Removes and returns `most` of the operations that changed since the collection began.
    pub(super) fn take_since_begun(&mut self, most: usize) -> Vec<OperationId> {
        let since_begun = self.since_begun.iter_mut();
        let pop = |ids: &mut BTreeSet<OperationId>| {
            std::iter::from_fn(|| ids.pop_first()).take(most).collect()
        };
        since_begun.map(pop).next().unwrap_or_default()
    }

    /// Ends the collection, if nothing changed since the last [`Self::take_since_begun`]. Returns whether it did.
    pub(super) fn end(&mut self) -> bool {
        let has_ended = self.since_begun.as_ref().is_none_or(BTreeSet::is_empty);
        if has_ended {
            self.since_begun = None;
        }
        has_ended
    }

    /// Notes that everything up to `covered` is saved. [`Self::forget_saved`] has to follow.
    pub(super) fn saved(&mut self, covered: Revision) {
        self.covered = self.covered.max(covered);
        self.all = self.all.filter(|revision| *revision > covered);
        self.saved_from = Some(Bound::Unbounded);
    }

    /// Removes saved operations from memory, as many as `slice` has room for. Returns whether there are more.
    pub(super) fn forget_saved(&mut self, slice: &mut Slice) -> bool {
        while let Some(from) = self.saved_from {
            let most = slice.room(Cost::Record).min(MOST_FORGOTTEN);
            if most == 0 {
                return true;
            }
            let range = (from, Bound::Unbounded);
            let changed = self.changed.range(range).take(most);
            let changed = changed.map(|(id, revision)| (*id, *revision));
            let removed = self.removed.range(range).take(most);
            let removed = removed.map(|(id, (revision, _))| (*id, *revision));
            let (changed, removed): (Vec<_>, Vec<_>) = (changed.collect(), removed.collect());
            slice.spend(changed.len() + removed.len(), Cost::Record);
            #[cfg(test)]
            (0..changed.len() + removed.len()).for_each(|_| super::visits::note());
            // Both tables are inspected up to the same operation.
            let full = [&changed, &removed]
                .into_iter()
                .filter(|ids| ids.len() == most);
            let until = full.filter_map(|ids| ids.last()).map(|(id, _)| *id).min();
            let is_over = |(id, revision): &(OperationId, Revision)| {
                *revision <= self.covered && until.is_none_or(|until| *id <= until)
            };
            for (id, _) in changed.iter().filter(|each| is_over(each)) {
                self.changed.remove(id);
            }
            for (id, _) in removed.iter().filter(|each| is_over(each)) {
                self.removed.remove(id);
            }
            self.saved_from = until.map(Bound::Excluded);
        }
        false
    }

    /// Whether no saved operation is left in the tables.
    pub(super) const fn has_forgotten_saved(&self) -> bool {
        self.saved_from.is_none()
    }

    /// Whether nothing has changed since the last save.
    pub(super) fn is_empty(&self) -> bool {
        self.now <= self.covered
    }
}

#[cfg(test)]
mod tests;
