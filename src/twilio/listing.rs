//! A whole list, page by page.

use super::client::Client;
use super::error::ApiError;
use super::pages::Progress;
use crate::exposition::Endpoint;
use crate::operation::Operation;
use crate::timestamp::Timestamp;

/// What a list that was read to its end amounted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listed {
    /// Requests it took.
    pub pages: usize,
    /// Rows that were no operation; counted as `invalid_response`, once a page.
    pub unreadable: usize,
}

impl Client {
    /// Lists the operations created since `start`, and hands each page to `absorb` as it comes, so that a list that
    /// breaks off still has told what it told. `absorb` says whether the page held anything new.
    ///
    /// # Errors
    /// When a page fails, and when the list does not end.
    pub async fn list(
        &self,
        start: Timestamp,
        mut absorb: impl FnMut(Vec<Operation>) -> bool,
    ) -> Result<Listed, ApiError> {
        let mut listed = Listed::default();
        let mut progress = Progress::default();
        let mut token = None;
        loop {
            let page = self.page(start, token.as_deref()).await?;
            listed.pages += 1;
            if page.unreadable > 0 {
                listed.unreadable += page.unreadable;
                self.note_failure(
                    Endpoint::Operations,
                    &ApiError::InvalidResponse("rows that are no operation"),
                );
            }
            let anything_new = absorb(page.operations);
            let Some(next) = page.next else {
                return Ok(listed);
            };
            let advanced = progress.advance(&next, anything_new);
            if let Err(error) = &advanced {
                self.note_failure(Endpoint::Operations, error);
            }
            advanced?;
            token = Some(next);
        }
    }
}
