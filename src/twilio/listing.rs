//! A list, page by page, to its end.

use super::client::Client;
use super::error::ApiError;
use super::pages::Progress;
use crate::exposition::Endpoint;
use crate::operation::{Operation, OperationId, State};
use crate::timestamp::Timestamp;

/// A list that is being read. What its pages told is told, even if a later one fails.
#[derive(Debug)]
pub struct Listing<'a> {
    client: &'a Client,
    from: Timestamp,
    until: Option<Timestamp>,
    only: Option<State>,
    ignores_state: bool,
    /// What to ask for next; `None` at the beginning.
    token: Option<String>,
    ended: bool,
    anything_new: bool,
    progress: Progress,
    unreadable: usize,
    rejected: Vec<(OperationId, ApiError)>,
    rejected_rows: usize,
}

impl Client {
    /// A list of the operations created from `from` on, until `until` if given, `only` those in one state. Asks nothing yet.
    #[must_use]
    pub fn list(
        &self,
        from: Timestamp,
        until: Option<Timestamp>,
        only: Option<State>,
    ) -> Listing<'_> {
        Listing {
            client: self,
            from,
            until,
            only,
            ignores_state: false,
            token: None,
            ended: false,
            anything_new: true,
            progress: Progress::default(),
            unreadable: 0,
            rejected: Vec::new(),
            rejected_rows: 0,
        }
    }
}

impl Listing<'_> {
    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// When the page fails, and when the list does not end. Nothing can be asked of the list after that.
    pub async fn page(&mut self) -> Result<Option<Vec<Operation>>, ApiError> {
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        if let Some(token) = &self.token
            && let Err(error) = self.progress.advance(token, self.anything_new)
        {
            self.client.note_failure(Endpoint::Operations, &error);
            return Err(error);
        }
        let page = self
            .client
            .page(
                self.from,
                self.until,
                self.only.as_ref(),
                self.token.as_deref(),
            )
            .await?;
        if page.unreadable > 0 || !page.rejected.is_empty() {
            let error = ApiError::InvalidResponse("rows that are no operation, or cannot be true");
            self.client.note_failure(Endpoint::Operations, &error);
        }
        self.unreadable += page.unreadable;
        self.rejected_rows += page.rejected.len();
        let rejected = page.rejected.into_iter();
        self.rejected = rejected
            .map(|(id, why)| (id, ApiError::Implausible(why)))
            .collect();
        // Twilio passes over parameters it does not know, and answers with the whole account.
        let wanted = |operation: &Operation| {
            self.only
                .as_ref()
                .is_none_or(|only| operation.state == *only)
        };
        self.ignores_state = !page.operations.iter().all(wanted);
        self.ended = page.next.is_none() || self.ignores_state;
        self.token = page.next;
        Ok(Some(page.operations))
    }

    /// Whether Twilio told of operations in other states than the one asked for; the list ends there.
    #[must_use]
    pub const fn ignores_state(&self) -> bool {
        self.ignores_state
    }

    /// Says whether the last page held anything new. A list that holds nothing new for long has no end.
    pub const fn told_anything_new(&mut self, anything_new: bool) {
        self.anything_new = anything_new;
    }

    /// The operations of the last page of which nothing can be believed, and why. Each is as one whose read failed.
    pub fn take_rejected(&mut self) -> Vec<(OperationId, ApiError)> {
        std::mem::take(&mut self.rejected)
    }

    /// Whether every row so far was an operation that can be believed.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.unreadable == 0 && self.rejected_rows == 0
    }

    /// Rows so far that were no operation; each page with some has counted as one `invalid_response`.
    #[must_use]
    pub const fn unreadable(&self) -> usize {
        self.unreadable
    }
}
