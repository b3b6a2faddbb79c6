//! Reads a window of the list of operations, page by page. It decides what the end or a failure of the list means for the
//! collection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;

use super::budget::RequestBudget;
use super::failure_log::FailureLog;
use super::ledger::Ledger;
use super::list_health::ListHealth;
use super::list_parts::{self, PageTimes};
use super::plan::Window;
use super::progress::Progress;
use super::settings::AccountSettings;
use crate::operation::Operation;
use crate::operation::OperationState::Processing;
use crate::registry::Observed;
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Listing, Rows};

/// The newest window overlaps the previous one by this much: a send may become visible late, and clocks differ.
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

/// The results of some parts of a list.
#[derive(Debug, Default)]
struct PartsRead {
    pages: usize,
    /// Rows that were not operations.
    unreadable: usize,
    /// Rows with impossible values.
    rejected: usize,
    /// When the oldest new operation was created.
    oldest_new: Option<Timestamp>,
    /// Twilio returned operations of other times, so that the list has to be read page by page.
    ignores_dates: bool,
}

impl PartsRead {
    fn add(&mut self, other: &Self) {
        self.pages += other.pages;
        self.unreadable += other.unreadable;
        self.rejected += other.rejected;
        self.ignores_dates |= other.ignores_dates;
        self.note_new(other.oldest_new);
    }

    fn note_new(&mut self, oldest: Option<Timestamp>) {
        self.oldest_new = self.oldest_new.into_iter().chain(oldest).min();
    }
}

