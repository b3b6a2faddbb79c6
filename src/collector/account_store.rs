//! Saves the changes of an account's registry, before they are exposed. It logs failures, and saves everything again after the
//! store has lost its file.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex as Lock;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout};

use super::large_work::free_in_parts;
use crate::config::Series;
use crate::diagnosis;
use crate::exposition::StateInstruments;
use crate::ongoing_failure::OngoingFailure;
use crate::operation::{CountingMode, OperationId};
use crate::registry::ToSave;
use crate::snapshot::{Labels, ListedOperations};
use crate::store::{Batch, SavedOperation, Store, StoreError};
use crate::timestamp::Timestamp;

/// A commit takes milliseconds. If one takes longer than this, the disk hangs. It is logged, because nothing else reports it yet.
const SLOW: Duration = Duration::from_secs(5);

/// An error and its causes, in one line: "cannot write to data: No space left on device".
pub(super) fn error_chain(error: &dyn Error) -> String {
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
pub(super) struct AccountStore {
    account: Arc<str>,
    store: Arc<Store>,
    instruments: StateInstruments,
    /// Held by the current save, whose commit continues even if its collection is cut off. A later save must not overtake it, or the store
    /// would have less than was exposed.
    committing: Arc<Mutex<()>>,
    failures: Arc<Failures>,
    /// The generation of the store in which the whole account was last saved.
    generation: Arc<AtomicU64>,
    /// Whether the store has lost the account since then, so that all of it must be saved again.
    is_behind: Arc<AtomicBool>,
    /// Whether the store could not be opened when the account was loaded. What it holds about the account is then unknown.
    is_unloaded: Arc<AtomicBool>,
    /// The settings for building the account's registry.
    rules: Arc<Lock<Rules>>,
}

/// The settings for building an account's registry from the saved state.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) series: Series,
    pub(super) counting_mode: Option<CountingMode>,
}

/// The current failures that were logged.
#[derive(Debug)]
struct Failures {
    saving: Lock<OngoingFailure<String>>,
    registering: Lock<OngoingFailure<String>>,
    reading: Lock<OngoingFailure<String>>,
    /// Commits that take longer than [`SLOW`].
    slow: Lock<OngoingFailure<String>>,
}

/// The permit to commit. Hold it from before the changes are taken from the registry until they are noted there as saved.
pub(super) type CommitPermit = OwnedMutexGuard<()>;

impl AccountStore {
    /// Call this before the account is loaded.
    pub(super) fn new(account: Arc<str>, store: Arc<Store>, instruments: StateInstruments) -> Self {
        Self {
            account,
            generation: Arc::new(AtomicU64::new(store.generation())),
            is_behind: Arc::default(),
            is_unloaded: Arc::new(AtomicBool::new(!store.was_opened())),
            rules: Arc::default(),
            store,
            instruments,
            committing: Arc::default(),
            failures: Arc::new(Failures {
                saving: Lock::new(OngoingFailure::new()),
                registering: Lock::new(OngoingFailure::new()),
                reading: Lock::new(OngoingFailure::new()),
                slow: Lock::new(OngoingFailure::new()),
            }),
        }
    }

    pub(super) const fn account(&self) -> &Arc<str> {
        &self.account
    }

    /// The settings for building the account's registry.
    pub(super) fn rules(&self) -> Rules {
        self.rules.lock().clone()
    }

    /// Call this when the account is loaded, and with each new configuration.
    pub(super) fn set_rules(&self, series: &Series, counting_mode: Option<CountingMode>) {
        let series = series.clone();
        *self.rules.lock() = Rules {
            series,
            counting_mode,
        };
    }

    /// The saved record of an operation that is not in memory. An unreadable record is logged and treated as missing.
    pub(super) fn load_saved(&self, id: OperationId) -> Option<SavedOperation> {
        match self.store.operation(&self.account, id) {
            Ok(saved) => {
                works(&self.failures.reading);
                saved
            }
            Err(error) => {
                let error = error_chain(&error);
                if fails(&self.failures.reading, &error) {
                    tracing::warn!(account = %self.account, operation = %id, error, "cannot read saved operations");
                }
                None
            }
        }
    }

    /// Waits for the current save.
    pub(super) async fn commit_permit(&self) -> CommitPermit {
        Arc::clone(&self.committing).lock_owned().await
    }

