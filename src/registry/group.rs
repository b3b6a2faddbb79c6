//! The sums and counters of the operations that share one value of a label.
//!
//! A new group exposes its counters as 0 for a while. Prometheus computes growth from two samples: `rate()` and `increase()` would
//! miss what a series has in its first sample.

use std::time::Duration;

use super::clock_jumps::Jump;
use crate::operation::{Counters, Marks, Operation, RETENTION};
use crate::snapshot::{GroupSnapshot, Totals};
use crate::store::{GroupKey, SavedGroup};
use crate::timestamp::Timestamp;

/// How long a new group exposes its counters as 0. Every Prometheus that scrapes at least this often sees the 0; series of one that
/// scrapes less often are stale between two scrapes.
pub(super) const ZERO_FOR: Duration = Duration::from_mins(2);

/// The `zero_until` of a group that no collection has seen yet.
const NOT_YET: Timestamp = Timestamp::from_millis(i64::MAX);

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    totals: Totals,
    counters: Counters,
    /// When its last operation expires or expired.
    until: Timestamp,
    /// The time until which its counters are exposed as 0; `None`: as they are. Scrapes use its saved value, so a restart never
    /// decreases counters.
    zero_until: Option<Timestamp>,
    /// Whether a scrape may have exposed the 0.
    is_shown: bool,
    /// As it was last saved.
    pub(super) saved: Option<SavedGroup>,
    /// Whether it must be saved again, because the store lost it.
    is_lost: bool,
}

impl Group {
    /// A new group, whose last operation expires at `until`.
    pub(super) fn new(until: Timestamp) -> Self {
        Self {
            totals: Totals::default(),
            counters: Counters::default(),
            until,
            zero_until: Some(NOT_YET),
            is_shown: false,
            saved: None,
            is_lost: false,
        }
    }

    /// Loads its saved state.
    pub(super) fn restore(&mut self, saved: SavedGroup) {
        self.counters = saved.counters;
        self.zero_until = saved.zero_until;
        // The previous process may have exposed it.
        self.is_shown = true;
        self.saved = Some(saved);
    }

    /// Keeps the group at least until 7 days after `until`.
    pub(super) fn extend(&mut self, until: Timestamp) {
        self.until = self.until.max(until);
    }

    /// Adds the current stats of an operation.
    pub(super) fn add(&mut self, operation: &Operation) {
        self.totals.add(&operation.state, &operation.stats);
    }

    /// Removes the stats of an operation that was added with them.
    pub(super) fn remove(&mut self, operation: &Operation) {
        self.totals.remove(&operation.state, &operation.stats);
    }

    /// Counts the growth of an operation's high-water marks.
    pub(super) fn count(&mut self, from: Marks, to: Marks) {
        self.counters.count(from, to);
    }

    /// Notes the time: after [`ZERO_FOR`] the counters may be exposed as they are. A later end comes from a clock that has since been set
    /// back.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.zero_until = match self.zero_until {
            Some(until) if until > now + ZERO_FOR => Some(now + ZERO_FOR),
            Some(until) if until <= now && self.is_shown => None,
            other => other,
        };
    }

    /// Notes that this machine's clock was set. How long the counters are exposed as 0 stays the same.
    pub(super) fn shift(&mut self, jump: Jump) {
        self.zero_until = self.zero_until.map(|until| jump.apply(until));
    }

    /// Notes that a scrape exposed it.
    pub(super) fn shown(&mut self) {
        self.is_shown |= self.saved.is_some();
    }

    /// Notes that the store lost it.
    pub(super) const fn lost(&mut self) {
        self.is_lost = true;
    }

    pub(super) fn saved(&mut self, saved: &SavedGroup) {
        self.saved = Some(saved.clone());
        self.is_lost = false;
    }

    /// Its state to save, if it changed.
    pub(super) fn unsaved(&self, key: &GroupKey) -> Option<SavedGroup> {
        let now = SavedGroup {
            key: key.clone(),
            counters: self.counters,
            until: self.until,
            zero_until: self.zero_until,
        };
        (self.is_lost || self.saved.as_ref() != Some(&now)).then_some(now)
    }

    /// Whether it has no operation, and its last one expired 7 days ago or more.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.totals.size() == 0 && self.until + RETENTION <= now
    }

    /// The values for a scrape.
    pub(super) fn snapshot(&self, key: &GroupKey) -> GroupSnapshot {
        GroupSnapshot {
            label: key.label.clone(),
            value: key.value.clone(),
            totals: self.totals.clone(),
            counters: self.exposed(),
        }
    }

    /// The counters as they may be exposed; `None` before the first save.
    fn exposed(&self) -> Option<Counters> {
        self.saved.as_ref().map(|saved| match saved.zero_until {
            Some(_) => Counters::default(),
            None => saved.counters,
        })
    }
}
