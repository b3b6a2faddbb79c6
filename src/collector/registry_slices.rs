//! Work on all operations of an account, in slices between which the registry is released: no scrape and no page waits for more than
//! a slice.

use std::time::Duration;

use super::ledger::Ledger;
use crate::operation::OperationId;
use crate::registry::{DueSearch, Registry};
use crate::timestamp::Timestamp;

/// How long others can lock the registry between two slices. A thread that locks it again at once would keep the others out.
const PAUSE: Duration = Duration::from_millis(1);

impl Ledger {
    /// Calls `step` until it returns that there is no more to do.
    pub(super) async fn in_slices(&self, mut step: impl FnMut(&mut Registry) -> bool) {
        while step(&mut self.lock()) {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Applies changes to all operations that have begun.
    pub(super) async fn catch_up(&self) {
        self.in_slices(Registry::catch_up).await;
    }

    /// The operations that are due at `now` and were not read since `since`.
    pub(super) async fn search_due(&self, since: Timestamp, now: Timestamp) -> DueSearch {
        let mut search = DueSearch::new(since, now);
        self.in_slices(|registry| search.step(&registry.agenda()))
            .await;
        search
    }

    /// Notes that the operations that are due at `now` and were not read since `since` were not requested.
    pub(super) async fn fail_due(&self, since: Timestamp, now: Timestamp) {
        let mut search = DueSearch::new(since, now);
        self.in_slices(|registry| {
            let has_more = search.step(&registry.agenda());
            let due: Vec<OperationId> = search.take_ids();
            registry.fail_each(&due, now);
            has_more
        })
        .await;
    }
}
