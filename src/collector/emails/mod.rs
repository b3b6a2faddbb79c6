//! Reads an account's emails. It begins after each collection of operations, on a task of its own, so a scrape never waits for it.

mod budget;
mod by_operation;
mod by_status;
mod comparing;
mod held_rows;
mod ledger;
mod list_state;
mod operation_lists;
mod reader;
mod status_plan;
mod store;
mod time_slices;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use self::budget::EmailBudget;
use self::comparing::{Mismatches, ReadEmails};
use self::ledger::EmailLedger;
use self::list_state::ListState;
use self::reader::Reader;
use self::time_slices::Slices;
use super::ledger::Ledger;
use super::list_log::{ListLog, ListReader};
use super::runner::{Run, Runner};
use super::settings::AccountSettings;
use crate::clock::Clock;
use crate::delivery::MOST_TALLIES;
use crate::exposition::StateInstruments;
use crate::operation::RETENTION;
use crate::snapshot::{CollectorName, CollectorStatus, EmailsSnapshot, Unconfirmed};
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// Once this share of the last seven days was read, unconfirmed emails are counted from the emails themselves. The rest is newer than the
/// last run.
const COVERED: f64 = 0.99;

/// Reads the emails of one account.
#[derive(Debug)]
pub(super) struct Emails {
    ledger: EmailLedger,
    operations: Arc<Ledger>,
    log: Arc<ListLog>,
    state: Mutex<ListState>,
    /// The last finished run.
    last: Mutex<Option<CollectorStatus>>,
    mismatches: Mutex<Mismatches>,
    runner: Runner<()>,
}

/// The reads of one run.
struct ListsRead {
    /// Why Twilio refused the list of all emails.
    refusal: Option<ApiError>,
    /// Whether there was a request besides the refused one.
    made_requests: bool,
    /// Whether everything due was read.
    result: Result<bool, ApiError>,
}

impl Emails {
    pub(super) fn new(
        operations: Arc<Ledger>,
        store: Arc<Store>,
        instruments: StateInstruments,
        clock: Clock,
    ) -> Self {
        let name = operations.name();
        Self {
            ledger: EmailLedger::new(Arc::clone(name), store, instruments, clock),
            state: Mutex::new(ListState::new(Arc::clone(name))),
            log: Arc::new(ListLog::new(Arc::clone(name))),
            operations,
            last: Mutex::new(None),
            mismatches: Mutex::default(),
            runner: Runner::default(),
        }
    }

    /// The log of the account's lists.
    pub(super) const fn log(&self) -> &Arc<ListLog> {
        &self.log
    }

    /// Begins a run that reads the emails that are due, or joins the current one.
    pub(super) fn begin(self: &Arc<Self>, settings: Arc<AccountSettings>) -> Run<()> {
        let this = Arc::clone(self);
        self.runner
            .begin(|_| async move { this.run(&settings).await })
    }

    /// Call this when a collection of operations begins. If an account may make one request at a time, the current one for emails is
    /// cancelled: it may get no response, and operations come first.
    pub(super) fn make_way(&self, settings: &AccountSettings) {
        if settings.limits.concurrent_requests == 1 && self.runner.current().is_some() {
            self.runner.stop();
            *self.last.lock() = None;
        }
    }

    /// The current run.
    pub(super) fn current(&self) -> Option<Run<()>> {
        self.runner.current()
    }

    /// The last finished run; `None` unless emails are collected.
    pub(super) fn status(&self) -> Option<CollectorStatus> {
        *self.last.lock()
    }

    /// The values for a scrape, and the unconfirmed emails. Until nearly all emails have been read, these come from `approximate`, which
    /// receives Twilio's time.
    pub(super) fn snapshot(
        &self,
        settings: &AccountSettings,
        approximate: impl FnOnce(Timestamp) -> Unconfirmed,
    ) -> (Option<EmailsSnapshot>, Unconfirmed) {
        let now = self.twilio_time(settings);
        if !settings.emails.enabled {
            return (None, approximate(now));
        }
        let (snapshot, unconfirmed) = self.ledger.snapshot(now);
        let state = self.state.lock();
        let is_listed = snapshot.counters.is_some() && state.unfiltered.up() != Some(false);
        let coverage = is_listed.then(|| state.slices.coverage(now));
        let is_covered = coverage.is_some_and(|share| share >= COVERED);
        let unconfirmed = unconfirmed.filter(|_| is_covered);
        let unconfirmed = unconfirmed.unwrap_or_else(|| approximate(now));
        let snapshot = EmailsSnapshot {
            foreign_rows: state.foreign_rows,
            coverage,
            ..snapshot
        };
        (Some(snapshot), unconfirmed)
    }

