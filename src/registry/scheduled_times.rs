//! The times for which operations are scheduled. Twilio returns them only with emails, so each costs a request.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::operation::OperationId;
use crate::timestamp::Timestamp;

/// The most requests for a first email that does not exist yet. After that, the exporter waits for the operation to change.
const MOST_TRIES: u8 = 3;

/// The schedules of operations, from their first emails.
#[derive(Debug, Default)]
pub(super) struct ScheduledTimes {
    /// Operations that are not scheduled, and those whose first email was not requested yet, have no entry.
    by_operation: BTreeMap<OperationId, Schedule>,
    /// Those whose time is known.
    by_time: BTreeMap<Timestamp, BTreeSet<OperationId>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schedule {
    /// Its first email has this `scheduledFor`.
    At(Timestamp),
    /// Its first email has none.
    Missing,
    /// How many requests found no first email.
    Tried(u8),
}

impl ScheduledTimes {
    /// The time, if it is known.
    pub(super) fn get(&self, id: OperationId) -> Option<Timestamp> {
        match self.by_operation.get(&id) {
            Some(Schedule::At(time)) => Some(*time),
            _ => None,
        }
    }

    /// The operations that are scheduled for later than `moment`, the first ones first.
    pub(super) fn after(&self, moment: Timestamp) -> impl Iterator<Item = OperationId> {
        let later = (Bound::Excluded(moment), Bound::Unbounded);
        let ids = self.by_time.range(later).flat_map(|(_, ids)| ids);
        ids.copied()
    }

    /// Whether a request for the first email may return the time.
    pub(super) fn is_wanted(&self, id: OperationId) -> bool {
        match self.by_operation.get(&id) {
            None => true,
            Some(Schedule::Tried(tries)) => *tries < MOST_TRIES,
            Some(Schedule::At(_) | Schedule::Missing) => false,
        }
    }

    /// Loads a saved time.
    pub(super) fn restore(&mut self, id: OperationId, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.set(id, Some(Schedule::At(time)));
        }
    }

    /// Notes the first email of an operation. Returns whether the time changed.
    pub(super) fn read(
        &mut self,
        id: OperationId,
        time: Option<Timestamp>,
        is_scheduled: bool,
    ) -> bool {
        let before = self.get(id);
        // Most operations are not scheduled, and need no entry.
        let missing = is_scheduled.then_some(Schedule::Missing);
        self.set(id, time.map(Schedule::At).or(missing));
        self.get(id) != before
    }

    /// Notes that there was no first email yet.
    pub(super) fn not_found(&mut self, id: OperationId) {
        match self.by_operation.entry(id).or_insert(Schedule::Tried(0)) {
            Schedule::Tried(tries) => *tries = tries.saturating_add(1),
            Schedule::At(_) | Schedule::Missing => {}
        }
    }

    /// Notes that the stats of an operation changed: it may have a first email now.
    pub(super) fn changed(&mut self, id: OperationId) {
        if let Some(Schedule::Tried(tries)) = self.by_operation.get_mut(&id) {
            *tries = (*tries).min(MOST_TRIES - 1);
        }
    }

    /// Removes an operation that leaves memory.
    pub(super) fn remove(&mut self, id: OperationId) {
        self.set(id, None);
    }

    fn set(&mut self, id: OperationId, schedule: Option<Schedule>) {
        let before = match schedule {
            Some(schedule) => self.by_operation.insert(id, schedule),
            None => self.by_operation.remove(&id),
        };
        if let Some(Schedule::At(time)) = before
            && let Some(ids) = self.by_time.get_mut(&time)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_time.remove(&time);
            }
        }
        if let Some(Schedule::At(time)) = schedule {
            self.by_time.entry(time).or_default().insert(id);
        }
    }
}
