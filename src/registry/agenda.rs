//! The operations that are due, and the parts of the list that cover them. The collector plans requests from this.
//!
//! It only reads. When an operation is due is decided in [`super::schedule`].

use std::collections::HashSet;

use super::chunk::{Chunk, is_in_place};
use super::chunks::Chunks;
use super::due::Due;
use super::read_failures::ReadFailures;
use super::record::Record;
use super::rejected_operations::RejectedOperations;
use super::schedule;
use super::watched::Watched;
use crate::operation::{OperationId, OperationState, RETENTION};
use crate::snapshot::Totals;
use crate::timestamp::Timestamp;

/// The registry as a plan sees it.
#[derive(Debug, Clone, Copy)]
pub struct Agenda<'a> {
    pub(super) chunks: &'a Chunks,
    pub(super) watched: &'a Watched,
    pub(super) failures: &'a ReadFailures,
    pub(super) rejected: &'a RejectedOperations,
    pub(super) totals: &'a Totals,
}

impl Agenda<'_> {
    /// The operations that are in no chunk and due at `now`, and were not listed since `since`.
    pub(super) fn due_without_record(&self, since: Timestamp, now: Timestamp) -> Vec<Due> {
        let unread = self.watched.unread().iter().copied();
        let unread = unread
            .chain(self.rejected.ids())
            .filter(|id| !self.failures.was_listed(*id, since, now))
            .filter(|id| !self.failures.is_waiting(*id, now) && id.created() + RETENTION > now);
        unread
            .map(|id| Due {
                id,
                last_attempt: schedule::attempt(self.failures.last_attempt(id), now),
                processing: false,
            })
            .collect()
    }

    /// The configured operations that are not due, least recently read first, for spare requests.
    #[must_use]
    pub fn idle_configured(&self, since: Timestamp) -> Vec<Due> {
        let configured = self.watched.configured();
        let mut idle: Vec<_> = configured
            .filter_map(|id| self.chunks.get(id))
            .filter(|record| record.last_success() < since && !self.failures.contains(record.id))
            .map(|record| record.due())
            .collect();
        idle.sort_by_key(|due| due.last_attempt);
        idle
    }

    /// The newest operation whose last read succeeded. Reading it again shows whether the account may read operations.
    #[must_use]
    pub fn newest_readable(&self, now: Timestamp) -> Option<OperationId> {
        self.chunks
            .iter()
            .rev()
            .flat_map(|chunk| chunk.records().newest_first())
            .find(|record| {
                !self.failures.contains(record.id) && record.id.created() + RETENTION > now
            })
            .map(|record| record.id)
    }

    /// The operations whose last read Twilio refused with 403.
    #[must_use]
    pub fn refused(&self) -> HashSet<OperationId> {
        self.failures.refused().collect()
    }

    /// How many operations could not be read when that was last attempted.
    #[must_use]
    pub const fn failing(&self) -> usize {
        self.failures.attempted()
    }

    /// When reads began to fail, after a time without failures.
    #[must_use]
    pub const fn failing_since(&self) -> Option<Timestamp> {
        self.failures.since()
    }

    /// Whether `id` could not be read when that was last attempted; `None` if it is not known any more.
    #[must_use]
    pub fn is_failing(&self, id: OperationId) -> Option<bool> {
        let is_failing = self.failures.is_attempted(id);
        (is_failing || self.chunks.get(id).is_some()).then_some(is_failing)
    }

    /// Whether `id` was read in the collection that began at `since`.
    #[must_use]
    pub fn is_read(&self, id: OperationId, since: Timestamp, now: Timestamp) -> bool {
        let read = |record: Record| schedule::was_read(record.last_success(), since, now);
        self.chunks.get(id).is_some_and(read)
    }

    /// The number of operations in state `processing`.
    #[must_use]
    pub fn processing(&self) -> usize {
        usize::try_from(self.totals.in_state(&OperationState::Processing)).unwrap_or(usize::MAX)
    }

    /// When the newest operation was created.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        let last = self.chunks.iter().next_back()?;
        last.records().last().map(|record| record.created())
    }

    /// The earliest time since which at most `room` known operations were created; 1970 if there are no more in all.
    #[must_use]
    pub fn newest_page_from(&self, mut room: usize, now: Timestamp) -> Timestamp {
        let mut from = now;
        for chunk in self.chunks.iter().rev() {
            let records = chunk.records();
            let Some(left) = room.checked_sub(records.len()) else {
                // The newest chunk does not fit only if pages are smaller than chunks.
                let first = records.at(records.len() - room);
                return match first.filter(|_| from == now && room > 0) {
                    Some(first) => first.created().min(now),
                    None => from,
                };
            };
            room = left;
            from = chunk
                .summary
                .created
                .map_or(from, |(first, _)| from.min(first));
        }
        Timestamp::default()
    }

    /// The due operations of a chunk, each with whether a list of its range returns it.
    pub(super) fn due_in(
        &self,
        chunk: &Chunk,
        since: Timestamp,
        now: Timestamp,
    ) -> impl Iterator<Item = (Due, bool)> {
        let due = chunk
            .due(since, now, self.chunks.policy())
            .filter(move |record| !self.failures.is_waiting(record.id, now))
            .filter(move |record| !self.failures.was_listed(record.id, since, now));
        due.map(move |record| {
            let mut due = record.due();
            let failed = schedule::attempt(self.failures.last_attempt(record.id), now);
            due.last_attempt = schedule::attempt(due.last_attempt, now).max(failed);
            (due, is_in_place(&record))
        })
    }
}
