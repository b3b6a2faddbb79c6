//! Answers about an operation that cannot be believed: what was known of it stays.

use std::collections::BTreeSet;

use super::Registry;
use crate::operation::{OperationId, RETENTION};
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// So many operations that were never read are remembered: a page of them. More are a fault of the whole account, which shows.
const MOST: usize = 1000;

/// Operations that the list told of and that were never read, because no answer about them could be believed.
#[derive(Debug, Default)]
pub(super) struct NeverBelieved(BTreeSet<OperationId>);

impl NeverBelieved {
    pub(super) fn ids(&self) -> impl Iterator<Item = OperationId> {
        self.0.iter().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes in that it was read, is watched, or is gone.
    pub(super) fn remove(&mut self, id: OperationId) -> bool {
        self.0.remove(&id)
    }

    /// Forgets all of them; returns which they were.
    pub(super) fn clear(&mut self) -> BTreeSet<OperationId> {
        std::mem::take(&mut self.0)
    }

    /// Forgets those that Twilio no longer keeps; returns them.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<OperationId> {
        // Ids sort by time.
        let old = self.ids().take_while(|id| id.created() + RETENTION <= now);
        let old: Vec<_> = old.collect();
        for id in &old {
            self.0.remove(id);
        }
        old
    }

    fn add(&mut self, id: OperationId) -> bool {
        self.0.contains(&id) || (self.0.len() < MOST && self.0.insert(id))
    }
}

impl Registry {
    /// Takes in that the list told of `id` at `now`, and nothing of it could be believed. Says whether that is news.
    pub fn reject(&mut self, id: OperationId, now: Timestamp) -> bool {
        let is_known = self.chunks.get(id).is_some() || self.watched.contains(id);
        if !is_known && (self.is_over(id, now) || !self.never_believed.add(id)) {
            return false;
        }
        let news = self.fail(id, Reason::InvalidResponse, now);
        self.failures.listed(id);
        news
    }
}
