//! One account: its collections, probes and registrations. It composes the parts and has no rules of its own.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::account_status::{AccountOverview, AccountStatus};
use super::budget::RequestBudget;
use super::collection::{Collection, CollectionResult};
use super::email_probe::{EmailReads, ProbedEmails};
use super::emails::Emails;
use super::failure_log::FailureLog;
use super::first_emails::FirstEmails;
use super::history::{self, Finished, History};
use super::ledger::Ledger;
use super::list_health::ListHealth;
use super::probe::{self, Probed};
use super::progress::Progress;
use super::registrations::{Registered, Registrations, Unregistered};
use super::runner::{Run, Runner};
use super::settings::AccountSettings;
use super::shared_reads::OperationReads;
use super::source_sync::SourceSync;
use crate::diagnosis::AccountFacts;
use crate::operation::{CountingMode, OperationId};
use crate::registry::{Page, Registry, Source, View};
use crate::snapshot::{AccountSnapshot, CollectionStatus, CollectorStatus, Labels};
use crate::store::StoreError;
use crate::timestamp::Timestamp;

/// One account.
#[derive(Debug)]
pub struct Account {
    settings: Mutex<Arc<AccountSettings>>,
    ledger: Arc<Ledger>,
    sources: Arc<SourceSync>,
    registrations: Arc<Registrations>,
    reads: OperationReads,
    email_reads: EmailReads,
    lists: Mutex<ListHealth>,
    log: FailureLog,
    collections: Runner<Progress>,
    history: Mutex<History>,
    /// When the series limit began to hide operations.
    hides_since: Mutex<Option<Timestamp>>,
    first_emails: Arc<FirstEmails>,
    emails: Arc<Emails>,
}

impl Account {
    pub(super) fn new(settings: AccountSettings, ledger: Arc<Ledger>, emails: Emails) -> Self {
        let lists = Arc::clone(emails.log());
        let name = || Arc::clone(ledger.name());
        let sources = Arc::new(SourceSync::new(Arc::clone(&ledger), &settings));
        let registrations = Registrations::new(Arc::clone(&ledger), Arc::clone(&sources));
        Self {
            registrations: Arc::new(registrations),
            sources,
            reads: OperationReads::default(),
            email_reads: EmailReads::default(),
            lists: Mutex::new(ListHealth::new(name())),
            log: FailureLog::new(name(), Arc::clone(&lists)),
            collections: Runner::default(),
            history: Mutex::new(History::new(name())),
            hides_since: Mutex::default(),
            first_emails: Arc::new(FirstEmails::new(Arc::clone(&ledger), lists)),
            emails: Arc::new(emails),
            settings: Mutex::new(Arc::new(settings)),
            ledger,
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        self.ledger.name()
    }

    /// Registers operations, each with its labels; `Ok` once they are on the disk.
    ///
    /// # Errors
    /// When they cannot be saved; then none is registered.
    pub async fn register(
        &self,
        operations: Vec<(OperationId, Labels)>,
    ) -> Result<Vec<Registered>, StoreError> {
        self.registrations.register(operations).await
    }

    /// Removes a registration; `Ok` once that is on the disk.
    ///
    /// # Errors
    /// When that cannot be saved; then the operation stays registered.
    pub async fn unregister(&self, id: OperationId) -> Result<Unregistered, StoreError> {
        self.registrations.remove(id).await
    }

    /// Reads one operation now, within `budget`. Probes and collections that read it at the same time share one request.
    pub async fn probe(&self, id: OperationId, budget: Duration) -> Probed {
        let settings = self.settings();
        probe::probe(&self.ledger, &self.reads, &self.log, &settings, id, budget).await
    }

    /// Reads the emails of one operation now, within `budget`. Nothing is ingested. Calls for one operation at the same time share one
    /// read.
    pub async fn probe_emails(&self, id: OperationId, budget: Duration) -> Arc<ProbedEmails> {
        let settings = self.settings();
        self.email_reads.probe(&settings, id, budget).await
    }

    /// Whether the saved state is not loaded yet.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.ledger.is_loading()
    }

    /// Everything known about one operation.
    #[must_use]
    pub fn view(&self, id: OperationId) -> Option<View> {
        self.ledger.view(id)
    }

    /// How the account's stats overlap, as far as is known.
    #[must_use]
    pub fn counting_mode(&self) -> CountingMode {
        self.ledger.lock().presenter().counting_mode()
    }

