//! One account's emails in memory and in the store. Rows are ingested here, and saved before they are exposed.
//!
//! The lock is held for computations only, never across the disk or the network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};

use super::held_rows::HeldRows;
use super::store::{Committed, EmailStore};
use super::time_slices::{DueInput, Slices};
use crate::clock::Clock;
use crate::collector::settings::AccountSettings;
use crate::config::EmailsCollector;
use crate::delivery::{Deliveries, EmailLimits};
use crate::email::{Email, EmailId, EmailStatus, Providers};
use crate::exposition::StateInstruments;
use crate::mx::MxProviders;
use crate::operation::RETENTION;
use crate::snapshot::{EmailCounters, EmailsSnapshot, LabelValue, UNCONFIRMED_AGES, Unconfirmed};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// How often expired emails are deleted from the store.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);
/// After the store has lost its file, everything is saved once more. A file that vanishes again waits for the next run.
const SAVES: usize = 2;

/// The emails of one account and their store.
#[derive(Debug)]
pub(super) struct EmailLedger {
    name: Arc<str>,
    clock: Clock,
    /// `None` while emails are not collected, and until they are loaded.
    emails: Mutex<Option<Deliveries>>,
    /// Locked after `emails`.
    held: Mutex<HeldRows>,
    store: EmailStore,
    last_purge: Mutex<Option<Instant>>,
}

impl EmailLedger {
    pub(super) fn new(
        name: Arc<str>,
        store: Arc<Store>,
        instruments: StateInstruments,
        clock: Clock,
    ) -> Self {
        Self {
            store: EmailStore::new(Arc::clone(&name), store, instruments),
            name,
            clock,
            emails: Mutex::new(None),
            held: Mutex::default(),
            last_purge: Mutex::new(None),
        }
    }

    pub(super) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Monotonic time, for intervals.
    pub(super) fn instant(&self) -> Instant {
        self.clock.instant()
    }

    /// Whether the saved state is in memory.
    pub(super) fn is_loaded(&self) -> bool {
        self.emails.lock().is_some()
    }

    /// Loads the saved state, unless it is loaded. Returns whether it is loaded.
    pub(super) async fn load(&self, settings: &AccountSettings) -> bool {
        if self.is_loaded() {
            return true;
        }
        let limits = limits(&settings.emails);
        let mut empty = Deliveries::new(Arc::clone(&settings.providers), &limits);
        set_labels(&mut empty, settings);
        let Some(loaded) = self.store.load(empty).await else {
            return false;
        };
        *self.emails.lock() = Some(loaded);
        true
    }

    /// Applies a new configuration.
    pub(super) fn reconfigure(&self, settings: &AccountSettings) {
        if let Some(mut emails) = self.lock() {
            let providers = Arc::clone(&settings.providers);
            emails.reconfigure(providers, &limits(&settings.emails));
            set_labels(&mut emails, settings);
        }
    }

    /// Uses these lookups from now on, for domains that the table of providers does not have.
    pub(super) fn set_exchangers(
        &self,
        exchangers: Option<&Arc<MxProviders>>,
        providers: &Arc<Providers>,
    ) {
        if let Some(mut emails) = self.lock() {
            emails.set_exchangers(exchangers.cloned());
            let mut held = self.held.lock();
            held.set_exchangers(exchangers.cloned(), Arc::clone(providers));
        }
    }

    /// Removes everything from memory, because emails are not collected any more. The store keeps its state.
    pub(super) fn unload(&self) {
        *self.emails.lock() = None;
        self.held.lock().clear();
        self.stop();
    }

    /// Makes no further save.
    pub(super) fn stop(&self) {
        self.store.stop();
    }

