//! Operations for which Twilio has returned nothing but implausible stats.

use std::collections::BTreeSet;

use crate::operation::{OperationId, RETENTION};
use crate::timestamp::Timestamp;

/// The most such operations in memory: one page. With more, the whole account is faulty, which other metrics show.
const MOST_REJECTED: usize = 1000;

/// Operations that a list returned and that no source lists, all of whose responses were rejected.
#[derive(Debug, Default)]
pub(super) struct RejectedOperations(BTreeSet<OperationId>);

impl RejectedOperations {
    pub(super) fn ids(&self) -> impl Iterator<Item = OperationId> {
        self.0.iter().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes an operation: it was read, a source lists it, or it has expired.
    pub(super) fn remove(&mut self, id: OperationId) -> bool {
        self.0.remove(&id)
    }

    /// Removes and returns all of them.
    pub(super) fn clear(&mut self) -> BTreeSet<OperationId> {
        std::mem::take(&mut self.0)
    }

    /// Removes and returns those that have expired.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<OperationId> {
        // Ids sort by time.
        let old = self.ids().take_while(|id| id.created() + RETENTION <= now);
        let old: Vec<_> = old.collect();
        for id in &old {
            self.0.remove(id);
        }
        old
    }

    /// Adds an operation. Returns false if there is no room for it.
    pub(super) fn add(&mut self, id: OperationId) -> bool {
        self.0.contains(&id) || (self.0.len() < MOST_REJECTED && self.0.insert(id))
    }
}