    /// The sources that list an operation, the strongest first, each with the labels that it lists.
    #[must_use]
    pub fn listed_labels(&self, id: OperationId) -> Vec<(Source, Labels)> {
        let registry = self.ledger.lock();
        let presenter = registry.presenter();
        let sources = presenter.sources().into_iter();
        sources
            .filter_map(|source| {
                let labels = presenter.listed_by(&source, id)?.clone();
                Some((source, labels))
            })
            .collect()
    }

    /// At most `most` operations after `after` for which `wanted` holds, ordered by id.
    #[must_use]
    pub fn views(
        &self,
        after: Option<OperationId>,
        most: usize,
        wanted: &dyn Fn(&View) -> bool,
    ) -> Page {
        self.ledger.views(after, most, wanted)
    }

    /// Begins a collection, or joins the current one, and waits until it has finished or certainly cannot finish within
    /// `budget`. It continues in the background, and the next snapshot shows its results.
    pub(super) async fn collect(self: &Arc<Self>, budget: Duration) {
        let (wait, wait_for_reads) = {
            let history = self.history.lock();
            (history.wait(budget), history.wait_for_reads())
        };
        let deadline = Instant::now() + wait;
        let run = self.begin();
        if self.ledger.is_loading() {
            // Loading takes seconds. Meanwhile a scrape shows that the collection is incomplete.
            return;
        }
        tokio::select! {
            _ = timeout_at(deadline, run.finished()) => {}
            () = run.progress.exceeds(deadline) => {}
            () = self.ledger.load_stalled() => {}
            () = run.progress.reads_last(wait_for_reads.unwrap_or(budget)) => {}
        }
    }

    /// Like [`Self::collect`], but waits up to the whole budget and for emails, too. For callers that collect only once.
    pub(super) async fn collect_fully(self: &Arc<Self>, budget: Duration) {
        self.begin();
        let _ = tokio::time::timeout(budget, self.finished()).await;
    }

    /// Returns when the current collection and the current reads of emails have finished.
    pub(super) async fn finished(&self) {
        if let Some(collection) = self.collections.current() {
            collection.finished().await;
        }
        if let Some(first_emails) = self.first_emails.current() {
            first_emails.finished().await;
        }
        if let Some(emails) = self.emails.current() {
            emails.finished().await;
        }
    }

    fn begin(self: &Arc<Self>) -> Run<Progress> {
        let this = Arc::clone(self);
        self.collections
            .begin(|progress| async move { this.run(&progress).await })
    }

    async fn run(&self, progress: &Progress) {
        self.ledger.finish_loading().await;
        let (began, since) = (Instant::now(), self.ledger.now());
        self.ledger.retry_failed_save();
        self.sources.reread_files(&self.settings()).await;
        let settings = self.settings();
        self.emails.make_way(&settings);
        let budget = RequestBudget::new(&settings.limits);
        let collection = Collection {
            settings: &settings,
            ledger: &self.ledger,
            lists: &self.lists,
            reads: &self.reads,
            log: &self.log,
            progress,
            budget: &budget,
            since,
        };
        let result = collection.run().await;
        self.ledger.finish_collection().await;
        if settings.wants_first_emails() && !result.is_blocked() {
            self.first_emails.begin(Arc::clone(&settings), &budget);
        }
        if settings.emails.enabled && !result.is_blocked() {
            self.emails.begin(Arc::clone(&settings));
        }
        // Must be last: a scrape that sees the finished collection must not join it.
        self.finish(&settings, progress, result, &budget, began.elapsed());
    }

    fn finish(
        &self,
        settings: &AccountSettings,
        progress: &Progress,
        result: CollectionResult,
        budget: &RequestBudget,
        took: Duration,
    ) {
        if progress.is_accepted() && !result.is_blocked() {
            self.log.note_authenticated();
        }
        {
            let registry = self.ledger.lock();
            let agenda = registry.agenda();
            self.log
                .collection_finished(agenda.failing(), |id| agenda.is_failing(id));
        }
        self.history.lock().add(&Finished {
            result,
            progress,
            took,
            at: self.ledger.now(),
            clock_skew: settings.client.clock_skew(),
            budget_left: budget.left(),
        });
    }

    /// What a scrape exposes, whether a collection is running or not. All of it has been saved, unless saving fails or stalls.
    pub(super) async fn snapshot(&self) -> AccountSnapshot {
        let _closed = self.ledger.save_and_close().await;
        let status = self.status(self.collections.current().as_ref());
        let mut registry = self.ledger.lock();
        let snapshot = self.known_of(&mut registry, status);
        registry.exposed();
        self.emails.exposed();
        snapshot
    }

