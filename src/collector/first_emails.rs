//! Reads the first email of operations, for its tags and for `scheduledFor`: one request for each operation, once.
//!
//! First emails are read after a collection, on a task of their own: scrapes wait for stats, and labels may come with the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::budget::RequestBudget;
use super::ledger::Ledger;
use super::list_backoff::ListBackoff;
use super::list_log::{ListLog, ListReader};
use super::runner::{Run, Runner};
use super::settings::AccountSettings;
use crate::operation::OperationId;
use crate::snapshot::{CollectorName, CollectorStatus};
use crate::twilio::ApiError;

/// Reads emails at most this fraction of the account's requests at once: Twilio may leave them without a response for as long as
/// the request timeout, and operations need the rest.
const SHARE_OF_CONCURRENCY: usize = 2;

/// Reads the first emails of one account.
#[derive(Debug)]
pub(super) struct FirstEmails {
    ledger: Arc<Ledger>,
    log: Arc<ListLog>,
    backoff: Mutex<ListBackoff>,
    /// The last finished run that had something to read.
    last: Mutex<Option<CollectorStatus>>,
    runner: Runner<()>,
}

impl FirstEmails {
    pub(super) fn new(ledger: Arc<Ledger>, log: Arc<ListLog>) -> Self {
        Self {
            ledger,
            log,
            backoff: Mutex::new(ListBackoff::after_failures()),
            last: Mutex::new(None),
            runner: Runner::default(),
        }
    }

    /// Begins to read first emails that are wanted and not known, or joins the run that does.
    pub(super) fn begin(
        self: &Arc<Self>,
        settings: Arc<AccountSettings>,
        budget: &RequestBudget,
    ) -> Run<()> {
        let this = Arc::clone(self);
        let most = budget.left_for_first_emails();
        self.runner
            .begin(|_| async move { this.read(&settings, most).await })
    }

    /// The current run.
    pub(super) fn current(&self) -> Option<Run<()>> {
        self.runner.current()
    }

    /// The last finished run that had something to read.
    pub(super) fn status(&self) -> Option<CollectorStatus> {
        *self.last.lock()
    }

    /// Applies a reloaded configuration.
    pub(super) fn apply_settings(&self, settings: &AccountSettings) {
        if !settings.wants_first_emails() {
            self.log.forget(ListReader::Tags);
        }
    }

    pub(super) fn stop(&self) {
        self.runner.stop();
    }

    /// Reads at most `most` emails, until Twilio refuses one.
    async fn read(&self, settings: &AccountSettings, most: usize) {
        if !self.backoff.lock().is_due(self.ledger.instant()) {
            return;
        }
        let ids = self.ledger.lock().without_first_email(most);
        if ids.is_empty() {
            return;
        }
        let began = Instant::now();
        let has_failed = AtomicBool::new(false);
        let read = |id| {
            let has_failed = &has_failed;
            async move {
                if !has_failed.load(Ordering::Relaxed) && !self.read_one(settings, id).await {
                    has_failed.store(true, Ordering::Relaxed);
                }
            }
        };
        // The first one alone: if the account may not list emails, this is the only request.
        let mut ids = ids.into_iter();
        if let Some(first) = ids.next() {
            read(first).await;
        }
        let at_once = (settings.limits.concurrent_requests / SHARE_OF_CONCURRENCY).max(1);
        futures_util::stream::iter(ids)
            .for_each_concurrent(at_once, read)
            .await;
        *self.last.lock() = Some(CollectorStatus {
            name: CollectorName::Tags,
            success: !has_failed.load(Ordering::Relaxed),
            duration: began.elapsed(),
        });
        self.ledger.save().await;
    }

    /// Returns whether it succeeded.
    async fn read_one(&self, settings: &AccountSettings, id: OperationId) -> bool {
        let read = settings.client.first_email(id).await;
        match read {
            Ok(first) => {
                self.log.succeeded(ListReader::Tags);
                self.backoff.lock().succeeded();
                let mut registry = self.ledger.lock();
                match first {
                    Some(first) => {
                        registry.tagged(id, Some(&Arc::new(first.tags)));
                        registry.scheduled_for(id, first.scheduled_for);
                    }
                    None => registry.first_email_not_found(id),
                }
                true
            }
            // The next collection after the pause tries again.
            Err(ApiError::Paused { .. }) => false,
            Err(error) => {
                let login = settings.client.login();
                self.log.failed(ListReader::Tags, &error, login);
                self.backoff.lock().failed(&error, self.ledger.instant());
                false
            }
        }
    }
}
