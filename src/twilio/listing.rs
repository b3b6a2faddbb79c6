//! Reads a list page by page. It notices a server that ignores a filter, repeats pages or hides the end, and never reads such a list
//! without end.

use std::time::Duration;

use super::client::{Client, PAGE_SIZE};
use super::error::ApiError;
use super::list_filter::ListFilter;
use super::list_progress::{ListProgress, Rows};
use super::pages::Next;
use super::resource::Resource;
use super::wire::ListPage;
use crate::email::Email;
use crate::operation::{Operation, OperationState};
use crate::timestamp::Timestamp;

/// Rows created by more than this outside the requested dates prove that Twilio ignored the dates. `createdAt` has whole seconds, and
/// whether a filter is inclusive is not documented; this is far above both.
const OUTSIDE: Duration = Duration::from_hours(1);
/// The number of such rows that prove it. A single one may be an exception.
const OUTSIDE_ROWS: usize = 2;
/// Rows created within this time may be in any order.
const SAME_MOMENT: Duration = Duration::from_secs(2);

/// The failure that counts for a page with unusable rows.
const BAD_ROWS: ApiError =
    ApiError::InvalidResponse("the list has rows of another resource or with impossible values");
/// The failure of a list whose next page cannot be determined.
const UNREADABLE_NEXT: ApiError =
    ApiError::InvalidResponse("a page of the list whose pagination cannot be read");

/// A list that is being read. Rows of earlier pages stay valid if a later page fails.
#[derive(Debug)]
pub struct Listing<'a, T: Resource = Operation> {
    client: &'a Client,
    filter: ListFilter,
    /// The requested rows per page.
    size: usize,
    /// Pages of the same list that were read before.
    earlier_pages: usize,
    /// The token of the next page; `None` for the first page.
    token: Option<String>,
    finished: bool,
    /// Why no further page can be read, although the list has not finished.
    broken: Option<ApiError>,
    /// The last page was full and named no next page, so it may be the end of the list or not.
    may_be_last: bool,
    rows: Rows,
    progress: ListProgress,
    seen: Observations,
    /// The rejected rows of the last page.
    rejected: Vec<(T::Id, ApiError)>,
}

/// The behavior of the server, as seen in the pages so far.
#[derive(Debug, Clone, Copy)]
struct Observations {
    pages: usize,
    unreadable: usize,
    /// The most rows of a page that is followed by another.
    page_size: Option<usize>,
    rows_outside: usize,
    ignores_state: bool,
    /// Rows of other operations than the requested one.
    foreign_rows: usize,
    newest_first: bool,
    /// The creation time of the last row so far.
    last: Option<Timestamp>,
    rejected_rows: usize,
}

impl Client {
    /// A list of the operations created from `from` on, until `until` if given, and `only` in one state. Makes no request yet.
    #[must_use]
    pub fn list(
        &self,
        from: Timestamp,
        until: Option<Timestamp>,
        only: Option<OperationState>,
    ) -> Listing<'_> {
        Listing::new(self, from, until, only.map(|only| only.as_str().to_owned()))
    }

    /// A list of the emails that `filter` selects. Makes no request yet.
    #[must_use]
    pub fn emails(&self, filter: ListFilter) -> Listing<'_, Email> {
        Listing::of(self, filter)
    }
}

impl<'a, T: Resource> Listing<'a, T> {
    /// A list of rows created from `from` on, until `until` if given, and only with `status`. Makes no request yet.
    pub(super) fn new(
        client: &'a Client,
        from: Timestamp,
        until: Option<Timestamp>,
        status: Option<String>,
    ) -> Self {
        let filter = ListFilter {
            from: Some(from),
            until,
            status,
            operation: None,
        };
        Self::of(client, filter)
    }

    /// A list of the rows that `filter` selects. Makes no request yet.
    pub(super) fn of(client: &'a Client, filter: ListFilter) -> Self {
        Self {
            client,
            filter,
            size: PAGE_SIZE,
            earlier_pages: 0,
            token: None,
            finished: false,
            broken: None,
            may_be_last: false,
            rows: Rows::New,
            progress: ListProgress::default(),
            seen: Observations {
                pages: 0,
                unreadable: 0,
                rejected_rows: 0,
                page_size: None,
                rows_outside: 0,
                ignores_state: false,
                foreign_rows: 0,
                newest_first: true,
                last: None,
            },
            rejected: Vec::new(),
        }
    }