    /// The values known now, for readers other than Prometheus: the status is that of the last finished collection, and no new group
    /// counts as exposed.
    pub(super) async fn known(&self) -> AccountSnapshot {
        let _closed = self.ledger.save_and_close().await;
        let status = self.status(None);
        self.known_of(&mut self.ledger.lock(), status)
    }

    /// The values known now, and the facts about failures.
    pub(super) async fn overview(&self) -> AccountOverview {
        let snapshot = self.known().await;
        let facts = self.facts(&snapshot);
        AccountOverview { snapshot, facts }
    }

    fn facts(&self, snapshot: &AccountSnapshot) -> AccountFacts {
        AccountStatus {
            settings: &self.settings(),
            ledger: &self.ledger,
            log: &self.log,
            sources: &self.sources,
            history: &self.history.lock(),
            hides_since: *self.hides_since.lock(),
        }
        .facts(snapshot)
    }

    fn known_of(&self, registry: &mut Registry, status: CollectionStatus) -> AccountSnapshot {
        self.ledger.expire(registry);
        let mut snapshot = registry.presenter().snapshot(status);
        let hides = snapshot.without_series > 0;
        history::hold(&mut self.hides_since.lock(), hides, self.ledger.now());
        let approximate = |theirs| registry.presenter().unconfirmed(theirs);
        let mismatches = self.emails.mismatches();
        for shown in &mut snapshot.operations {
            shown.emails_mismatch = mismatches.get(&shown.id).copied();
        }
        let (emails, unconfirmed) = self.emails.snapshot(&self.settings(), approximate);
        AccountSnapshot {
            collectors: self.collectors(),
            emails,
            unconfirmed: Some(unconfirmed),
            ..snapshot
        }
    }

    /// The status while `current` is running.
    fn status(&self, current: Option<&Run<Progress>>) -> CollectionStatus {
        let history = self.history.lock();
        let settings = self.settings();
        let paused_until = settings.client.paused_until();
        let next_login_at = settings.client.next_login_at();
        let may_request = paused_until.is_none() && next_login_at.is_none();
        let up = current.map_or(history.up(), |run| run.progress.is_accepted());
        CollectionStatus {
            // During a pause no request is made, whichever request caused it.
            up: up && may_request,
            discovery_up: self.lists.lock().backoff.up(),
            complete: current.is_none() && history.complete(),
            duration: history.duration(),
            last_success: history.last_success(),
            paused_until,
            next_login_at,
            clock_skew: settings.client.clock_skew(),
        }
    }

    fn collectors(&self) -> Vec<CollectorStatus> {
        let settings = self.settings();
        let first_emails = self.first_emails.status();
        let first_emails = first_emails.filter(|_| settings.wants_first_emails());
        let emails = self.emails.status().filter(|_| settings.emails.enabled);
        self.history
            .lock()
            .status()
            .into_iter()
            .chain(first_emails)
            .chain(emails)
            .collect()
    }

    /// Whether a collection has ever finished.
    pub(super) fn has_collected(&self) -> bool {
        self.history.lock().duration().is_some()
    }

    /// Whether a collection has finished at most `age` ago.
    pub(super) fn has_collected_within(&self, age: Duration) -> bool {
        self.history.lock().has_finished_within(age)
    }

    pub(super) fn settings(&self) -> Arc<AccountSettings> {
        Arc::clone(&self.settings.lock())
    }

    /// Applies a reloaded configuration from the next collection on. Call it on a thread that may block.
    pub(super) fn apply_settings(&self, settings: AccountSettings) {
        let settings = Arc::new(settings);
        let before = std::mem::replace(&mut *self.settings.lock(), Arc::clone(&settings));
        self.ledger
            .reconfigure(&settings.series, settings.counting_mode);
        if before.discovers != settings.discovers {
            self.lists.lock().discovery_changed();
            self.log.discovery_changed();
        }
        self.sources.apply_settings(&settings, &before);
        self.ledger.catch_up_blocking();
        self.first_emails.apply_settings(&settings);
        self.emails.apply_settings(&settings);
    }

    /// Polls the URLs that list operations, at their intervals.
    pub(super) fn poll_urls(&self) {
        self.sources.poll(&self.settings());
    }

    /// Polls each URL that lists operations once.
    pub(super) async fn poll_urls_once(&self) {
        self.sources.poll_once(&self.settings()).await;
    }

    /// Aborts everything that runs.
    pub(super) fn stop(&self) {
        self.sources.stop();
        self.collections.stop();
        self.first_emails.stop();
        self.emails.stop();
        self.ledger.stop();
    }
}
