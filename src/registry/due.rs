//! What is due, as a plan needs to see it.

use super::Registry;
use super::chunk::{Chunk, is_in_place};
use crate::operation::{OperationId, OperationState, RETENTION};
use crate::timestamp::Timestamp;

/// An operation that is due to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: OperationId,
    /// When it was last asked for, well or not; 1970 if never. What waits longest goes first.
    pub last_attempt: Timestamp,
    /// Whether Twilio was still processing it then.
    pub processing: bool,
}

/// Neighbouring operations that one page of the list covers, and what of them is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRange {
    /// When the first of them was created.
    pub from: Timestamp,
    /// When the last of them was created.
    pub until: Timestamp,
    /// How many there are.
    pub operations: usize,
    /// Those that are due.
    pub due: Vec<Due>,
}

impl Registry {
    /// All operations that a window of the list can cover, oldest first; with those that are due at `now`. Each range
    /// ends where the next one begins, so that what came to be between them late is found when they are swept.
    #[must_use]
    pub fn ranges(&self, since: Timestamp, now: Timestamp) -> Vec<ListRange> {
        let mut ranges = Vec::new();
        let mut next = now;
        for chunk in self.chunks.iter().rev() {
            let Some((from, until)) = chunk.summary.created else {
                continue;
            };
            let due = if chunk.is_worth_a_look(now) {
                let in_place = self
                    .due_in(chunk, since, now)
                    .filter(|(_, in_place)| *in_place);
                in_place.map(|(due, _)| due).collect()
            } else {
                Vec::new()
            };
            ranges.push(ListRange {
                from,
                until: until.max(next),
                operations: chunk.records().len(),
                due,
            });
            next = from;
        }
        ranges.reverse();
        ranges
    }

    /// What is due and was not read since `since`: everything, or only what no window would find.
    #[must_use]
    pub fn due(&self, since: Timestamp, now: Timestamp, only_unlisted: bool) -> Vec<Due> {
        let unread = self.watched.unread().iter().copied();
        let unread = unread
            .chain(self.never_believed.ids())
            .filter(|id| !self.failures.is_listed(*id, since, now))
            .filter(|id| !self.failures.is_waiting(*id, now) && id.created() + RETENTION > now);
        let mut due: Vec<_> = unread
            .map(|id| Due {
                id,
                last_attempt: self.failures.last(id).unwrap_or_default(),
                processing: false,
            })
            .collect();
        for chunk in self
            .chunks
            .iter()
            .filter(|chunk| chunk.is_worth_a_look(now))
        {
            due.extend(
                self.due_in(chunk, since, now)
                    .filter(|(_, in_place)| !(only_unlisted && *in_place))
                    .map(|(due, _)| due),
            );
        }
        due
    }

    /// The configured operations that are not due, the one read longest ago first: for requests that are to spare.
    #[must_use]
    pub fn resting_configured(&self, since: Timestamp) -> Vec<Due> {
        let configured = self.watched.configured();
        let mut resting: Vec<_> = configured
            .filter_map(|id| self.chunks.get(id))
            .filter(|record| record.last_success() < since && !self.failures.contains(record.id))
            .map(super::record::Record::due)
            .collect();
        resting.sort_by_key(|due| due.last_attempt);
        resting
    }

    /// The newest operation that was read and does not fail: one to show whether the account may read at all.
    #[must_use]
    pub fn newest_readable(&self, now: Timestamp) -> Option<OperationId> {
        self.chunks
            .iter()
            .rev()
            .flat_map(|chunk| chunk.records().iter().rev())
            .find(|record| {
                !self.failures.contains(record.id) && record.id.created() + RETENTION > now
            })
            .map(|record| record.id)
    }

    /// How many operations Twilio is processing.
    #[must_use]
    pub fn processing(&self) -> usize {
        usize::try_from(self.totals.in_state(&OperationState::Processing)).unwrap_or(usize::MAX)
    }

    /// When the newest known operation was created.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        let last = self.chunks.iter().next_back()?;
        last.records().last().map(super::record::Record::created)
    }

    /// A moment such that the operations created since then, as far as they are known, are `room` at most; 1970 if all of
    /// them are.
    #[must_use]
    pub fn newest_page_from(&self, mut room: usize, now: Timestamp) -> Timestamp {
        let mut from = now;
        for chunk in self.chunks.iter().rev() {
            let records = chunk.records();
            let Some(left) = room.checked_sub(records.len()) else {
                // Only where pages are smaller than chunks does the newest chunk not fit.
                return if from == now && room > 0 {
                    records[records.len() - room].created().min(now)
                } else {
                    from
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

    /// With whether a window over its creation would find it.
    fn due_in(
        &self,
        chunk: &Chunk,
        since: Timestamp,
        now: Timestamp,
    ) -> impl Iterator<Item = (Due, bool)> {
        let due = chunk
            .due(since, now, self.chunks.measure())
            .filter(move |record| !self.failures.is_waiting(record.id, now))
            .filter(move |record| !self.failures.is_listed(record.id, since, now));
        due.map(|record| {
            let mut due = record.due();
            due.last_attempt = due
                .last_attempt
                .max(self.failures.last(record.id).unwrap_or_default());
            (due, is_in_place(record))
        })
    }
}
