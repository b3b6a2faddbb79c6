//! Work on all operations of an account, in slices between which the registry is released. No scrape and no page waits for more than a
//! slice. A collection does what is left to do before it plans, a reload before it returns, and a save before it begins.

use std::time::Duration;

use super::ledger::Ledger;
use crate::config::Series;
use crate::operation::{CountingMode, OperationId};
use crate::registry::{DueSearch, Registry, SaveDraft, ToSave};
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

    /// Like [`Self::catch_up`], on a thread that may block.
    pub(super) fn catch_up_blocking(&self) {
        while self.lock().catch_up() {
            std::thread::sleep(PAUSE);
        }
    }

    /// Applies other settings of series and stats, on a thread that may block. Counters keep their values.
    pub(super) fn reconfigure(&self, series: &Series, counting_mode: Option<CountingMode>) {
        self.store.set_rules(series, counting_mode);
        loop {
            let mut registry = self.lock();
            if registry.has_caught_up() {
                registry.reconfigure(series, counting_mode);
                return;
            }
            registry.catch_up();
            drop(registry);
            std::thread::sleep(PAUSE);
        }
    }

    /// Removes expired operations. If the machine was suspended for days, that may be all of them.
    pub(super) async fn expire_all(&self) {
        self.in_slices(|registry| {
            self.expire(registry);
            registry.has_expired(self.now())
        })
        .await;
    }

    /// The content of the next save.
    pub(super) async fn collect_unsaved(&self) -> ToSave {
        let mut draft = SaveDraft::default();
        let mut batch = None;
        self.in_slices(|registry| {
            batch = registry.collect_unsaved(&mut draft);
            batch.is_none()
        })
        .await;
        batch.unwrap_or_else(|| self.lock().unsaved())
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
            let has_more = search.short_step(&registry.agenda());
            let due: Vec<OperationId> = search.take_ids();
            registry.fail_each(&due, now);
            has_more
        })
        .await;
    }
}

#[cfg(test)]
mod tests;
