//! Operations whose reads fail one by one, and when each is worth another try.

use std::collections::HashMap;

use super::schedule;
use crate::operation::OperationId;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Reads that failed since the last one that worked, by operation.
#[derive(Debug, Default)]
pub(super) struct ReadFailures(HashMap<OperationId, Failure>);

#[derive(Debug, Clone, Copy)]
struct Failure {
    first: Timestamp,
    last: Timestamp,
    /// `None`: it was not even asked for, because the account was turned away.
    reason: Option<Reason>,
    /// The list told of it, so a read of its own is not worth it in the same collection.
    listed: bool,
}

impl ReadFailures {
    /// Takes in a failure. Says whether the operation did not fail, or for another reason, before.
    pub(super) fn failed(&mut self, id: OperationId, reason: Reason, now: Timestamp) -> bool {
        let before = self
            .0
            .get(&id)
            .filter(|before| before.reason == Some(reason));
        let failure = Failure {
            first: before.map_or(now, |before| before.first),
            last: now,
            reason: Some(reason),
            listed: false,
        };
        let news = before.is_none();
        self.0.insert(id, failure);
        news
    }

    /// Takes in that it was due and not asked for. What Twilio said of it before stays.
    pub(super) fn not_reached(&mut self, id: OperationId, now: Timestamp) {
        self.0.entry(id).or_insert(Failure {
            first: now,
            last: now,
            reason: None,
            listed: false,
        });
    }

    /// Takes in that it was the list that told of the operation that just failed.
    pub(super) fn listed(&mut self, id: OperationId) {
        if let Some(failure) = self.0.get_mut(&id) {
            failure.listed = true;
        }
    }

    /// Whether the list told of it in the collection that began at `since`, in vain.
    pub(super) fn was_listed(&self, id: OperationId, since: Timestamp, now: Timestamp) -> bool {
        self.0
            .get(&id)
            .is_some_and(|failure| failure.listed && schedule::was_read(failure.last, since, now))
    }

    /// Takes in that it was read, or is gone.
    pub(super) fn remove(&mut self, id: OperationId) {
        self.0.remove(&id);
    }

    pub(super) fn contains(&self, id: OperationId) -> bool {
        self.0.contains_key(&id)
    }

    /// When it was last asked for, or should have been.
    pub(super) fn last(&self, id: OperationId) -> Option<Timestamp> {
        self.0.get(&id).map(|failure| failure.last)
    }

    /// Whether Twilio forbade to read it when it was last asked.
    pub(super) fn is_refused(&self, id: OperationId) -> bool {
        self.0
            .get(&id)
            .is_some_and(|failure| failure.reason == Some(Reason::Forbidden))
    }

    /// Whether Twilio does not know it and has said so recently enough.
    pub(super) fn is_waiting(&self, id: OperationId, now: Timestamp) -> bool {
        match self.0.get(&id) {
            Some(Failure {
                first,
                last,
                reason: Some(Reason::NotFound | Reason::Expired),
                ..
            }) => !schedule::is_unknown_due(*first, *last, now),
            _ => false,
        }
    }
}