    /// Whether the stats of each operation and its emails disagree, as far as they can be compared.
    pub(super) fn mismatches(&self) -> Mismatches {
        Arc::clone(&self.mismatches.lock())
    }

    /// Notes that a scrape exposed what [`Self::snapshot`] returned last.
    pub(super) fn exposed(&self) {
        self.ledger.exposed();
    }

    /// Applies a reloaded configuration.
    pub(super) fn apply_settings(&self, settings: &AccountSettings) {
        if settings.emails.enabled {
            self.ledger.reconfigure(settings);
        } else {
            self.runner.stop();
            self.ledger.unload();
            *self.last.lock() = None;
            *self.mismatches.lock() = Mismatches::default();
            *self.state.lock() = ListState::new(Arc::clone(self.ledger.name()));
            self.log.forget(ListReader::Emails);
            self.log.forget(ListReader::AllEmails);
        }
    }

    /// Begins no further request or save. A commit that runs is finished.
    pub(super) fn stop(&self) {
        self.runner.stop();
        self.ledger.stop();
    }

    /// The time of day at Twilio.
    fn twilio_time(&self, settings: &AccountSettings) -> Timestamp {
        let now = self.ledger.now();
        settings
            .client
            .clock_skew()
            .map_or(now, |skew| skew.apply(now))
    }

    async fn run(&self, settings: &AccountSettings) {
        if !self.state.lock().backoff.is_due(self.ledger.instant()) {
            return;
        }
        let began = Instant::now();
        let success = self.read(settings).await;
        self.compare(settings);
        *self.last.lock() = Some(CollectorStatus {
            name: CollectorName::Emails,
            success,
            duration: began.elapsed(),
        });
    }

    /// Returns whether everything due was read and saved.
    async fn read(&self, settings: &AccountSettings) -> bool {
        let is_loaded = self.ledger.is_loaded();
        if !self.ledger.load(settings).await {
            return false;
        }
        if !is_loaded {
            self.restore();
        }
        self.ledger
            .set_exchangers(settings.exchangers.as_ref(), &settings.providers);
        let since = self.twilio_time(settings);
        self.ledger.ingest_released(since);
        self.ledger.expire(since).await;
        let budget = EmailBudget::new(&settings.limits, &settings.emails);
        let reader = Reader {
            settings,
            ledger: &self.ledger,
            operations: &self.operations,
            state: &self.state,
            budget: &budget,
        };
        let lists = self.read_all(&reader, since).await;
        self.log_lists(settings, &lists);
        if lists.result.is_ok() {
            self.ledger.end();
        }
        self.ledger.ingest_released(reader.now());
        let range = self.state.lock().slices.covered();
        self.ledger.note_range(range);
        let is_saved = self.ledger.save().await;
        match lists.result {
            Ok(is_complete) => {
                self.state.lock().backoff.succeeded();
                is_complete && is_saved
            }
            // The next collection after the pause tries again.
            Err(ApiError::Paused { .. }) => false,
            Err(error) => {
                let now = self.ledger.instant();
                self.state.lock().backoff.failed(&error, now);
                false
            }
        }
    }

    /// Logs what began or ceased to fail in a run.
    fn log_lists(&self, settings: &AccountSettings, lists: &ListsRead) {
        let login = settings.client.login();
        let recovers = match &lists.result {
            // If Twilio refuses the lists of single operations, too, this line is the only one.
            Err(error) => return self.log.failed(ListReader::Emails, error, login),
            Ok(_) => lists.made_requests && self.log.succeeded(ListReader::Emails),
        };
        // A failure that has just ended may have caused this refusal. A second refusal shows that it lasts.
        if let Some(refusal) = lists.refusal.as_ref().filter(|_| !recovers) {
            self.log.failed(ListReader::AllEmails, refusal, login);
        }
    }

