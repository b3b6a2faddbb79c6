//! Stops a list that does not end: one that repeats tokens or rows, or has too many pages.

use std::collections::HashSet;

use super::error::ApiError;

/// The most pages of a list: ten million operations at 1,000 per page. The largest known account had seven million in seven days.
const MOST_PAGES: usize = 10_000;
/// The most pages in a row that only repeat rows. Such a list is a loop.
const MOST_REPEATING_PAGES: usize = 10;
/// The most pages in a row without a row that counts. If Twilio filters after paging, such pages are normal, so the exporter reads on; a
/// thousand of them are a million filtered operations.
const MOST_EMPTY_PAGES: usize = 1_000;

/// The rows of a page, compared with those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// At least one row was not read before in this collection.
    New,
    /// All rows had been read before.
    Repeated,
    /// No row counts: there was none, or all operations had expired.
    None,
}

/// The progress of one list.
#[derive(Debug, Default)]
pub(super) struct ListProgress {
    tokens: HashSet<String>,
    repeating: usize,
    empty: usize,
}

impl ListProgress {
    /// Notes the next token of a page, and its rows.
    ///
    /// # Errors
    /// When the list repeats itself or exceeds a limit.
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
    fn a_repeated_token_stops_the_list() {
        let mut progress = ListProgress::default();
        assert_eq!(progress.advance("a", Rows::New), Ok(()));
        assert_eq!(progress.advance("b", Rows::New), Ok(()));
        assert!(progress.advance("a", Rows::New).is_err());
    }

    #[test]
    fn a_list_that_only_repeats_rows_or_has_none_is_stopped() {
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
