//! Reads a window of the list of operations, page by page. It decides what the end or a failure of the list means for the
//! collection.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::budget::RequestBudget;
use super::failure_log::FailureLog;
use super::ledger::Ledger;
use super::list_health::ListHealth;
use super::plan::Window;
use super::progress::Progress;
use super::settings::AccountSettings;
use crate::operation::OperationState::Processing;
use crate::registry::Observed;
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Listing, Rows};

/// The newest window overlaps with the time before by this much: a send may become visible late, and clocks differ.
pub(super) const OVERLAP: Duration = Duration::from_mins(2);

/// Reads the windows of one collection.
#[derive(Debug)]
pub(super) struct WindowReader<'a> {
    pub(super) settings: &'a AccountSettings,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) lists: &'a Mutex<ListHealth>,
    pub(super) log: &'a FailureLog,
    pub(super) progress: &'a Progress,
    pub(super) budget: &'a RequestBudget,
    /// When the collection began.
    pub(super) since: Timestamp,
}

impl WindowReader<'_> {
    /// Reads a window. Returns whether every row could be read. `newest` is the window in which new operations appear.
    pub(super) async fn read(&self, window: Window, newest: bool) -> Result<bool, ApiError> {
        let mut listing = self.settings.client.list(
            window.from,
            window.until,
            window.processing.then_some(Processing),
        );
        let read = self.read_pages(&mut listing, newest).await;
        self.budget.spend(listing.pages().max(1));
        match read {
            Ok(oldest_new) => {
                self.window_read(&listing, newest, oldest_new);
                Ok(listing.is_sound())
            }
            Err(error) => {
                self.lists.lock().behavior.note(&listing);
                self.window_failed(window, newest, error)
            }
        }
    }

    /// Reads pages to the end of the list, or until more are not worth a request. Returns when the oldest operation was
    /// created that was not known before.
    async fn read_pages(
        &self,
        listing: &mut Listing<'_>,
        newest: bool,
    ) -> Result<Option<Timestamp>, ApiError> {
        let mut oldest_new: Option<Timestamp> = None;
        let mut rows = 0;
        // Only a list of new operations ever stops early.
        let mut due = if newest { self.due(self.since) } else { 0 };
        while let Some(operations) = listing.page().await? {
            self.reject(&listing.take_rejected());
            let count = operations.len();
            rows += count;
            let client = &self.settings.client;
            let observed = self.ledger.ingest(operations, self.since, client).await;
            self.progress.note_accepted();
            listing.note_unread(observed.unread);
            self.ledger.save().await;
            oldest_new = oldest_new.into_iter().chain(observed.oldest_new).min();
            listing.note_rows(match observed {
                Observed {
                    newly_read: 1.., ..
                } => Rows::New,
                Observed { repeated: 1.., .. } => Rows::Repeated,
                _ => Rows::None,
            });
            if !newest || !listing.ignores_dates() {
                continue;
            }
            let before = due;
            due = self.due(self.ledger.now());
            let is_idle = observed.new == 0 && due >= before;
            let unlisted = self.ledger.lock().size().saturating_sub(rows);
            if is_idle
                && due <= unlisted.div_ceil(count.max(1))
                && listing.is_newest_first()
                && self.lists.lock().behavior.may_stop_after(listing.pages())
            {
                listing.stop();
            }
        }
        Ok(oldest_new)
    }

    /// How many operations are due at `now` that this collection has not read.
    fn due(&self, now: Timestamp) -> usize {
        self.ledger
            .lock()
            .agenda()
            .due(self.since, now, false)
            .len()
    }

    /// Notes the operations of a page whose stats cannot be true.
    fn reject(&self, rejected: &[(crate::operation::OperationId, ApiError)]) {
        let now = self.ledger.now();
        for (id, error) in rejected {
            if self.ledger.lock().reject(*id, now) {
                self.log.read_failed(*id, error);
            }
        }
    }

    fn window_read(&self, listing: &Listing<'_>, newest: bool, oldest_new: Option<Timestamp>) {
        self.progress.note_accepted();
        self.log.list_read(listing.unreadable());
        let mut lists = self.lists.lock();
        lists.backoff.succeeded();
        lists.behavior.note(listing);
        if newest {
            lists.behavior.note_dates(listing);
            let pages = listing.pages();
            let confirmed = lists
                .behavior
                .listed(self.since, pages, oldest_new, OVERLAP);
            if let Some(moment) = confirmed {
                self.ledger.lock().discovered(moment);
            }
        }
    }

    fn window_failed(
        &self,
        window: Window,
        newest: bool,
        error: ApiError,
    ) -> Result<bool, ApiError> {
        if window.processing && error.is_refusal() {
            // The list itself works; only its filter on the state does not. Its operations are read one by one.
            self.lists.lock().behavior.state_filter_works = false;
            return Ok(true);
        }
        // Only the first page of new operations shows whether the account may list. The operations of this window are read
        // one by one.
        if !newest && error.is_refusal() {
            tracing::debug!(account = %self.ledger.name(), error = %error, "a window of the list is refused");
            return Ok(true);
        }
        if !matches!(error, ApiError::Paused { .. }) {
            let now = self.ledger.instant();
            self.lists.lock().backoff.failed(&error, now);
        }
        if error.is_refusal() {
            self.progress.note_list_refused();
        } else if !window.processing {
            let now = self.ledger.now();
            let mut registry = self.ledger.lock();
            registry.fail_window(window.from, window.until, self.since, now);
        }
        let (login, now) = (self.settings.client.login(), self.ledger.now());
        self.log.list_failed(&error, login, now);
        Err(error)
    }
}