    /// Applies the saved slices and the saved proof of the counting mode.
    fn restore(&self) {
        if let Some(slices) = self.ledger.restored_slices() {
            self.state.lock().slices = slices;
        }
        let mode = self.ledger.lock().and_then(|emails| emails.counting_mode());
        if let Some(mode) = mode {
            self.operations.lock().restore_email_proof(mode);
        }
    }

    /// Compares the stats of the operations that have series with their emails.
    fn compare(&self, settings: &AccountSettings) {
        let now = self.twilio_time(settings);
        let ids = self
            .operations
            .lock()
            .presenter()
            .ids_with_stats(MOST_TALLIES);
        let tallies: Vec<_> = {
            let Some(mut emails) = self.ledger.lock() else {
                return;
            };
            emails.tally_operations(&ids, now);
            let tallies = ids
                .into_iter()
                .filter_map(|id| Some((id, *emails.tally(id)?)));
            tallies.collect()
        };
        let all: Vec<_> = {
            let state = self.state.lock();
            let read = tallies.into_iter().map(|(id, tally)| ReadEmails {
                id,
                tally,
                read: state.read_of(id, tally.created),
            });
            read.collect()
        };
        let skew = settings.client.clock_skew();
        let to_twilio = |ours| skew.map_or(ours, |skew| skew.apply(ours));
        let (mismatches, proven) = {
            let mut registry = self.operations.lock();
            let mismatches = comparing::compare(&mut registry, &all, to_twilio);
            (mismatches, registry.proven_by_emails())
        };
        *self.mismatches.lock() = mismatches;
        if proven.is_some()
            && let Some(mut emails) = self.ledger.lock()
        {
            emails.set_counting_mode(proven);
        }
    }

    /// Reads the emails that are due in the run that began at `since`.
    async fn read_all(&self, reader: &Reader<'_>, since: Timestamp) -> ListsRead {
        let budget = reader.budget.left();
        let is_due = |state: &ListState| state.unfiltered.is_due(self.ledger.instant());
        let mut refusal = None;
        if is_due(&self.state.lock()) {
            match self.read_windows(reader, since).await {
                Err(error) if error.is_refusal() => {
                    let now = self.ledger.instant();
                    self.state.lock().unfiltered.failed(&error, now);
                    refusal = Some(error);
                }
                Ok(is_complete) => {
                    self.state.lock().unfiltered.succeeded();
                    self.log.succeeded(ListReader::AllEmails);
                    return ListsRead {
                        refusal,
                        made_requests: reader.budget.left() < budget,
                        result: Ok(is_complete),
                    };
                }
                failed @ Err(_) => {
                    return ListsRead {
                        refusal,
                        made_requests: true,
                        result: failed,
                    };
                }
            }
        }
        let budget = reader.budget.left();
        let oldest = since - RETENTION;
        let found = by_operation::read(reader, &self.operations, oldest).await;
        if let Ok(found) = &found {
            self.state.lock().note_foreign_rows(found.foreign_rows);
        }
        ListsRead {
            refusal,
            made_requests: reader.budget.left() < budget,
            result: found.map(|found| found.is_complete),
        }
    }

    /// Reads the windows that are due, the newest one first, as far as the budget allows.
    async fn read_windows(&self, reader: &Reader<'_>, since: Timestamp) -> Result<bool, ApiError> {
        let mut is_complete = true;
        self.state.lock().slices.expire(since);
        if self.state.lock().ignores_dates {
            return reader.read(Slices::everything(since)).await;
        }
        loop {
            let next = {
                let mut state = self.state.lock();
                let by_status = !state.mistreats_status;
                reader.next_window(&mut state, since, by_status)
            };
            let Some(window) = next else {
                return Ok(is_complete);
            };
            if reader.budget.is_spent() {
                return Ok(false);
            }
            is_complete &= match window.plan {
                Some(plan) => by_status::read(reader, window, plan).await?,
                None => reader.read(window).await?,
            };
            if window.until.is_none() {
                // The results of the first run are baseline. Older emails are baseline by their age, when they are read later.
                self.ledger.end();
            }
            if self.state.lock().ignores_dates {
                return Ok(is_complete);
            }
        }
    }
}
