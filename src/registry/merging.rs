//! How an answer of Twilio's changes what is known of an operation.

use std::time::Duration;

use super::counting::Counting;
use super::failures::Failures;
use super::groups::Seen;
use super::labelling::Labelling;
use super::record::{Oddities, Record};
use super::schedule;
use super::unsaved::Unsaved;
use super::vocabulary;
use super::watched::Watched;
use crate::operation::{Marks, Operation, OperationId, Unexpected};
use crate::snapshot::Totals;
use crate::store::SavedOperation;
use crate::timestamp::Timestamp;

/// Figures that fall this close to the end of the retention are Twilio forgetting, not news.
const NEAR_END: Duration = Duration::from_hours(6);

/// What one answer held; see [`Registry::observe`](super::Registry::observe).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observed {
    /// Operations that had not been read before in this collection.
    pub newly_read: usize,
    /// Those of them that were not in memory at all.
    pub new: usize,
    /// Operations that had been read before in this collection.
    pub repeated: usize,
    /// When the oldest of the new ones was created.
    pub oldest_new: Option<Timestamp>,
}

/// Everything of a registry that an answer changes, but for the records themselves.
pub(super) struct Merging<'a> {
    pub(super) watched: &'a mut Watched,
    pub(super) labelling: &'a mut Labelling,
    pub(super) oddities: &'a mut Oddities,
    pub(super) totals: &'a mut Totals,
    pub(super) counting: &'a mut Counting,
    pub(super) unsaved: &'a mut Unsaved,
    pub(super) failures: &'a mut Failures,
    /// When the collection began.
    pub(super) since: Timestamp,
    /// When Twilio answered.
    pub(super) now: Timestamp,
    /// What the answer has held so far.
    pub(super) observed: Observed,
    /// Words that were too many.
    pub(super) unexpected: &'a mut Unexpected,
}

impl Merging<'_> {
    /// The record of `operation` after it was `before`; `kept` looks up what was once saved of one that is not known.
    pub(super) fn merge(
        &mut self,
        before: Option<&Record>,
        operation: &Operation,
        kept: impl Fn(OperationId) -> Option<SavedOperation>,
    ) -> Record {
        self.failures.forget(operation.id);
        let held;
        let operation = if vocabulary::is_plain(operation) {
            operation
        } else {
            held = self.held(before, operation);
            &held
        };
        let Some(before) = before else {
            let observed = &mut self.observed;
            observed.newly_read += 1;
            observed.new += 1;
            let oldest = observed.oldest_new.unwrap_or(operation.created);
            observed.oldest_new = Some(oldest.min(operation.created));
            let marks = self.appeared(operation, kept);
            // Twilio's own time of the change: a send of last week is not news because we start today.
            return self.changed(operation, marks, operation.updated);
        };
        let (since, now) = (self.since, self.now);
        if schedule::was_read(before.last_success(), since, now) {
            self.observed.repeated += 1;
        } else {
            self.observed.newly_read += 1;
        }
        let was = before.operation(self.oddities);
        let is_forgotten = || {
            operation.expires() <= now + NEAR_END
                && self.counting.falls(&was.stats, &operation.stats)
        };
        if was == *operation || is_forgotten() {
            let mut record = *before;
            record.confirm(now);
            return record;
        }
        self.totals.remove(&was.state, &was.stats);
        self.labelling.groups.changed(&was, operation);
        self.labelling.changed(operation.id);
        let marks = self.counting.seen_again(before.marks, &operation.stats);
        self.labelling
            .groups
            .count(operation.id, before.marks, marks);
        // When Twilio says that it changed, if it says so; else when that was noticed.
        let updated = operation
            .updated
            .filter(|updated| was.updated != Some(*updated));
        self.changed(operation, marks, updated)
    }

    /// `operation` as it can be shown: with no more undocumented words than have a place. Text that is no word says nothing about
    /// the state: the known one stays, and the rest of the answer counts.
    fn held(&mut self, before: Option<&Record>, operation: &Operation) -> Operation {
        let mut held = operation.clone();
        if let Some(before) = before
            && held.state.is_unreadable()
        {
            held.state = before.operation(self.oddities).state;
        }
        vocabulary::hold(&mut held, self.totals, self.oddities, self.unexpected);
        held
    }

    /// Takes in an operation that is not in memory; returns its marks.
    fn appeared(
        &mut self,
        operation: &Operation,
        kept: impl Fn(OperationId) -> Option<SavedOperation>,
    ) -> Marks {
        let id = operation.id;
        let kept = self.unsaved.departed_as(id).or_else(|| kept(id));
        let counted = match &kept {
            Some(kept) => self.counting.counted(operation, kept.marks),
            None => Marks::default(),
        };
        let (from, to) = self
            .counting
            .first_seen(operation, kept.as_ref().map(|kept| kept.marks));
        let (credited, tags) = kept.map_or((None, None), |kept| (Some(kept.credited), kept.tags));
        self.watched.note(id, true);
        self.labelling.appeared(id, tags);
        let seen = Seen { operation, counted };
        self.labelling.groups.appeared(&seen, credited.as_ref());
        self.labelling.groups.count(id, from, to);
        to
    }

    fn changed(
        &mut self,
        operation: &Operation,
        marks: Marks,
        change: Option<Timestamp>,
    ) -> Record {
        self.totals.add(&operation.state, &operation.stats);
        self.unsaved.changed(operation.id);
        let change = change.unwrap_or(self.now).min(self.now);
        let record = Record::new(operation, self.oddities, marks, change, self.now);
        record.watched(self.watched.contains(operation.id))
    }
}
