//! Loads saved operations that are not in memory, on a thread that may wait for the disk. Without them, an operation that returns
//! would count twice.

use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::timeout;

use super::account_store::AccountStore;
use crate::operation::OperationId;
use crate::store::SavedOperation;

/// A load that takes longer shows that the disk hangs. Scrapes do not wait for it.
const LOAD_WAIT: Duration = Duration::from_millis(500);

/// Loads saved operations of one account.
#[derive(Debug)]
pub(super) struct SavedLookup {
    store: AccountStore,
    /// A load takes longer than [`LOAD_WAIT`].
    stalled: watch::Sender<bool>,
}

/// The saved records of operations that are not in memory.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Those that were looked up. Usually most of them are new, so these take less memory than an entry of `saved` each.
    ids: HashSet<OperationId>,
    saved: HashMap<OperationId, SavedOperation>,
}

impl Loaded {
    /// Whether `id` was looked up.
    pub(super) fn has(&self, id: OperationId) -> bool {
        self.ids.contains(&id)
    }

    /// The saved record of `id`, if there is one.
    pub(super) fn saved(&self, id: OperationId) -> Option<SavedOperation> {
        self.saved.get(&id).cloned()
    }
}

impl SavedLookup {
    pub(super) fn new(store: AccountStore) -> Self {
        Self {
            store,
            stalled: watch::Sender::new(false),
        }
    }

    /// Adds the saved records of `ids` to `loaded`.
    pub(super) async fn load(&self, ids: Vec<OperationId>, loaded: &mut Loaded) {
        if ids.is_empty() {
            return;
        }
        let store = self.store.clone();
        loaded.ids.extend(&ids);
        let load = move || -> Vec<(OperationId, SavedOperation)> {
            let saved = |id| Some((id, store.load_saved(id)?));
            ids.into_iter().filter_map(saved).collect()
        };
        let mut loading = tokio::task::spawn_blocking(load);
        let found = if let Ok(found) = timeout(LOAD_WAIT, &mut loading).await {
            found
        } else {
            self.stalled.send_replace(true);
            let found = loading.await;
            self.stalled.send_replace(false);
            found
        };
        match found.map_err(JoinError::try_into_panic) {
            Ok(found) => loaded.saved.extend(found),
            // Without their saved records, these operations would count twice.
            Err(Ok(panic)) => resume_unwind(panic),
            // The exporter is stopping.
            Err(Err(_)) => {}
        }
    }

    /// Returns once a load takes too long, because the disk hangs.
    pub(super) async fn stalled(&self) {
        let mut stalled = self.stalled.subscribe();
        // `self` holds the sender, so the channel is open.
        if stalled.wait_for(|stalled| *stalled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
