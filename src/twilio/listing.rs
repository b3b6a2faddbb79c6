//! A list, page by page, to its end.

use std::time::Duration;

use super::client::{Client, PAGE_SIZE};
use super::error::ApiError;
use super::pages::Next;
use super::progress::{ListProgress, Rows};
use super::resource::Resource;
use super::wire::ListPage;
use crate::operation::{Operation, OperationState};
use crate::timestamp::Timestamp;

/// A page of more rows than this is no answer to a request for [`PAGE_SIZE`] of them.
const MOST_ROWS: usize = 2 * PAGE_SIZE;
/// Rows created so far outside the dates that were asked for prove that the dates were ignored. `createdAt` has whole
/// seconds, and which side of a second a filter takes is not documented; this is far above both.
const OUTSIDE: Duration = Duration::from_hours(1);
/// Rows outside that prove it. One alone may be an odd row.
const OUTSIDE_ROWS: usize = 2;
/// Neighbouring rows may stand in any order within a second or two, whatever the order of the list.
const SAME_MOMENT: Duration = Duration::from_secs(2);

/// What counts for a page with rows that cannot be used.
const BAD_ROWS: ApiError =
    ApiError::InvalidResponse("rows that are not what is listed, or cannot be true");
/// Why a list is read no further where its next page cannot be found.
const UNREADABLE_NEXT: ApiError = ApiError::InvalidResponse(
    "a page of the list does not say, in a way that can be read, which page is next",
);

/// A list that is being read. What its pages held stays, even if a later one fails.
#[derive(Debug)]
pub struct Listing<'a, T: Resource = Operation> {
    client: &'a Client,
    from: Timestamp,
    until: Option<Timestamp>,
    /// The `status` of what is listed, in lower case; `None` for all.
    status: Option<String>,
    /// What to ask for next; `None` at the beginning.
    token: Option<String>,
    ended: bool,
    /// Why there is no page after the last one, although it was not the last one of the list.
    broken: Option<ApiError>,
    /// Whether the last page was full and said nothing of a next one, which may be the end or may not.
    unsure: bool,
    rows: Rows,
    progress: ListProgress,
    seen: Observations,
    /// Those of the last page of which nothing can be believed.
    rejected: Vec<(T::Id, ApiError)>,
}

/// What the pages so far have shown of the server.
#[derive(Debug, Clone, Copy)]
struct Observations {
    pages: usize,
    unreadable: usize,
    /// The most rows of a page that another one follows.
    page_size: Option<usize>,
    rows_outside: usize,
    ignores_state: bool,
    newest_first: bool,
    /// When the last row so far was created.
    last: Option<Timestamp>,
    rejected_rows: usize,
}

impl Client {
    /// A list of the operations created from `from` on, until `until` if given, `only` those in one state. Requests nothing
    /// yet.
    #[must_use]
    pub fn list(
        &self,
        from: Timestamp,
        until: Option<Timestamp>,
        only: Option<OperationState>,
    ) -> Listing<'_> {
        Listing::new(self, from, until, only.map(|only| only.as_str().to_owned()))
    }
}