    /// Whether the store lost the account, so that everything in memory must be saved.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Relaxed)
    }

    /// Checks whether the file is still the one that everything was saved to; [`Self::is_behind`] returns the result.
    pub(super) async fn check(&self, now: Timestamp) {
        let this = self.clone();
        let check = move || this.store.check(this.generation.load(Ordering::Relaxed));
        if let Ok(Err(error)) = self.written(tokio::task::spawn_blocking(check)).await {
            self.save_failed(&error, now);
        }
    }

    /// Saves all or nothing, on a thread that may wait for the disk. Returns what was saved, without the operations, and the permit;
    /// `None` after a failure.
    ///
    /// With `registered`, the batch is the whole account, and these are all its registrations. The save continues if the caller stops
    /// waiting.
    pub(super) async fn save(
        &self,
        permit: CommitPermit,
        mut batch: ToSave,
        registered: Option<ListedOperations>,
        now: Timestamp,
    ) -> Option<(ToSave, CommitPermit)> {
        self.instruments.save_begins(&self.account, Instant::now());
        let this = self.clone();
        let commit = move || {
            if let Some(registered) = registered {
                this.begin_anew(registered)?;
            }
            this.commit(&batch)?;
            free_in_parts(&mut batch.operations);
            Ok((batch, permit))
        };
        let this = self.clone();
        let committing = tokio::task::spawn_blocking(commit);
        let saving = tokio::spawn(async move { this.committed(committing, now).await });
        saving.await.ok().flatten()
    }

    /// Waits for a commit and notes its result.
    async fn committed(
        &self,
        committing: JoinHandle<Result<(ToSave, CommitPermit), StoreError>>,
        now: Timestamp,
    ) -> Option<(ToSave, CommitPermit)> {
        match self.written(committing).await {
            Ok(Ok(saved)) => {
                self.instruments.saved(&self.account, now);
                if works(&self.failures.saving) {
                    tracing::info!(account = %self.account, "counters are saved again");
                }
                Some(saved)
            }
            Ok(Err(error)) => {
                self.save_failed(&error, now);
                None
            }
            // The exporter is stopping, or a bug made the store panic.
            Err(_) => {
                self.instruments.save_failed();
                None
            }
        }
    }

    /// Waits for a write to the store, and logs it if it takes long.
    async fn written<T>(&self, mut writing: JoinHandle<T>) -> Result<T, JoinError> {
        let began = Instant::now();
        loop {
            if let Ok(written) = timeout(SLOW, &mut writing).await {
                // If every commit is slow, that is one failure, which ends with the first fast commit.
                if began.elapsed() < SLOW && works(&self.failures.slow) {
                    tracing::info!(account = %self.account, "saving is fast again");
                }
                return written;
            }
            if fails(&self.failures.slow, "slow") {
                let seconds = began.elapsed().as_secs();
                tracing::error!(account = %self.account, seconds, "saving takes too long: the disk does not respond; counters keep their last saved values");
            }
        }
    }

    /// Counts a failed save, and logs it unless the previous one failed in the same way.
    pub(super) fn save_failed(&self, error: &StoreError, now: Timestamp) {
        self.notice(error, now);
        if matches!(error, StoreError::Found { .. }) {
            // The file's content is loaded immediately, and saving continues.
            return;
        }
        self.instruments.save_failed();
        self.instruments.save_begins(&self.account, Instant::now());
        let error = error_chain(error);
        if fails(&self.failures.saving, &error) {
            let error = diagnosis::unsaved(Some(&error)).log_text();
            tracing::error!(account = %self.account, error, "cannot save counters; they keep their last saved values");
        }
    }

    /// Saves registrations, and deletes those without labels. Like [`Self::save`], all or nothing.
    pub(super) async fn register(
        &self,
        operations: Vec<(OperationId, Option<Labels>)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let this = self.clone();
        let keep = move || this.store.register(&this.account, &operations);
        let kept = self.written(tokio::task::spawn_blocking(keep)).await;
        let kept = kept.unwrap_or(Err(StoreError::Stopped));
        match &kept {
            Ok(()) => {
                if works(&self.failures.registering) {
                    tracing::info!(account = %self.account, "registrations are saved again");
                }
            }
            Err(error) => {
                self.notice(error, now);
                let error = error_chain(error);
                if fails(&self.failures.registering, &error) {
                    tracing::error!(account = %self.account, error, "cannot save registrations");
                }
            }
        }
        kept
    }

    /// Deletes saved operations created before `before`, a bounded number at a time. A failure only costs disk space.
    pub(super) async fn purge(&self, before: Timestamp) {
        let this = self.clone();
        let purge = move || this.store.purge(&this.account, before);
        let purged = self.written(tokio::task::spawn_blocking(purge)).await;
        if let Ok(Err(error)) = purged {
            tracing::debug!(account = %self.account, error = error_chain(&error), "cannot delete expired operations from the store");
        }
    }

    /// Saves the registrations in the new file; from now on the account is saved there.
    fn begin_anew(&self, registered: ListedOperations) -> Result<(), StoreError> {
        let generation = self.store.generation();
        let registered: Vec<_> = registered
            .into_iter()
            .map(|(id, labels)| (id, Some(labels)))
            .collect();
        if !registered.is_empty() {
            self.store.register(&self.account, &registered)?;
        }
        self.generation.store(generation, Ordering::Relaxed);
        self.is_behind.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the account's saved state must be loaded before anything can be saved: the store could not be opened when the exporter
    /// started, and can be opened now.
    pub(super) fn is_to_be_loaded(&self) -> bool {
        self.is_unloaded.load(Ordering::Relaxed)
            && self.store.generation() != self.generation.load(Ordering::Relaxed)
    }

    /// The saved state of the account, read by `read` on a thread that may wait for the disk, with its generation for [`Self::loaded`].
    pub(super) async fn load<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(T, u64), StoreError> {
        let store = Arc::clone(&self.store);
        let load = move || {
            let generation = store.generation();
            Ok((read(&store)?, generation))
        };
        let loaded = self.written(tokio::task::spawn_blocking(load)).await;
        loaded.unwrap_or(Err(StoreError::Stopped))
    }

    /// Whether the store must be opened by [`Self::open_waiting`] before it can be read.
    pub(super) fn is_waiting(&self) -> bool {
        self.store.is_waiting()
    }

    /// Opens a store that is not open yet, on a thread that may wait for the disk. If that fails, every save tries again.
    pub(super) async fn open_waiting(&self, now: Timestamp) {
        let store = Arc::clone(&self.store);
        let open = tokio::task::spawn_blocking(move || store.open_waiting());
        if let Ok(Err(error)) = open.await {
            self.save_failed(&error, now);
        }
    }

    /// Reads from the store on this thread, which waits for the disk.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Store) -> T) -> T {
        read(&self.store)
    }

    /// Whether the store is on a disk.
    pub(super) fn is_durable(&self) -> bool {
        self.store.is_durable()
    }

    /// How long the oldest change has waited to be saved, if a save failed or takes longer than [`SLOW`].
    pub(super) fn unsaved_for(&self) -> Option<(Duration, Option<String>)> {
        let waits = self.instruments.unsaved_for(&self.account)?;
        let error = self.failures.saving.lock().error().cloned();
        (error.is_some() || waits >= SLOW).then_some((waits, error))
    }

    /// Counts a registry that was rebuilt at `now` after a panic.
    pub(super) fn registry_rebuilt(&self, now: Timestamp) {
        self.instruments.registry_rebuilt(now);
    }

    /// Notes that the registry has loaded the store's content in `generation`: from now on the account is saved there.
    pub(super) fn loaded(&self, generation: u64) {
        self.generation.store(generation, Ordering::Relaxed);
        self.is_unloaded.store(false, Ordering::Relaxed);
    }

    fn notice(&self, error: &StoreError, now: Timestamp) {
        if matches!(
            error,
            StoreError::Vanished { .. } | StoreError::Found { .. }
        ) {
            // An account that was never loaded has nothing that the new file lacks.
            let is_behind = !self.is_unloaded.load(Ordering::Relaxed);
            self.is_behind.store(is_behind, Ordering::Relaxed);
            self.instruments.files_lost(self.store.files_lost(), now);
        }
    }

    /// Saves all or nothing.
    pub(super) fn commit(&self, batch: &ToSave) -> Result<(), StoreError> {
        self.store.commit(&Batch {
            account: &self.account,
            standing: &batch.account,
            operations: &batch.operations,
            groups: &batch.groups,
            removed: &batch.removed,
            generation: self.generation.load(Ordering::Relaxed),
        })?;
        // The store now has everything known about the account.
        self.is_unloaded.store(false, Ordering::Relaxed);
        Ok(())
    }
}

fn fails(failure: &Lock<OngoingFailure<String>>, error: &str) -> bool {
    failure.lock().failed(error.to_owned(), Instant::now())
}

fn works(failure: &Lock<OngoingFailure<String>>) -> bool {
    failure.lock().recovered()
}

#[cfg(test)]
mod tests;
