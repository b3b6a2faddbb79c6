//! Splits the rest of a window of the list into parts that are read at the same time. Pure functions.
//!
//! A page token exists only once the page before has been read, so pages follow one another. Windows of creation times do not. The number
//! of operations in a part is estimated from the last page; a large part is split again once others have finished.

use std::time::Duration;

use super::plan::Window;
use crate::operation::Operation;
use crate::timestamp::Timestamp;

/// The first pages of a list are read one after another. Most accounts have no more, and a part costs a request even if it is empty.
const FIRST_PAGES: usize = 3;
/// Splitting fewer pages than this saves no time.
const FEWEST_PAGES: usize = 4;
/// A part begins before the end of the last page, by this share of its rows. If the last rows have wrong times, nothing is left out.
const SHARE_READ_AGAIN: usize = 10;
/// A page of operations that were created within a shorter time is not split: the list's dates have whole seconds, so that parts would
/// return the same operations again.
const SHORTEST_PAGE: Duration = Duration::from_secs(10);
/// The shortest part, for the same reason.
const SHORTEST_PART: Duration = Duration::from_mins(1);
/// A part's rows may be created this long before or after it: `createdAt` has whole seconds, and the time in the id may replace it.
const OUTSIDE: Duration = Duration::from_mins(1);
/// The number of other rows that show that Twilio ignored the dates of a part. A single one may be an exception.
const OUTSIDE_ROWS: usize = 2;

/// The times of the operations on one page, as far as a split needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageTimes {
    rows: u32,
    first: Timestamp,
    /// The time until which the rest of the list is to be read.
    rest_until: Timestamp,
    outside: usize,
}

impl PageTimes {
    /// The times of a page of `window`, newest first; `None` if it has too few rows.
    pub(super) fn of(operations: &[Operation], window: Window) -> Option<Self> {
        let created = operations.iter().map(|operation| operation.created);
        let is_outside = |created: &Timestamp| {
            *created + OUTSIDE < window.from
                || window.until.is_some_and(|until| *created > until + OUTSIDE)
        };
        let again = operations.len() / SHARE_READ_AGAIN;
        let rest_from = operations.len().checked_sub(1 + again)?;
        Some(Self {
            rows: u32::try_from(operations.len()).ok()?,
            first: operations.first()?.created,
            rest_until: operations.get(rest_from)?.created,
            outside: created.filter(is_outside).count(),
        })
    }

    /// Whether the page has rows of other times than the window's.
    pub(super) const fn ignores_dates(self) -> bool {
        self.outside >= OUTSIDE_ROWS
    }
}

/// At most `most` windows that cover the rest of `window` after `pages` pages, the last of which had `page`, newest first. `None` if the
/// next page is to be read instead.
pub(super) fn split(
    window: Window,
    pages: usize,
    page: PageTimes,
    most: usize,
) -> Option<Vec<Window>> {
    let left = page.rest_until.since(window.from);
    let took = page.first.since(page.rest_until);
    if pages < FIRST_PAGES || left.is_zero() || took < SHORTEST_PAGE {
        return None;
    }
    let expected = left.as_secs_f64() / took.as_secs_f64();
    let is_worth_it = expected >= FEWEST_PAGES as f64;
    let parts = u32::try_from(most).ok().filter(|most| *most > 1)?;
    let length = (left / parts).max(SHORTEST_PART);
    let part = |nth: u32| Window {
        from: (page.rest_until - length * (nth + 1)).max(window.from),
        until: Some(page.rest_until - length * nth),
        processing: false,
    };
    let mut parts: Vec<_> = (0..parts)
        .map(part)
        .take_while(|part| part.until > Some(window.from))
        .collect();
    // The division leaves a remainder.
    parts.last_mut()?.from = window.from;
    (is_worth_it && page.rows > 1).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{OperationState, Stats};

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn window() -> Window {
        Window {
            from: NOW - 7 * DAY,
            until: None,
            processing: false,
        }
    }

    /// A page of operations that were created `apart` from each other, newest first.
    fn page(rows: u32, apart: Duration) -> Vec<Operation> {
        let operation = |nth| Operation {
            id: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
                .parse()
                .unwrap(),
            state: OperationState::Completed,
            stats: Stats::default(),
            created: NOW - apart * nth,
            updated: None,
        };
        (0..rows).map(operation).collect()
    }

    fn parts(rows: u32, apart: Duration, pages: usize, most: usize) -> Option<Vec<Window>> {
        let page = PageTimes::of(&page(rows, apart), window())?;
        split(window(), pages, page, most)
    }

    #[test]
    fn parts_cover_the_rest_of_the_window_without_a_gap() {
        for (apart, most) in [
            (Duration::from_secs(9), 8),
            (Duration::from_millis(70), 3),
            (Duration::from_millis(12), 2),
        ] {
            let parts = parts(1000, apart, FIRST_PAGES, most).unwrap();
            assert_eq!(parts.len(), most);
            assert_eq!(
                parts[0].until,
                Some(NOW - apart * 899),
                "a tenth is read again"
            );
            for pair in parts.windows(2) {
                assert_eq!(pair[1].until, Some(pair[0].from));
            }
            assert_eq!(parts[most - 1].from, window().from);
        }
    }

    #[test]
    fn few_operations_and_the_first_pages_are_not_split() {
        let second = Duration::from_secs(1);
        assert_eq!(parts(1000, second, FIRST_PAGES - 1, 8), None);
        assert_eq!(
            parts(1000, 200 * second, FIRST_PAGES, 8),
            None,
            "three pages"
        );
        assert_eq!(
            parts(1000, second, FIRST_PAGES, 1),
            None,
            "one request at a time"
        );
        for rows in [0, 1] {
            assert_eq!(parts(rows, second, FIRST_PAGES, 8), None, "{rows} rows");
        }
    }

    #[test]
    fn a_burst_is_read_page_by_page() {
        for apart in [Duration::ZERO, Duration::from_millis(11)] {
            assert_eq!(parts(1000, apart, FIRST_PAGES, 8), None, "{apart:?}");
        }
    }

    #[test]
    fn a_short_rest_has_parts_of_at_least_a_minute() {
        let apart = Duration::from_millis(12);
        let end = NOW - apart * 899;
        let short = Window {
            from: end - Duration::from_secs(150),
            ..window()
        };
        let page = PageTimes::of(&page(1000, apart), short).unwrap();
        let parts = split(short, FIRST_PAGES, page, 8).unwrap();
        let seconds = |window: &Window| window.until.unwrap().since(window.from).as_secs();
        assert_eq!(parts.iter().map(seconds).collect::<Vec<_>>(), [60, 60, 30]);
    }

    #[test]
    fn rows_far_outside_a_part_show_that_its_dates_are_ignored() {
        let page = page(1000, Duration::from_secs(1));
        let part = |from: Duration, until: Duration| Window {
            from: NOW - from,
            until: Some(NOW - until),
            processing: false,
        };
        let ignores = |window| PageTimes::of(&page, window).unwrap().ignores_dates();
        let minutes = Duration::from_mins;
        assert!(!ignores(part(minutes(20), Duration::ZERO)));
        assert!(!ignores(part(minutes(20), minutes(1))), "by a minute");
        assert!(ignores(part(minutes(20), minutes(2))), "newer");
        assert!(ignores(part(minutes(10), Duration::ZERO)), "older");
    }
}