impl<'a, T: Resource> Listing<'a, T> {
    /// A list of what was created from `from` on, until `until` if given, and only of what has `status`. Requests nothing yet.
    pub(super) fn new(
        client: &'a Client,
        from: Timestamp,
        until: Option<Timestamp>,
        status: Option<String>,
    ) -> Self {
        Self {
            client,
            from,
            until,
            status,
            token: None,
            ended: false,
            broken: None,
            unsure: false,
            rows: Rows::New,
            progress: ListProgress::default(),
            seen: Observations {
                pages: 0,
                unreadable: 0,
                rejected_rows: 0,
                page_size: None,
                rows_outside: 0,
                ignores_state: false,
                newest_first: true,
                last: None,
            },
            rejected: Vec::new(),
        }
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// When the page fails, and when the list does not end. After an error the list has no more pages. A refusal of any page
    /// but the first is [`ApiError::BrokenList`].
    pub async fn page(&mut self) -> Result<Option<Vec<T>>, ApiError> {
        if let Some(error) = self.broken.take() {
            return Err(self.failed(error));
        }
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        if std::mem::take(&mut self.unsure) {
            return self.confirm_end().await;
        }
        if let Some(token) = &self.token
            && let Err(error) = self.progress.advance(token, self.rows)
        {
            return Err(self.failed(error));
        }
        let page = self
            .client
            .page(
                self.from,
                self.until,
                self.status.as_deref(),
                self.token.as_deref(),
                PAGE_SIZE,
            )
            .await
            .map_err(|error| error.at_page(self.seen.pages + 1))?;
        if page.size() > MOST_ROWS {
            return Err(self.failed(ApiError::TooManyRows { limit: MOST_ROWS }));
        }
        if page.unreadable > 0 || !page.rejected.is_empty() {
            self.failed(BAD_ROWS);
        }
        self.note(&page);
        self.go_on(&page);
        let rejected = page.rejected.into_iter();
        self.rejected = rejected
            .map(|(id, why)| (id, ApiError::Implausible(why)))
            .collect();
        Ok(Some(page.rows))
    }

    /// Decides what comes after `page`. Its rows are kept in any case.
    fn go_on(&mut self, page: &ListPage<T>) {
        // The pages of a list that ignores the state are those of the whole account.
        if self.seen.ignores_state {
            return;
        }
        let full = page
            .pagination
            .size
            .map_or(PAGE_SIZE, |size| size.clamp(1, PAGE_SIZE));
        match &page.pagination.next {
            Next::Token(token) => {
                self.token = Some(token.clone());
                self.ended = false;
                // An empty page says nothing of how many rows a page has.
                let rows = Some(page.size()).filter(|rows| *rows > 0);
                self.seen.page_size = self.seen.page_size.max(rows);
            }
            Next::End => {}
            // Where an earlier page named its next one, silence is the documented end.
            Next::Unnamed if page.size() < full || self.token.is_some() => {}
            Next::Unnamed => {
                self.unsure = true;
                self.ended = false;
            }
            Next::Unreadable => self.broken = Some(UNREADABLE_NEXT),
        }
    }

    /// A full page that is silent is the end of the list where a page of one row, which others follow, names the next one.
    async fn confirm_end(&self) -> Result<Option<Vec<T>>, ApiError> {
        let page = self
            .client
            .page::<T>(self.from, self.until, self.status.as_deref(), None, 1)
            .await
            .map_err(|error| error.at_page(self.seen.pages + 1))?;
        match page.pagination.next {
            Next::Token(_) => Ok(None),
            _ => Err(self.failed(UNREADABLE_NEXT)),
        }
    }

    fn note(&mut self, page: &ListPage<T>) {
        let seen = &mut self.seen;
        seen.pages += 1;
        seen.unreadable += page.unreadable;
        seen.rejected_rows += page.rejected.len();
        for row in &page.rows {
            let created = row.created();
            // Twilio ignores parameters that it does not know, and then returns the whole account.
            let is_outside = created + OUTSIDE < self.from
                || self.until.is_some_and(|until| created > until + OUTSIDE);
            seen.rows_outside += usize::from(is_outside);
            let is_wanted = self
                .status
                .as_ref()
                .is_none_or(|status| row.status() == status);
            seen.ignores_state |= !is_wanted;
            seen.newest_first &= seen.last.is_none_or(|last| created <= last + SAME_MOMENT);
            seen.last = Some(created);
        }
    }

    /// Counts a failure that no request has counted.
    fn failed(&self, error: ApiError) -> ApiError {
        self.client.note_failure(T::ENDPOINT, &error);
        error
    }

    /// Ends the list before its last page.
    pub const fn stop(&mut self) {
        self.ended = true;
    }

    /// How many pages have been read.
    #[must_use]
    pub const fn pages(&self) -> usize {
        self.seen.pages
    }

    /// Whether the list held operations in other states than the one asked for; it ends there.
    #[must_use]
    pub const fn ignores_state(&self) -> bool {
        self.seen.ignores_state
    }

    /// Whether the list held operations created outside the dates that were asked for.
    #[must_use]
    pub const fn ignores_dates(&self) -> bool {
        self.seen.rows_outside >= OUTSIDE_ROWS
    }

    /// Whether everything so far came in the order of creation, the newest first.
    #[must_use]
    pub const fn is_newest_first(&self) -> bool {
        self.seen.newest_first
    }

    /// How many rows the server puts on a page that another one follows; `None` if no page was followed by another.
    #[must_use]
    pub const fn page_size(&self) -> Option<usize> {
        self.seen.page_size
    }

    /// Says what the rows of the last page were. A list that only repeats rows, or holds none for long, has no end.
    pub const fn note_rows(&mut self, rows: Rows) {
        self.rows = rows;
    }

    /// Notes that so many rows of the last page could not be used, because of what is known of their operations.
    pub fn note_unread(&mut self, rows: usize) {
        self.seen.rejected_rows += rows;
        if rows > 0 {
            self.failed(BAD_ROWS);
        }
    }

    /// Those of the last page of which nothing can be believed, and why. Each is as one whose read failed.
    pub fn take_rejected(&mut self) -> Vec<(T::Id, ApiError)> {
        std::mem::take(&mut self.rejected)
    }

    /// Whether every row so far was an operation that can be believed.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.seen.unreadable == 0 && self.seen.rejected_rows == 0
    }

    /// Rows so far that were no operation; each page with some has counted as one `invalid_response`.
    #[must_use]
    pub const fn unreadable(&self) -> usize {
        self.seen.unreadable
    }
}

#[cfg(test)]
mod tests;
