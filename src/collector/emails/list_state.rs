//! The state of an account's list of emails: how it behaves, and which parts have been read. Each deviation from Twilio's documentation is
//! logged once.

use std::sync::Arc;

use super::operation_lists::OperationLists;
use super::time_slices::Slices;
use crate::collector::list_backoff::ListBackoff;
use crate::email::Email;
use crate::operation::OperationId;
use crate::timestamp::Timestamp;
use crate::twilio::{Listing, PAGE_SIZE};

/// A page that is too large is requested again with this fraction of its rows.
const SMALLER: usize = 5;
/// The fewest rows of a page: no email is larger than Twilio's limit for its attachments, and ten of those fit into a page.
const FEWEST_ROWS: usize = 8;

/// Why lists by status are not used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distrust {
    /// A list has rows with another status.
    OtherRows,
    /// A list lacks emails that are known to have the status.
    Missing,
}

/// The list of emails of one account.
#[derive(Debug)]
pub(super) struct ListState {
    account: Arc<str>,
    /// Whether emails can be read at all.
    pub(super) backoff: ListBackoff,
    /// Whether Twilio returns the list of all emails; while it does not, operations' own lists are read.
    pub(super) unfiltered: ListBackoff,
    pub(super) slices: Slices,
    /// Whether Twilio ignores the dates of the list.
    pub(super) ignores_dates: bool,
    /// Whether Twilio ignores the list's status filter or applies it wrongly.
    pub(super) mistreats_status: bool,
    pub(super) operations: OperationLists,
    /// Rows of other operations than the requested one, since the start.
    pub(super) foreign_rows: u64,
    page_size: usize,
    /// The rows of a page as Twilio returned it, if they are fewer than requested.
    returned_rows: Option<usize>,
}

impl ListState {
    pub(super) fn new(account: Arc<str>) -> Self {
        Self {
            account,
            backoff: ListBackoff::after_failures(),
            unfiltered: ListBackoff::after_refusals(),
            slices: Slices::default(),
            ignores_dates: false,
            mistreats_status: false,
            operations: OperationLists::default(),
            foreign_rows: 0,
            page_size: PAGE_SIZE,
            returned_rows: None,
        }
    }

    /// The earliest last read of an operation's emails, which were created between two times. `None` if unknown.
    pub(super) fn read_of(
        &self,
        id: OperationId,
        created: Option<(Timestamp, Timestamp)>,
    ) -> Option<Timestamp> {
        let in_windows = created.and_then(|(first, last)| self.slices.read_between(first, last));
        in_windows.max(self.operations.read_of(id))
    }

    /// The rows to request per page.
    pub(super) const fn page_size(&self) -> usize {
        self.page_size
    }

    /// The rows per page that plans expect.
    pub(super) fn page_rows(&self) -> u32 {
        let rows = self.returned_rows.unwrap_or(self.page_size);
        u32::try_from(rows.clamp(1, self.page_size)).unwrap_or(1)
    }

    /// Notes how many rows the pages of a list had.
    pub(super) fn note_rows(&mut self, list: &Listing<'_, Email>) {
        self.returned_rows = list.page_size().or(self.returned_rows);
    }

    /// Requests fewer rows per page than `size`, with which a page was too large. Returns whether that is possible.
    pub(super) fn shrink_pages(&mut self, size: usize) -> bool {
        let smaller = size / SMALLER;
        if smaller < FEWEST_ROWS {
            return false;
        }
        if self.page_size == PAGE_SIZE {
            tracing::warn!(account = %self.account, rows = smaller, "pages of emails are too large; the exporter requests smaller ones, which takes more requests");
        }
        self.page_size = self.page_size.min(smaller);
        true
    }

    /// Notes that a list was not filtered by date.
    pub(super) fn note_dates(&mut self, list: &Listing<'_, Email>) {
        if list.ignores_dates() && !std::mem::replace(&mut self.ignores_dates, true) {
            tracing::warn!(account = %self.account, "Twilio ignores the dates in requests for emails; the exporter reads the list from its beginning until no more emails are due");
        }
    }

    /// Notes that a list was not filtered by status correctly.
    pub(super) fn distrust(&mut self, why: Distrust) {
        if !std::mem::replace(&mut self.mistreats_status, true) {
            let found = match why {
                Distrust::OtherRows => "rows with another status",
                Distrust::Missing => "a list without emails that have the status",
            };
            tracing::warn!(account = %self.account, found, "Twilio does not filter emails by status; the exporter reads all older emails, which takes more requests");
        }
    }

    /// Notes rows of other operations than the requested one.
    pub(super) fn note_foreign_rows(&mut self, rows: usize) {
        if rows > 0 && self.foreign_rows == 0 {
            tracing::warn!(account = %self.account, rows, "Twilio ignores `operationId` in requests for emails; the exporter does not count rows of other operations");
        }
        self.foreign_rows += rows as u64;
    }
}
