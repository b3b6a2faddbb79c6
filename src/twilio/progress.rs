//! Bounds of a list that does not end by itself.

use std::collections::HashSet;

use super::error::ApiError;

/// The longest list: ten million operations at 1,000 a page. An account's seven days have been seen to hold seven million.
const MOST_PAGES: usize = 10_000;
/// Pages in a row that only repeat rows. A list that goes on like this is a loop.
const MOST_REPEATING_PAGES: usize = 10;
/// Pages in a row without any row that counts. A filter that Twilio applies after paging leaves such pages, so they are
/// followed; a thousand of them stand for a million operations that were filtered out.
const MOST_EMPTY_PAGES: usize = 1_000;

/// What the rows of a page were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// At least one was not read before in this collection.
    New,
    /// All of them had been read already.
    Repeated,
    /// There was none that counts: no row at all, or only operations past the retention.
    None,
}

/// Ends a list that does not end by itself.
#[derive(Debug, Default)]
pub(super) struct ListProgress {
    tokens: HashSet<String>,
    repeating: usize,
    empty: usize,
}

impl ListProgress {
    /// Notes the token that a page named and what its rows were.
    ///
    /// # Errors
    /// When the list runs in a circle or beyond any bound.
    pub(super) fn advance(&mut self, token: &str, rows: Rows) -> Result<(), ApiError> {
        let count = |counted: usize, is_so| if is_so { counted + 1 } else { 0 };
        self.repeating = count(self.repeating, rows == Rows::Repeated);
        self.empty = count(self.empty, rows == Rows::None);
        if !self.tokens.insert(token.to_owned()) {
            return Err(ApiError::InvalidResponse(
                "the list names a page token twice",
            ));
        }
        if self.repeating > MOST_REPEATING_PAGES
            || self.empty > MOST_EMPTY_PAGES
            || self.tokens.len() >= MOST_PAGES
        {
            return Err(ApiError::InvalidResponse("the list does not end"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_seen_before_ends_the_list() {
        let mut progress = ListProgress::default();
        assert_eq!(progress.advance("a", Rows::New), Ok(()));
        assert_eq!(progress.advance("b", Rows::New), Ok(()));
        assert!(progress.advance("a", Rows::New).is_err());
    }

    #[test]
    fn a_list_that_only_repeats_or_holds_nothing_ends() {
        for (rows, most) in [
            (Rows::Repeated, MOST_REPEATING_PAGES),
            (Rows::None, MOST_EMPTY_PAGES),
            (Rows::New, MOST_PAGES - 1),
        ] {
            let mut progress = ListProgress::default();
            let end =
                (0..MOST_PAGES).find(|page| progress.advance(&page.to_string(), rows).is_err());
            assert_eq!(end, Some(most), "{rows:?}");
        }
    }
}
