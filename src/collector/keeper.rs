//! Saves what an account's registry has learnt, before it is shown as counted.

use std::error::Error;
use std::sync::Arc;

use crate::exposition::StateInstruments;
use crate::operation::{Marks, OperationId};
use crate::store::{Batch, SavedAccount, SavedOperation, Store, StoreError};
use crate::timestamp::Timestamp;

/// An error and what it rests on, in one line: "cannot write to data: No space left on device".
pub(super) fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The store, as one account sees it.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    account: Arc<str>,
    store: Arc<Store>,
    instruments: StateInstruments,
}

impl Keeper {
    pub(super) const fn new(
        account: Arc<str>,
        store: Arc<Store>,
        instruments: StateInstruments,
    ) -> Self {
        Self {
            account,
            store,
            instruments,
        }
    }

    /// What was saved of an operation that is no longer in memory; unreadable counts as nothing, and is told.
    pub(super) fn marks(&self, id: OperationId) -> Option<Marks> {
        self.store.marks(&self.account, id).unwrap_or_else(|error| {
            tracing::warn!(account = %self.account, operation = %id, error = in_full(&error), "what was saved of an operation cannot be read");
            None
        })
    }

    /// Saves all or nothing, on a thread where waiting for the disk disturbs nobody. Says whether it worked.
    pub(super) async fn save(
        &self,
        standing: SavedAccount,
        operations: Vec<SavedOperation>,
        now: Timestamp,
    ) -> bool {
        let this = self.clone();
        let saved = tokio::task::spawn_blocking(move || this.commit(&standing, &operations)).await;
        match saved {
            Ok(Ok(())) => {
                self.instruments.saved(now);
                true
            }
            Ok(Err(error)) => {
                self.instruments.save_failed();
                tracing::error!(account = %self.account, error = in_full(&error), "counters cannot be saved; they stay as they were saved last");
                false
            }
            // The exporter is stopping, or the store has a bug that panics.
            Err(_) => {
                self.instruments.save_failed();
                false
            }
        }
    }

    /// Forgets what was saved of operations created before `before`, a bounded number at a time. Where that fails nothing
    /// is lost but room.
    pub(super) async fn purge(&self, before: Timestamp) {
        let this = self.clone();
        let purged =
            tokio::task::spawn_blocking(move || this.store.purge(&this.account, before)).await;
        if let Ok(Err(error)) = purged {
            tracing::debug!(account = %self.account, error = in_full(&error), "old operations stay in the store");
        }
    }

    /// Saves all or nothing.
    pub(super) fn commit(
        &self,
        standing: &SavedAccount,
        operations: &[SavedOperation],
    ) -> Result<(), StoreError> {
        self.store.commit(&Batch {
            account: &self.account,
            standing,
            operations,
        })
    }
}
