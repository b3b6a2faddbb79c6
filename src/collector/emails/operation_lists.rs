//! The operations whose own lists of emails are due: those whose stats have changed since the last read. The number of remembered
//! operations is limited.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::comparing::MARGIN;
use crate::collector::ledger::Ledger;
use crate::operation::{Operation, OperationId};
use crate::timestamp::Timestamp;

/// The most operations that a run inspects. It continues where the last one ended.
const MOST_INSPECTED: usize = 10_000;
/// The most operations whose last read is remembered. The oldest ones are dropped first.
const MOST_REMEMBERED: usize = 100_000;

/// How the emails of an operation were read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastRead {
    /// What the stats were then, as a hash.
    pub(super) stats: u64,
    /// When the read began, if it found all of them.
    pub(super) complete: Option<Timestamp>,
}

/// The operations whose emails were read.
#[derive(Debug, Default)]
pub(super) struct OperationLists {
    read: BTreeMap<OperationId, LastRead>,
    /// The last operation that the last run inspected.
    after: Option<OperationId>,
}

impl OperationLists {
    /// The operations created since `oldest` whose stats have changed since their emails were read, the newest first, each with what
    /// to remember. Those that are `compared` are due once more at `now`, if their stats had just changed then.
    pub(super) fn due(
        &mut self,
        operations: &Ledger,
        (oldest, now): (Timestamp, Timestamp),
        compared: impl Fn(OperationId) -> bool,
    ) -> Vec<(OperationId, u64)> {
        let is_early = |seen: &Operation, read: Timestamp| {
            let settled = seen.updated.unwrap_or(seen.created) + MARGIN;
            read < settled && settled <= now && compared(seen.id)
        };
        let changed = |seen: &Operation| {
            let is_due = |read: &LastRead| {
                read.stats != stats_of(seen)
                    || read.complete.is_some_and(|read| is_early(seen, read))
            };
            seen.created >= oldest && self.read.get(&seen.id).is_none_or(is_due)
        };
        let page = operations.views(self.after, MOST_INSPECTED, &|view| {
            view.shown.seen.as_ref().is_some_and(changed)
        });
        self.after = page.next;
        let due = page.views.iter().rev().filter_map(|view| {
            let seen = view.shown.seen.as_ref()?;
            Some((seen.id, stats_of(seen)))
        });
        due.collect()
    }

    /// Notes that the emails of an operation were read.
    pub(super) fn note_read(&mut self, id: OperationId, read: LastRead) {
        self.read.insert(id, read);
        if self.read.len() > MOST_REMEMBERED {
            self.read.pop_first();
        }
    }

    /// When the last read of all emails of an operation began; `None` if that is not known.
    pub(super) fn read_of(&self, id: OperationId) -> Option<Timestamp> {
        self.read.get(&id)?.complete
    }
}

fn stats_of(operation: &Operation) -> u64 {
    let mut hasher = DefaultHasher::new();
    operation.state.as_str().hash(&mut hasher);
    operation.stats.emails.hash(&mut hasher);
    operation.stats.size.hash(&mut hasher);
    hasher.finish()
}