impl WindowReader<'_> {
    /// Reads a window. Returns whether every row could be read. `newest` is the window in which new operations appear.
    pub(super) async fn read(&self, window: Window, newest: bool) -> Result<bool, ApiError> {
        let mut listing = self.settings.client.list(
            window.from,
            window.until,
            window.processing.then_some(Processing),
        );
        let read = self.read_pages(&mut listing, window, newest).await;
        self.budget.spend(listing.pages().max(1));
        match read {
            Ok(oldest_new) => {
                self.window_read(&listing, newest, oldest_new);
                Ok(listing.is_sound())
            }
            Err(error) => {
                self.lists.lock().behavior.note(&listing);
                let failed = self.window_failed(window, newest, error);
                self.ledger.catch_up().await;
                failed
            }
        }
    }

    /// Reads pages to the end of the list, or until more are not worth a request. Returns when the oldest new operation was created.
    async fn read_pages(
        &self,
        listing: &mut Listing<'_>,
        window: Window,
        newest: bool,
    ) -> Result<Option<Timestamp>, ApiError> {
        let mut oldest_new: Option<Timestamp> = None;
        let mut rows = 0;
        // Pages that were read as parts, and may be returned again.
        let mut known_pages = 0_usize;
        // Only a list of new operations ever stops early.
        let mut due = if newest {
            self.due(self.since).await
        } else {
            0
        };
        let mut next = listing.page().await?;
        while let Some(operations) = next {
            let count = operations.len();
            rows += count;
            let times = PageTimes::of(&operations, window);
            let mut observed = self.ingest(listing, operations).await;
            oldest_new = oldest_new.into_iter().chain(observed.oldest_new).min();
            if newest && let Some(parts) = self.parts(listing, window, times, self.at_once()) {
                let parts = self.read_parts(parts, listing.pages()).await?;
                oldest_new = oldest_new.into_iter().chain(parts.oldest_new).min();
                if parts.ignores_dates {
                    self.lists.lock().behavior.has_parts = false;
                    known_pages = parts.pages;
                } else {
                    listing.end_with(parts.pages, parts.unreadable, parts.rejected);
                }
            }
            if observed.newly_read == 0 && known_pages > 0 {
                known_pages -= 1;
                observed.repeated = 0;
                listing.note_rows(Rows::New);
            }
            if newest && listing.ignores_dates() {
                let before = due;
                due = self.due(self.ledger.now()).await;
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
            next = self.next_page(listing).await?;
        }
        Ok(oldest_new)
    }

    /// Ingests a page of `listing`.
    async fn ingest(&self, listing: &mut Listing<'_>, operations: Vec<Operation>) -> Observed {
        self.reject(&listing.take_rejected());
        let client = &self.settings.client;
        let observed = self.ledger.ingest(operations, self.since, client).await;
        self.progress.note_accepted();
        listing.note_unread(observed.unread);
        listing.note_rows(match observed {
            Observed {
                newly_read: 1.., ..
            } => Rows::New,
            Observed { repeated: 1.., .. } => Rows::Repeated,
            _ => Rows::None,
        });
        observed
    }

    /// Reads the next page, and saves the pages before meanwhile.
    async fn next_page(
        &self,
        listing: &mut Listing<'_>,
    ) -> Result<Option<Vec<Operation>>, ApiError> {
        tokio::join!(listing.page(), self.ledger.save()).0
    }

    /// At most `most` parts of the rest of `window`, of which `listing` has read pages; `None` if its next page is to be read.
    fn parts(
        &self,
        listing: &Listing<'_>,
        window: Window,
        times: Option<PageTimes>,
        most: usize,
    ) -> Option<Vec<Window>> {
        let can_be_split = listing.has_more()
            && listing.is_newest_first()
            && !listing.ignores_dates()
            && self.lists.lock().behavior.has_parts;
        let times = times.filter(|_| can_be_split)?;
        list_parts::split(window, listing.pages_in_all(), times, most)
    }

    /// Reads parts of a list at the same time, after `pages` pages of it. The first failure ends all of them.
    async fn read_parts(&self, parts: Vec<Window>, pages: usize) -> Result<PartsRead, ApiError> {
        let unfinished = AtomicUsize::new(parts.len());
        let read = |window| self.read_part(window, pages, &unfinished);
        let mut reading: FuturesUnordered<_> = parts.into_iter().map(read).collect();
        let mut all = PartsRead::default();
        while let Some(part) = reading.next().await {
            let (part, rest) = part?;
            all.add(&part);
            if all.ignores_dates {
                break;
            }
            reading.extend(rest.into_iter().map(read));
        }
        Ok(all)
    }

    /// Reads one part, and returns the rest of it. Once fewer parts than the account's concurrent requests are `unfinished`, the rest of a
    /// part is split again.
    async fn read_part(
        &self,
        window: Window,
        pages: usize,
        unfinished: &AtomicUsize,
    ) -> Result<(PartsRead, Vec<Window>), ApiError> {
        let list = self.settings.client.list(window.from, window.until, None);
        let mut listing = list.after_pages(pages);
        let mut part = PartsRead::default();
        let mut rest = Vec::new();
        let mut next = listing.page().await?;
        while let Some(operations) = next {
            let times = PageTimes::of(&operations, window);
            let observed = self.ingest(&mut listing, operations).await;
            part.note_new(observed.oldest_new);
            part.ignores_dates = times.is_some_and(PageTimes::ignores_dates);
            let others = unfinished.load(Ordering::Relaxed).saturating_sub(1);
            let most = self.at_once().saturating_sub(others);
            if part.ignores_dates {
                listing.stop();
            } else if let Some(parts) = self.parts(&listing, window, times, most) {
                rest = parts;
                listing.stop();
            }
            next = self.next_page(&mut listing).await?;
        }
        unfinished.fetch_add(rest.len(), Ordering::Relaxed);
        unfinished.fetch_sub(1, Ordering::Relaxed);
        part.pages = listing.pages();
        part.unreadable = listing.unreadable();
        part.rejected = listing.rejected_rows();
        Ok((part, rest))
    }

    /// The account's concurrent requests.
    fn at_once(&self) -> usize {
        self.settings.limits.concurrent_requests
    }

    /// How many operations are due at `now` that this collection has not read.
    async fn due(&self, now: Timestamp) -> usize {
        self.ledger.search_due(self.since, now).await.found()
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
            tracing::debug!(account = %self.ledger.name(), error = %error, "Twilio refuses a window of the list");
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
            registry.fail_windows([(window.from, window.until)], self.since, now);
        }
        let (login, now) = (self.settings.client.login(), self.ledger.now());
        self.log.list_failed(&error, login, now);
        Err(error)
    }
}
