//! What is still to be saved: operations that changed, and operations that went before they could be saved.

use std::collections::BTreeMap;

use crate::operation::OperationId;
use crate::store::SavedOperation;
use crate::timestamp::Timestamp;

/// So many operations that went unsaved are kept for the next save, and so many that were let go until their time is over;
/// more of the former go only while nothing can be saved for days.
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
    /// Operations that were let go before their time. Whoever lists one of them again must not make it count again, even
    /// where nothing is saved.
    let_go: BTreeMap<OperationId, SavedOperation>,
}

impl Unsaved {
    /// Notes that an operation in memory changed.
    pub(super) fn changed(&mut self, id: OperationId) {
        self.departed.remove(&id);
        self.let_go.remove(&id);
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

    /// Notes that an operation left memory though Twilio still keeps it.
    pub(super) fn let_go(&mut self, saved: SavedOperation) {
        if self.let_go.len() < MOST_DEPARTED {
            self.let_go.insert(saved.operation.id, saved);
        }
    }

    /// Forgets what was let go and would have expired by now.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.let_go
            .retain(|_, saved| saved.operation.expires() > now);
    }

    /// What was let go is to be saved again, as far as it is known.
    pub(super) fn lost(&mut self) {
        self.now.0 += 1;
        for (id, saved) in &self.let_go {
            self.departed.insert(*id, (self.now, saved.clone()));
        }
    }

    /// An operation that is not in memory any more, as it was when it left.
    pub(super) fn departed_as(&self, id: OperationId) -> Option<SavedOperation> {
        let departed = self.departed.get(&id).map(|(_, saved)| saved);
        departed.or_else(|| self.let_go.get(&id)).cloned()
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
