//! The operations whose own lists of emails are due: those whose stats have changed since the last read. The number of remembered
//! operations is limited.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::collector::ledger::Ledger;
use crate::operation::{Operation, OperationId};
use crate::timestamp::Timestamp;

/// The most operations that a run inspects. It continues where the last one ended.
const MOST_INSPECTED: usize = 10_000;
/// The most operations whose last read is remembered. The oldest ones are dropped first.
const MOST_REMEMBERED: usize = 100_000;

/// The operations whose emails were read.
#[derive(Debug, Default)]
pub(super) struct OperationLists {
    /// What the stats were then, as a hash.
    read: BTreeMap<OperationId, u64>,
    /// The last operation that the last run looked at.
    after: Option<OperationId>,
}

impl OperationLists {
    /// The operations created since `oldest` whose stats have changed since their emails were read, the newest first, each with what
    /// to remember.
    pub(super) fn due(
        &mut self,
        operations: &Ledger,
        oldest: Timestamp,
    ) -> Vec<(OperationId, u64)> {
        let changed = |seen: &Operation| {
            seen.created >= oldest && self.read.get(&seen.id) != Some(&stats_of(seen))
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
    pub(super) fn note_read(&mut self, id: OperationId, stats: u64) {
        self.read.insert(id, stats);
        if self.read.len() > MOST_REMEMBERED {
            self.read.pop_first();
        }
    }
}

fn stats_of(operation: &Operation) -> u64 {
    let mut hasher = DefaultHasher::new();
    operation.state.as_str().hash(&mut hasher);
    operation.stats.emails.hash(&mut hasher);
    operation.stats.size.hash(&mut hasher);
    hasher.finish()
}
