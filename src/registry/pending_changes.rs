//! Changes to all operations of an account, applied to one chunk after another. Each change has to unpack the packed chunks: with
//! millions of operations that takes most of a second, and no caller may wait for the registry that long.
//!
//! Before anything else changes a chunk, the chunk gets its missing changes, so records of two times are never mixed. A read of a chunk
//! may find it without them. What is saved, and so what counters expose, never has a recount of some of the chunks only.

use super::chunk::Chunk;
use super::clock_jumps::Jump;
use super::record::Record;
use super::schedule;
use super::slice::{Cost, Slice};
use crate::timestamp::Timestamp;

/// A change to all operations, or to those of a window, or to what is summed up over them.
#[derive(Debug, Clone, Copy)]
pub(super) enum WholeChange {
    /// This machine's clock was set.
    Shift(Jump),
    /// The operations of a window that were not read between `since` and `now` have failed.
    FailWindow {
        from: Timestamp,
        until: Option<Timestamp>,
        since: Timestamp,
        now: Timestamp,
    },
    /// Another counting mode was proven: all operations are counted in it.
    Recount,
    /// Other operations are large enough for series. No record changes, but the summaries do.
    Resize,
}

/// The changes that not all chunks have had.
#[derive(Debug)]
pub(super) struct PendingChanges {
    changes: Vec<WholeChange>,
    /// The number of earlier changes, which all chunks have had.
    finished: u64,
}

impl WholeChange {
    fn concerns(self, chunk: &Chunk) -> bool {
        match self {
            Self::Shift(_) | Self::Recount | Self::Resize => true,
            Self::FailWindow { from, until, .. } => {
                let created = chunk.summary.created;
                created.is_none_or(|(first, last)| {
                    last >= from && until.is_none_or(|until| first <= until)
                })
            }
        }
    }

    const fn cost(self) -> Cost {
        match self {
            Self::Shift(_) | Self::FailWindow { .. } | Self::Resize => Cost::Record,
            Self::Recount => Cost::Tables,
        }
    }

    fn apply(self, record: &mut Record, recount: &mut impl FnMut(&mut Record)) {
        match self {
            Self::Shift(jump) => record.shift(jump),
            Self::Recount => recount(record),
            Self::Resize => {}
            Self::FailWindow {
                from,
                until,
                since,
                now,
            } => {
                let created = record.created();
                let is_inside = created >= from && until.is_none_or(|until| created <= until);
                record.failed |=
                    is_inside && !schedule::was_read(record.last_success(), since, now);
            }
        }
    }
}

impl PendingChanges {
    pub(super) const fn new() -> Self {
        Self {
            changes: Vec::new(),
            finished: 0,
        }
    }

    pub(super) fn push(&mut self, change: WholeChange) {
        self.changes.push(change);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a chunk may still have to be counted in another counting mode.
    pub(super) fn has_recount(&self) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| matches!(change, WholeChange::Recount))
    }

    /// The number of all changes so far.
    pub(super) const fn count(&self) -> u64 {
        self.finished + self.changes.len() as u64
    }

    /// Notes that all chunks have had all changes.
    pub(super) fn finish(&mut self) {
        self.finished = self.count();
        self.changes.clear();
    }

    /// The changes that concern `chunk` and that it lacks.
    pub(super) fn missing(&self, chunk: &Chunk) -> Vec<WholeChange> {
        let had = chunk.changes.saturating_sub(self.finished);
        let had = usize::try_from(had).unwrap_or(usize::MAX);
        let missing = self.changes.iter().skip(had).copied();
        missing.filter(|change| change.concerns(chunk)).collect()
    }
}

/// Applies `changes` to `records`, in their order. `recount` counts an operation in the current counting mode.
pub(super) fn apply(
    changes: &[WholeChange],
    records: &mut [Record],
    recount: &mut impl FnMut(&mut Record),
) {
    for change in changes {
        for record in &mut *records {
            change.apply(record, recount);
        }
    }
}

/// Notes the cost of applying `changes` to this many operations.
pub(super) fn spend(slice: &mut Slice, changes: &[WholeChange], operations: usize) {
    for change in changes {
        slice.spend(operations, change.cost());
    }
}
