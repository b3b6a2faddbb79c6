//! One account's registry and its store: everything read is ingested here, and saved before it is exposed.
//!
//! The registry's lock is held for computations only, never across the disk or the network. A panic while it is held
//! poisons the lock; the next caller that takes it rebuilds the registry from the store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::{RwLock, RwLockWriteGuard};
use tokio::time::timeout;

use super::account_store::{AccountStore, error_chain};
use super::restore;
use super::runner::{Run, Runner};
use super::saved_lookup::{Loaded, SavedLookup};
use crate::clock::Clock;
use crate::diagnosis::Ongoing;
use crate::operation::{Operation, OperationId, RETENTION};
use crate::registry::{Observed, Page, Registry, Source, View};
use crate::snapshot::{Labels, ListedOperations};
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Client};

/// The longest time that a page of the list, a probe or a snapshot waits for a save. After that, gauges are current, and
/// counters keep their last saved values.
const SAVE_WAIT: Duration = Duration::from_millis(200);
/// The longest time that the end of a collection waits for its save.
const LAST_SAVE_WAIT: Duration = Duration::from_secs(2);
/// How often expired operations are deleted from the store.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);
/// High-water marks are kept three times as long as Twilio keeps an operation: a clock that jumps ahead and back must not make
/// an operation count twice.
const MARKS_KEPT: Duration = RETENTION.saturating_mul(3);

/// The registry of one account and its store.
#[derive(Debug)]
pub(super) struct Ledger {
    name: Arc<str>,
    clock: Clock,
    registry: Mutex<Registry>,
    pub(super) store: AccountStore,
    /// Read-locked while responses are applied; write-locked while a snapshot saves them.
    ingest_gate: RwLock<()>,
    /// Held from loading saved operations until they are merged, so that they are current when they are merged.
    ingest_turn: tokio::sync::Mutex<()>,
    /// Held from the save of a registration until it is applied, and while the registry is loaded.
    registration_turn: tokio::sync::Mutex<()>,
    saves: Runner<()>,
    /// The work after a collection.
    upkeep: Runner<()>,
    /// A caller stopped waiting for a save that is still running.
    save_stalled: AtomicBool,
    saved_lookup: SavedLookup,
    /// The saved state is not loaded yet: the store's file is large and still has to be opened.
    is_loading: AtomicBool,
    /// A save failed since the last collection began. Another one would fail again, and be counted again.
    save_failed: AtomicBool,
    last_purge: parking_lot::Mutex<Option<Instant>>,
}

impl Ledger {
    pub(super) fn new(registry: Registry, store: AccountStore, clock: Clock) -> Self {
        Self {
            name: Arc::clone(store.account()),
            clock,
            registry: Mutex::new(registry),
            saved_lookup: SavedLookup::new(store.clone()),
            is_loading: AtomicBool::new(store.is_waiting()),
            store,
            ingest_gate: RwLock::default(),
            ingest_turn: tokio::sync::Mutex::default(),
            registration_turn: tokio::sync::Mutex::default(),
            saves: Runner::default(),
            upkeep: Runner::default(),
            save_stalled: AtomicBool::new(false),
            save_failed: AtomicBool::new(false),
            last_purge: parking_lot::Mutex::new(None),
        }
    }

    pub(super) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The time of day.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Monotonic time, for intervals.
    pub(super) fn instant(&self) -> Instant {
        self.clock.instant()
    }