    /// The same list with at most `size` rows per page, for rows that are large. At most [`PAGE_SIZE`].
    #[must_use]
    pub fn with_page_size(self, size: usize) -> Self {
        let size = size.clamp(1, PAGE_SIZE);
        Self { size, ..self }
    }

    /// The same list as a part of another one, of which `pages` pages have been read: a rejection of its first page is one of a later page.
    #[must_use]
    pub fn after_pages(self, pages: usize) -> Self {
        Self {
            earlier_pages: pages,
            ..self
        }
    }

    /// Ends this list, because the rest of it was read in other windows, and adds what was read there.
    pub const fn end_with(&mut self, pages: usize, unreadable: usize, rejected: usize) {
        self.seen.pages += pages;
        self.seen.unreadable += unreadable;
        self.seen.rejected_rows += rejected;
        self.stop();
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// When the page fails, and when the list does not end. After an error the list has no more pages. A rejection of a page after the
    /// first one is [`ApiError::BrokenList`].
    pub async fn page(&mut self) -> Result<Option<Vec<T>>, ApiError> {
        if let Some(error) = self.broken.take() {
            return Err(self.failed(error));
        }
        if self.finished {
            return Ok(None);
        }
        self.finished = true;
        if std::mem::take(&mut self.may_be_last) {
            return self.confirm_end().await;
        }
        if let Some(token) = &self.token
            && let Err(error) = self.progress.advance(token, self.rows)
        {
            return Err(self.failed(error));
        }
        let mut page = self
            .client
            .page(&self.filter, self.token.as_deref(), self.size)
            .await
            .map_err(|error| error.at_page(self.next_page()))?;
        if page.unreadable > 0 || !page.rejected.is_empty() {
            self.failed(BAD_ROWS);
        }
        self.note(&page);
        self.note_next(&page);
        self.remove_foreign(&mut page);
        let rejected = page.rejected.into_iter();
        self.rejected = rejected
            .map(|(id, why)| (id, ApiError::Implausible(why)))
            .collect();
        Ok(Some(page.rows))
    }

    /// Notes what follows `page`. Its rows are used in any case.
    fn note_next(&mut self, page: &ListPage<T>) {
        // If the server ignores a filter, the next pages contain the whole account.
        if self.seen.ignores_state || self.ignores_operation() {
            return;
        }
        let full = page
            .pagination
            .size
            .map_or(self.size, |size| size.clamp(1, self.size));
        match &page.pagination.next {
            Next::Token(token) => {
                self.token = Some(token.clone());
                self.finished = false;
                // An empty page does not show the server's page size.
                let rows = Some(page.size()).filter(|rows| *rows > 0);
                self.seen.page_size = self.seen.page_size.max(rows);
            }
            Next::End => {}
            // If an earlier page named its next one, a page without one is the documented end.
            Next::Unnamed if page.size() < full || self.token.is_some() => {}
            Next::Unnamed => {
                self.may_be_last = true;
                self.finished = false;
            }
            Next::Unreadable => self.broken = Some(UNREADABLE_NEXT),
        }
    }

    /// Decides whether a full page that names no next page ends the list. It does if Twilio names the next page at all: a page of one
    /// row must name one, because further rows follow.
    async fn confirm_end(&self) -> Result<Option<Vec<T>>, ApiError> {
        let page = self
            .client
            .page::<T>(&self.filter, None, 1)
            .await
            .map_err(|error| error.at_page(self.next_page()))?;
        match page.pagination.next {
            Next::Token(_) => Ok(None),
            _ => Err(self.failed(UNREADABLE_NEXT)),
        }
    }

    /// The number of the next page in the whole list, from 1.
    const fn next_page(&self) -> usize {
        self.pages_in_all() + 1
    }

    fn note(&mut self, page: &ListPage<T>) {
        let seen = &mut self.seen;
        seen.pages += 1;
        seen.unreadable += page.unreadable;
        seen.rejected_rows += page.rejected.len();
        for row in &page.rows {
            let created = row.created();
            // Twilio ignores unknown parameters and then returns the whole account.
            let ListFilter { from, until, .. } = self.filter;
            let is_outside = from.is_some_and(|from| created + OUTSIDE < from)
                || until.is_some_and(|until| created > until + OUTSIDE);
            seen.rows_outside += usize::from(is_outside);
            let is_wanted = self
                .filter
                .status
                .as_ref()
                .is_none_or(|status| row.status() == status);
            seen.ignores_state |= !is_wanted;
            seen.foreign_rows += usize::from(is_foreign(&self.filter, row));
            seen.newest_first &= seen.last.is_none_or(|last| created <= last + SAME_MOMENT);
            seen.last = Some(created);
        }
    }

    /// Removes rows of other operations than the requested one. A row without an operation belongs to the requested one, unless the
    /// server ignores the filter.
    fn remove_foreign(&self, page: &mut ListPage<T>) {
        if self.ignores_operation() {
            let wanted = self.filter.operation;
            page.rows.retain(|row| row.operation() == wanted);
        }
    }

    /// Counts a failure that was not counted with a request.
    fn failed(&self, error: ApiError) -> ApiError {
        self.client.note_failure(T::ENDPOINT, &error);
        error
    }

    /// Ends the list before its last page.
    pub const fn stop(&mut self) {
        self.finished = true;
    }

    /// The number of pages read.
    #[must_use]
    pub const fn pages(&self) -> usize {
        self.seen.pages
    }

    /// The number of pages read, with those of the whole list before this part of it.
    #[must_use]
    pub const fn pages_in_all(&self) -> usize {
        self.earlier_pages + self.seen.pages
    }

    /// Whether the list contained operations in other states than the requested one. The list ends then.
    #[must_use]
    pub const fn ignores_state(&self) -> bool {
        self.seen.ignores_state
    }

    /// Whether the list contained rows of other operations than the requested one. They are left out, and the list ends.
    #[must_use]
    pub const fn ignores_operation(&self) -> bool {
        self.seen.foreign_rows > 0
    }

    /// The number of rows of other operations than the requested one.
    #[must_use]
    pub const fn foreign_rows(&self) -> usize {
        self.seen.foreign_rows
    }

    /// Whether the list contained operations created outside the requested dates.
    #[must_use]
    pub const fn ignores_dates(&self) -> bool {
        self.seen.rows_outside >= OUTSIDE_ROWS
    }

    /// Whether all rows so far were in the order of creation, newest first.
    #[must_use]
    pub const fn is_newest_first(&self) -> bool {
        self.seen.newest_first
    }

    /// The server's page size: the rows of a page that is followed by another. `None` if there was none.
    #[must_use]
    pub const fn page_size(&self) -> Option<usize> {
        self.seen.page_size
    }

    /// Notes what the rows of the last page were. A list that only repeats rows, or has no rows for many pages, is stopped.
    pub const fn note_rows(&mut self, rows: Rows) {
        self.rows = rows;
    }

    /// Notes the number of rows of the last page that contradict what is known of their operations.
    pub fn note_unread(&mut self, rows: usize) {
        self.seen.rejected_rows += rows;
        if rows > 0 {
            self.failed(BAD_ROWS);
        }
    }

    /// The rejected rows of the last page, with the reason. Each counts as a failed read.
    pub fn take_rejected(&mut self) -> Vec<(T::Id, ApiError)> {
        std::mem::take(&mut self.rejected)
    }

    /// Whether every row so far was a usable operation.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.seen.unreadable == 0 && self.seen.rejected_rows == 0
    }

    /// The number of rows so far that could not be used.
    #[must_use]
    pub const fn unusable_rows(&self) -> usize {
        self.seen.unreadable + self.seen.rejected_rows
    }

    /// Whether another page may follow.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        !self.finished && self.broken.is_none() && !self.may_be_last
    }

    /// The number of rows so far with impossible values.
    #[must_use]
    pub const fn rejected_rows(&self) -> usize {
        self.seen.rejected_rows
    }

    /// The number of rows so far that were no operation. Each page with such rows counts as one `invalid_response`.
    #[must_use]
    pub const fn unreadable(&self) -> usize {
        self.seen.unreadable
    }
}

fn is_foreign<T: Resource>(filter: &ListFilter, row: &T) -> bool {
    filter
        .operation
        .is_some_and(|wanted| row.operation().is_some_and(|own| own != wanted))
}

#[cfg(test)]
mod tests;
