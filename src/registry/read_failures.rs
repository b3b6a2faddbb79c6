//! Operations whose single reads fail, and when to try each again. An unknown operation is read less and less often, but at least
//! once an hour.

use std::collections::BTreeMap;

use super::clock_jumps::Jump;
use super::schedule;
use crate::operation::OperationId;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// The failed reads since the last success, by operation.
#[derive(Debug, Default)]
pub(super) struct ReadFailures {
    by_id: BTreeMap<OperationId, Failure>,
    /// How many of them have a reason.
    attempted: usize,
    /// When the first of those began to fail, after a time without any.
    since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Failure {
    first: Timestamp,
    last: Timestamp,
    /// `None`: the read was left out, because the account was blocked.
    reason: Option<Reason>,
    /// A list returned the operation, so a single read in the same collection is pointless.
    listed: bool,
}

impl ReadFailures {
    /// Notes a failure. Returns whether it is a new one: the operation did not fail before, or failed for another reason.
    pub(super) fn failed(&mut self, id: OperationId, reason: Reason, now: Timestamp) -> bool {
        let before = self
            .by_id
            .get(&id)
            .filter(|before| before.reason == Some(reason));
        let failure = Failure {
            // A time in the future comes from a clock that has since been set back.
            first: before.map_or(now, |before| before.first.min(now)),
            last: now,
            reason: Some(reason),
            listed: false,
        };
        let news = before.is_none();
        let replaced = self.by_id.insert(id, failure);
        if replaced.is_none_or(|replaced| replaced.reason.is_none()) {
            self.attempted += 1;
            self.since.get_or_insert(now);
        }
        news
    }

    /// Notes that this machine's clock was set, so that intervals last as long as before.
    pub(super) fn shift(&mut self, jump: Jump) {
        for failure in self.by_id.values_mut() {
            failure.first = jump.apply(failure.first);
            failure.last = jump.apply_to_read(failure.last);
        }
        self.since = self.since.map(|since| jump.apply(since));
    }

    /// Notes that an operation was due and its read was left out. An earlier failure stays.
    pub(super) fn not_reached(&mut self, id: OperationId, now: Timestamp) {
        self.by_id.entry(id).or_insert(Failure {
            first: now,
            last: now,
            reason: None,
            listed: false,
        });
    }

    /// Notes that the last failure comes from a list.
    pub(super) fn listed(&mut self, id: OperationId) {
        if let Some(failure) = self.by_id.get_mut(&id) {
            failure.listed = true;
        }
    }

    /// Whether its last failure comes from a list of the collection that began at `since`.
    pub(super) fn was_listed(&self, id: OperationId, since: Timestamp, now: Timestamp) -> bool {
        self.by_id
            .get(&id)
            .is_some_and(|failure| failure.listed && schedule::was_read(failure.last, since, now))
    }

    /// Removes an operation, because it was read or has left memory.
    pub(super) fn remove(&mut self, id: OperationId) {
        if self
            .by_id
            .remove(&id)
            .is_some_and(|removed| removed.reason.is_some())
        {
            self.attempted -= 1;
            self.since = self.since.filter(|_| self.attempted > 0);
        }
    }

    /// How many operations could not be read when that was last attempted.
    pub(super) const fn attempted(&self) -> usize {
        self.attempted
    }

    /// When reads began to fail, after a time without failures.
    pub(super) const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Whether `id` could not be read when that was last attempted.
    pub(super) fn is_attempted(&self, id: OperationId) -> bool {
        self.by_id
            .get(&id)
            .is_some_and(|failure| failure.reason.is_some())
    }

    pub(super) fn contains(&self, id: OperationId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// When the last attempt failed, or was left out because the account was blocked; 1970 if there was none.
    pub(super) fn last_attempt(&self, id: OperationId) -> Timestamp {
        self.by_id
            .get(&id)
            .map(|failure| failure.last)
            .unwrap_or_default()
    }

    /// The operations whose last read Twilio refused with 403.
    pub(super) fn refused(&self) -> impl Iterator<Item = OperationId> {
        let failures = self.by_id.iter();
        let refused = failures.filter(|(_, failure)| failure.reason == Some(Reason::Forbidden));
        refused.map(|(id, _)| *id)
    }

    /// Whether Twilio returned 404 for the operation, and it is too early for another read.
    pub(super) fn is_waiting(&self, id: OperationId, now: Timestamp) -> bool {
        match self.by_id.get(&id) {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[test]
    fn operations_are_unreadable_since_the_first_failure_after_a_time_without_any() {
        let mut failures = ReadFailures::default();
        let at = |minutes| START + Duration::from_mins(minutes);
        let [one, other] = [1, 2].map(|n| crate::simulator::operation_id(START, n));
        failures.not_reached(one, at(0));
        assert_eq!(failures.since(), None, "it was not tried");
        failures.failed(one, Reason::NotFound, at(1));
        failures.failed(other, Reason::NotFound, at(2));
        failures.failed(one, Reason::Timeout, at(3));
        assert_eq!(failures.since(), Some(at(1)));
        failures.remove(one);
        assert_eq!(failures.since(), Some(at(1)), "another one still fails");
        failures.shift(Jump::Forward(Duration::from_hours(1)));
        assert_eq!(failures.since(), Some(at(61)), "the clock was set");
        failures.remove(other);
        assert_eq!(failures.since(), None);
        failures.failed(other, Reason::NotFound, at(70));
        assert_eq!(failures.since(), Some(at(70)));
    }
}