    /// Locks the registry. Do not hold the guard across an `await`.
    pub(super) fn lock(&self) -> MutexGuard<'_, Registry> {
        #[cfg(test)]
        crate::registry::visits::note_lock();
        self.registry.lock().unwrap_or_else(|poisoned| {
            let mut registry = poisoned.into_inner();
            self.repair(&mut registry);
            self.registry.clear_poison();
            registry
        })
    }

    /// Replaces a registry in which something panicked. This blocks the thread for as long as a start does, because nothing
    /// must read the registry before.
    fn repair(&self, damaged: &mut Registry) {
        let now = self.now();
        self.store.registry_rebuilt(now);
        match restore::replace_damaged(&self.store, damaged, now) {
            Ok(()) => {
                tracing::error!(account = %self.name, "the registry of operations panicked and was rebuilt from the store; please report this bug with the lines above");
            }
            Err(error) => {
                tracing::error!(account = %self.name, error = error_chain(&error), "the registry of operations panicked and cannot be rebuilt from the store; some operations may be missing until the exporter restarts");
            }
        }
    }

    /// Ingests operations that `client` has read. The collection or probe began at `since`.
    pub(super) async fn ingest(
        &self,
        operations: Vec<Operation>,
        since: Timestamp,
        client: &Client,
    ) -> Observed {
        let _turn = self.ingest_turn.lock().await;
        let mut loaded = Loaded::default();
        self.lock().prepare(&operations);
        loop {
            let ids: Vec<_> = missing(&self.lock(), &operations, &loaded).collect();
            self.saved_lookup.load(ids, &mut loaded).await;
            let _open = self.ingest_gate.read().await;
            let mut registry = self.lock();
            // An operation may have left memory while others were loaded.
            if missing(&registry, &operations, &loaded).next().is_some() {
                continue;
            }
            let (skew, now) = (client.clock_skew(), self.now());
            if let Some(was) = registry.decide_birth(skew, now) {
                tracing::warn!(account = %self.name, %was, "the saved start of counting is in the future, because this machine's clock was ahead; counting starts now");
            }
            let saved = |id| loaded.saved(id);
            let observed = registry.observe(operations, saved, since, now);
            let unexpected = registry.take_unexpected();
            drop(registry);
            client.note_unexpected(unexpected);
            return observed;
        }
    }

    /// Returns once a load of saved operations takes too long, because the disk hangs.
    pub(super) async fn load_stalled(&self) {
        self.saved_lookup.stalled().await;
    }

    /// Notes that an operation could not be read. Returns whether that is new.
    pub(super) fn read_failed(&self, id: OperationId, error: &ApiError) -> bool {
        let now = self.now();
        error
            .reason()
            .is_some_and(|reason| self.lock().fail(id, reason, now))
    }

    /// Whether the state survives the process.
    pub(super) fn is_durable(&self) -> bool {
        self.store.is_durable()
    }

    /// When changes began to wait to be saved, if that is longer ago than a save takes.
    pub(super) fn unsaved(&self) -> Option<Ongoing<Option<String>>> {
        let (waits, what) = self.store.unsaved_for()?;
        let since = self.now() - waits;
        Some(Ongoing { what, since })
    }

    /// Everything known about one operation.
    pub(super) fn view(&self, id: OperationId) -> Option<View> {
        let mut registry = self.lock();
        self.expire(&mut registry);
        registry.presenter().view(id)
    }

    /// At most `most` operations after `after` for which `wanted` holds, ordered by id.
    pub(super) fn views(
        &self,
        after: Option<OperationId>,
        most: usize,
        wanted: &dyn Fn(&View) -> bool,
    ) -> Page {
        let mut registry = self.lock();
        self.expire(&mut registry);
        registry.presenter().views(after, most, wanted)
    }

    /// Removes expired operations, and logs those that a source lists.
    pub(super) fn expire(&self, registry: &mut Registry) {
        for id in registry.expire(self.now()) {
            tracing::info!(account = %self.name, operation = %id, "an operation has expired after 7 days; the exporter no longer polls it");
        }
    }

    /// Waits until no other registration is being saved and applied. Hold the guard until yours is.
    pub(super) async fn registration_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.registration_turn.lock().await
    }

    /// Saves registrations; those without labels are deleted.
    pub(super) async fn save_registrations(
        &self,
        registrations: &[(OperationId, Option<Labels>)],
    ) -> Result<(), crate::store::StoreError> {
        if registrations.is_empty() {
            return Ok(());
        }
        self.store
            .register(registrations.to_vec(), self.now())
            .await
    }

    /// Call this when a collection begins: it tries a failed save again.
    pub(super) fn retry_failed_save(&self) {
        self.save_failed.store(false, Ordering::Relaxed);
    }

    /// Saves what changed; from then on it is exposed as counted. A save that takes longer than [`SAVE_WAIT`] continues in
    /// the background. After a failure, the next collection tries again.
    pub(super) async fn save(self: &Arc<Self>) {
        self.save_within(SAVE_WAIT).await;
    }

    /// Saves at the end of a collection. Checks first that the store's file is still the one that everything was saved to, and
    /// deletes expired operations afterwards.
    pub(super) async fn finish_collection(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let finish = self.upkeep.begin(|_| async move {
            this.store.check(this.now()).await;
            this.save_changes().await;
            this.purge().await;
        });
        if !self.save_stalled.load(Ordering::Relaxed) {
            self.wait_for(&finish, LAST_SAVE_WAIT).await;
        }
    }

    /// Begins no further save. A commit that runs is finished.
    pub(super) fn stop(&self) {
        self.saves.stop();
        self.upkeep.stop();
    }

    async fn save_within(self: &Arc<Self>, limit: Duration) {
        // A save that is already running may lack the last changes; the next one has them all.
        for _ in 0..2 {
            if !self.is_save_needed() || self.save_stalled.load(Ordering::Relaxed) {
                return;
            }
            let this = Arc::clone(self);
            let save = self
                .saves
                .begin(|_| async move { this.save_changes().await });
            self.wait_for(&save, limit).await;
        }
    }

    async fn wait_for(&self, save: &Run<()>, limit: Duration) {
        if timeout(limit, save.finished()).await.is_err() {
            self.save_stalled.store(true, Ordering::Relaxed);
        }
    }

    async fn save_changes(&self) {
        while self.is_save_needed() && self.save_once().await {}
    }

    /// Saves what changed. Until the guard is dropped nothing is ingested, so a snapshot shows what is saved, unless saving
    /// stalls or fails.
    pub(super) async fn save_and_close(self: &Arc<Self>) -> RwLockWriteGuard<'_, ()> {
        // The gate is read-locked for computations only, so this wait is short.
        let closed = self.ingest_gate.write().await;
        self.save().await;
        closed
    }

    fn is_save_needed(&self) -> bool {
        self.needs_save(&self.lock(), self.store.is_behind())
    }

    fn needs_save(&self, registry: &Registry, is_behind: bool) -> bool {
        !self.save_failed.load(Ordering::Relaxed)
            && !self.is_loading()
            && (is_behind || !registry.is_saved())
    }

    /// Whether the saved state is not loaded yet. Until then nothing is collected or counted.
    pub(super) fn is_loading(&self) -> bool {
        self.is_loading.load(Ordering::Acquire)
    }

    /// Opens a store that is not open yet, and loads the saved state. Scrapes are served meanwhile.
    pub(super) async fn finish_loading(&self) {
        if !self.is_loading() {
            return;
        }
        tracing::info!(account = %self.name, "loading the saved state");
        self.store.open_waiting(self.now()).await;
        if self.store.is_to_be_loaded() {
            self.load().await;
        }
        self.is_loading.store(false, Ordering::Release);
        tracing::info!(account = %self.name, operations = self.lock().size(), "loaded the saved state");
    }

    /// Loads the saved state, from a store that could not be opened at the start. Returns whether it succeeded.
    async fn load(&self) -> bool {
        let _turn = self.registration_turn().await;
        let Some((restored, generation)) = restore::load(&self.store, self.now()).await else {
            self.save_failed.store(true, Ordering::Relaxed);
            return false;
        };
        restore::merge(&mut self.lock(), restored, self.now());
        // The turn ends once all registrations are in the registry.
        self.catch_up().await;
        self.store.loaded(generation);
        true
    }

    /// Returns whether to try again immediately: the store has lost its content and can save all of it again, or has content that must be
    /// loaded first.
    async fn save_once(&self) -> bool {
        if self.store.is_to_be_loaded() && !self.load().await {
            return false;
        }
        let permit = self.store.commit_permit().await;
        let is_behind = self.store.is_behind();
        {
            let mut registry = self.lock();
            if !self.needs_save(&registry, is_behind) {
                return false;
            }
            if is_behind {
                registry.lost();
            }
        }
        let batch = self.collect_unsaved().await;
        let registered: Option<ListedOperations> =
            is_behind.then(|| self.lock().presenter().all_listed_by(&Source::Api));
        let saved = self.store.save(permit, batch, registered, self.now()).await;
        self.save_stalled.store(false, Ordering::Relaxed);
        match saved {
            Some((saved, permit)) => {
                self.lock().saved(&saved);
                drop(permit);
                self.in_slices(Registry::forget_saved).await;
                // A caller may have stopped waiting meanwhile, but the save does not run any more.
                self.save_stalled.store(false, Ordering::Relaxed);
            }
            None if !is_behind && self.store.is_behind() => return true,
            None if self.store.is_to_be_loaded() => return true,
            None => self.save_failed.store(true, Ordering::Relaxed),
        }
        false
    }

    /// Deletes expired operations from the store, at most every [`PURGE_INTERVAL`]. "Now" is the creation time of the newest
    /// operation, because this machine's clock may be far ahead.
    async fn purge(&self) {
        {
            let now = self.instant();
            let mut last = self.last_purge.lock();
            if last.is_some_and(|last| now.saturating_duration_since(last) < PURGE_INTERVAL) {
                return;
            }
            *last = Some(now);
        }
        let newest = self.lock().agenda().newest();
        if let Some(newest) = newest {
            self.store.purge(newest.min(self.now()) - MARKS_KEPT).await;
        }
    }
}

/// The operations that are neither in memory nor loaded.
fn missing<'a>(
    registry: &'a Registry,
    operations: &'a [Operation],
    loaded: &'a Loaded,
) -> impl Iterator<Item = OperationId> + 'a {
    operations
        .iter()
        .map(|operation| operation.id)
        .filter(|id| !registry.presenter().has(*id) && !loaded.has(*id))
}

#[cfg(test)]
mod tests;