    /// The emails in memory, if they are loaded. Do not hold the guard across an `await`.
    pub(super) fn lock(&self) -> Option<MappedMutexGuard<'_, Deliveries>> {
        MutexGuard::try_map(self.emails.lock(), Option::as_mut).ok()
    }

    /// Ingests the rows of a page at `now`, by Twilio's clock.
    /// `labels` are those of each email's operation.
    pub(super) fn ingest(&self, rows: &[Email], labels: &[Vec<LabelValue>], now: Timestamp) {
        if let Some(mut emails) = self.lock() {
            emails.begin(now);
            let (mut held, instant) = (self.held.lock(), self.instant());
            for (at, row) in rows.iter().enumerate() {
                let labels = labels.get(at).map_or(&[][..], Vec::as_slice);
                if !held.hold(row, labels, &emails, now, instant) {
                    emails.ingest_labeled(row, labels, now);
                }
            }
        }
    }

    /// Ingests held rows that need not wait for their provider any longer.
    pub(super) fn ingest_released(&self, now: Timestamp) {
        if let Some(mut emails) = self.lock() {
            let released = self.held.lock().release(self.instant());
            for (row, labels) in released {
                emails.ingest_labeled(&row, &labels, now);
            }
        }
    }

    /// Calls `decide` with the input for deciding which emails are due.
    pub(super) fn due<T>(
        &self,
        now: Timestamp,
        since: Timestamp,
        by_status: bool,
        page_rows: u32,
        decide: impl FnOnce(&DueInput<'_>) -> T,
    ) -> Option<T> {
        let emails = self.lock()?;
        let statuses = |from, until| emails.statuses_created(from, until);
        Some(decide(&DueInput {
            statuses: by_status.then_some(&statuses as &dyn Fn(_, _) -> _),
            now,
            since,
            born: emails.born(),
            open: &|from, until| emails.open_created(from, until),
            wants_baseline: !emails.is_half_full(),
            page_rows,
        }))
    }

    /// The known emails created between two times that have this status.
    pub(super) fn known(
        &self,
        status: EmailStatus,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<EmailId> {
        let emails = self.lock();
        emails.map_or_else(Vec::new, |emails| emails.created_with(status, from, until))
    }

    /// The slices that were read before the exporter started.
    pub(super) fn restored_slices(&self) -> Option<Slices> {
        let (from, until) = self.lock()?.read_range()?;
        Some(Slices::restored(from, until))
    }

    /// Notes how far the account was read, to be saved with the next change.
    pub(super) fn note_range(&self, range: Option<(Timestamp, Timestamp)>) {
        if let Some(mut emails) = self.lock() {
            emails.set_read_range(range);
        }
    }

    /// Ends a run that read everything due.
    pub(super) fn end(&self) {
        if let Some(mut emails) = self.lock() {
            emails.end();
        }
    }

    /// Saves what changed; from then on it is exposed. Returns whether everything is saved.
    pub(super) async fn save(&self) -> bool {
        for _ in 0..SAVES {
            let take = || {
                let mut emails = self.lock()?;
                let changes = emails.changes();
                if !changes.needs_save() {
                    if emails.shown().is_some() {
                        emails.saved(&changes);
                    }
                    return None;
                }
                Some(changes)
            };
            match self.store.commit(take, self.now()).await {
                None => return true,
                Some(Committed::Saved(changes, permit)) => {
                    if let Some(mut emails) = self.lock() {
                        emails.saved(&changes);
                    }
                    drop(permit);
                    return true;
                }
                Some(Committed::Lost) => {
                    if let Some(mut emails) = self.lock() {
                        emails.lost();
                    }
                }
                Some(Committed::Failed) => return false,
            }
        }
        false
    }

    /// Removes emails that have expired at `now`, by Twilio's clock.
    pub(super) async fn expire(&self, now: Timestamp) {
        if let Some(mut emails) = self.lock() {
            emails.expire(now);
        }
        {
            let instant = self.instant();
            let mut last = self.last_purge.lock();
            if last.is_some_and(|last| instant.saturating_duration_since(last) < PURGE_INTERVAL) {
                return;
            }
            *last = Some(instant);
        }
        self.store.purge(now - RETENTION).await;
    }

    /// Notes that a scrape exposed what [`Self::snapshot`] returned last.
    pub(super) fn exposed(&self) {
        if let Some(mut emails) = self.lock() {
            emails.exposed();
        }
    }

    /// What a scrape exposes at `now`, by Twilio's clock, and the unconfirmed emails, once emails have been saved.
    pub(super) fn snapshot(&self, now: Timestamp) -> (EmailsSnapshot, Option<Unconfirmed>) {
        let Some(emails) = self.lock() else {
            return (EmailsSnapshot::default(), None);
        };
        let counters = emails.shown().map(EmailCounters::exposed);
        let unconfirmed = counters
            .is_some()
            .then(|| UNCONFIRMED_AGES.map(|(_, age)| emails.unconfirmed(age, now) as u64));
        let snapshot = EmailsSnapshot {
            left_out: emails.left_out(),
            counters,
            ..EmailsSnapshot::default()
        };
        (snapshot, unconfirmed)
    }
}

fn set_labels(emails: &mut Deliveries, settings: &AccountSettings) {
    let series = &settings.series;
    emails.set_labels(&series.aggregate_by, series.max_label_values);
}

fn limits(config: &EmailsCollector) -> EmailLimits {
    EmailLimits {
        max_emails: config.max_emails,
        max_recipient_domains: config.max_domains,
        max_sender_domains: config.max_sender_domains,
    }
}
