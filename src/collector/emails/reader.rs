//! Reads windows of the list of emails, page by page. Each page is ingested and saved before the next one is requested.

use std::collections::{BTreeMap, HashSet};

use parking_lot::Mutex;

use super::budget::EmailBudget;
use super::ledger::EmailLedger;
use super::list_state::ListState;
use super::time_slices::{EmailWindow, Slices};
use crate::collector::email_probe::is_too_large;
use crate::collector::ledger::Ledger;
use crate::collector::settings::AccountSettings;
use crate::email::{Email, EmailId};
use crate::snapshot::LabelValue;
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, ListFilter, Listing, Rows};

/// A list remembers this many ids to notice repeated rows. A longer one ends at its limit of pages.
const MOST_REMEMBERED: usize = 200_000;

/// Reads the windows of one run.
pub(super) struct Reader<'a> {
    pub(super) settings: &'a AccountSettings,
    pub(super) ledger: &'a EmailLedger,
    pub(super) operations: &'a Ledger,
    pub(super) state: &'a Mutex<ListState>,
    pub(super) budget: &'a EmailBudget,
}

/// The rows of a list so far.
#[derive(Default)]
pub(super) struct ListedRows {
    seen: HashSet<EmailId>,
    /// The rows of each slice.
    by_slice: BTreeMap<i64, u32>,
}

impl ListedRows {
    /// The emails that were on the list.
    pub(super) fn into_ids(self) -> HashSet<EmailId> {
        self.seen
    }

    /// Adds a page. Returns whether its rows were new.
    pub(super) fn add(&mut self, page: &[Email]) -> Rows {
        let mut rows = if page.is_empty() {
            Rows::None
        } else {
            Rows::Repeated
        };
        for email in page {
            let rows_of_slice = self.by_slice.entry(Slices::slice_of(email.created));
            *rows_of_slice.or_default() += 1;
            let is_full = self.seen.len() >= MOST_REMEMBERED;
            if is_full || self.seen.insert(email.id) {
                rows = Rows::New;
            }
        }
        rows
    }
}

impl Reader<'_> {
    /// The time of day at Twilio.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.ledger.now();
        let skew = self.settings.client.clock_skew();
        skew.map_or(now, |skew| skew.apply(now))
    }

    /// Reads a window, with smaller pages if they are too large. Returns whether every row could be read.
    pub(super) async fn read(&self, window: EmailWindow) -> Result<bool, ApiError> {
        loop {
            let size = self.state.lock().page_size();
            match self.read_pages(window, size).await {
                Err(error) if is_too_large(&error) && self.state.lock().shrink_pages(size) => {}
                other => return other,
            }
        }
    }

    /// A list of emails. Makes no request yet.
    pub(super) fn list(&self, filter: ListFilter, size: usize) -> Listing<'_, Email> {
        self.settings.client.emails(filter).with_page_size(size)
    }

    /// Requests the next page when the budget allows it, ingests and saves its rows. `None` after the last page.
    pub(super) async fn page(
        &self,
        list: &mut Listing<'_, Email>,
        listed: &mut ListedRows,
    ) -> Result<Option<Vec<Email>>, ApiError> {
        self.budget.take().await;
        let Some(page) = list.page().await? else {
            return Ok(None);
        };
        self.ledger.ingest(&page, &self.labels(&page), self.now());
        list.note_rows(listed.add(&page));
        self.ledger.save().await;
        Ok(Some(page))
    }

    /// The labels under which each email of a page counts; empty if none apply.
    fn labels(&self, page: &[Email]) -> Vec<Vec<LabelValue>> {
        let registry = self.operations.lock();
        let presenter = registry.presenter();
        if !presenter.has_groups() {
            return Vec::new();
        }
        let values = |email: &Email| {
            let operation = email.operation?;
            Some(presenter.label_values(operation, &email.tags))
        };
        let values = page.iter().map(|email| values(email).unwrap_or_default());
        values.collect()
    }

    async fn read_pages(&self, window: EmailWindow, size: usize) -> Result<bool, ApiError> {
        let began = self.now();
        let filter = ListFilter {
            from: Some(window.from),
            until: window.until,
            ..ListFilter::default()
        };
        let mut list = self.list(filter, size);
        let mut listed = ListedRows::default();
        while let Some(page) = self.page(&mut list, &mut listed).await? {
            let mut state = self.state.lock();
            state.note_dates(&list);
            let oldest = page.iter().map(|email| email.created).min();
            // Rows in the order of newest first prove that everything newer was read.
            if list.is_newest_first()
                && let Some(oldest) = oldest
            {
                let slices = &mut state.slices;
                slices.note_read(window, Some(oldest), began, &listed.by_slice);
                if self.budget.is_spent() {
                    return Ok(list.is_sound());
                }
                // A list of the whole account is read until nothing more is due.
                if list.ignores_dates() && !self.is_due(&mut state, began) {
                    return Ok(list.is_sound());
                }
            }
        }
        let mut state = self.state.lock();
        state
            .slices
            .note_read(window, None, began, &listed.by_slice);
        state.slices.note_pages(window, list.pages());
        state.note_rows(&list);
        Ok(list.is_sound())
    }

    /// Whether anything is due, except the slices that were read since `began`.
    fn is_due(&self, state: &mut ListState, began: Timestamp) -> bool {
        self.next_window(state, began, false).is_some()
    }

    /// The next window to read in the run that began at `since`; `by_status`: lists by status can be used.
    pub(super) fn next_window(
        &self,
        state: &mut ListState,
        since: Timestamp,
        by_status: bool,
    ) -> Option<EmailWindow> {
        let rows = state.page_rows();
        let slices = &mut state.slices;
        let next = self
            .ledger
            .due(self.now(), since, by_status, rows, |input| {
                slices.next(input)
            });
        next.flatten()
    }
}
