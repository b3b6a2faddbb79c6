//! What is still to be saved: operations that changed, and operations that went before they could be saved.

use std::collections::BTreeMap;

use crate::operation::OperationId;
use crate::store::SavedOperation;

/// So many operations that went unsaved are kept for the next save; more of them go only while nothing can be saved for days.
const MOST_DEPARTED: usize = 100_000;

/// A moment between two changes: what changed before it is what a save covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Revision(u64);

/// Operations that changed since they were last saved.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    now: Revision,
    changed: BTreeMap<OperationId, Revision>,
    departed: BTreeMap<OperationId, (Revision, SavedOperation)>,
}

impl Unsaved {
    /// Notes that an operation in memory changed.
    pub(super) fn changed(&mut self, id: OperationId) {
        self.departed.remove(&id);
        self.now.0 += 1;
        self.changed.insert(id, self.now);
    }

    /// Notes that an operation is about to leave memory. What it gave to the counters is unsaved if it is: its marks must be
    /// saved with them, or it would give it again if a clock that ran ahead is put back.
    pub(super) fn departs(&mut self, id: OperationId, last: impl FnOnce() -> SavedOperation) {
        if let Some(revision) = self.changed.remove(&id)
            && self.departed.len() < MOST_DEPARTED
        {
            self.departed.insert(id, (revision, last()));
        }
    }

    /// An operation that went unsaved.
    pub(super) fn departed_as(&self, id: OperationId) -> Option<SavedOperation> {
        self.departed.get(&id).map(|(_, saved)| saved.clone())
    }

    /// Up to when everything is covered by a save that begins now.
    pub(super) const fn revision(&self) -> Revision {
        self.now
    }

    /// The operations in memory that are to be saved.
    pub(super) fn in_memory(&self) -> impl Iterator<Item = OperationId> {
        self.changed.keys().copied()
    }

    /// Those that are not in memory any more.
    pub(super) fn departed(&self) -> impl Iterator<Item = &SavedOperation> {
        self.departed.values().map(|(_, saved)| saved)
    }

    /// Takes in that everything up to `covered` is saved.
    pub(super) fn saved(&mut self, covered: Revision) {
        self.changed.retain(|_, revision| *revision > covered);
        self.departed.retain(|_, (revision, _)| *revision > covered);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.departed.is_empty()
    }
}
