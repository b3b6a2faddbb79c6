//! How Twilio's list of operations behaves where its documents are silent or an account differs. Each deviation is logged once.

use std::sync::Arc;
use std::time::Duration;

use crate::registry::CHUNK_SIZE;
use crate::timestamp::Timestamp;
use crate::twilio::{Listing, PAGE_SIZE};

/// This share of a page is for operations that are new since the last collection.
const SHARE_FOR_NEW: usize = 10;
/// A chunk of the registry is what one full page covers.
const _: () = assert!(PAGE_SIZE - PAGE_SIZE / SHARE_FOR_NEW == CHUNK_SIZE);
/// A list of several pages is read again at most this often in a row. Rows that still appear late are
/// then found when their window is due.
const MOST_SWEEPS: u32 = 5;

/// The known behavior of one account's list.
#[derive(Debug)]
pub(super) struct ListBehavior {
    account: Arc<str>,
    /// Whether the filter on a state works; true until a list shows otherwise.
    pub(super) state_filter_works: bool,
    /// Whether the filters on dates work; true until a list shows otherwise.
    pub(super) date_filter_works: bool,
    /// Whether a list can be read in parts, as far as is known: Twilio returns each part's operations and no others.
    pub(super) has_parts: bool,
    /// Rows per page; as requested, until the server returns fewer.
    page_size: usize,
    logged: Logged,
    sweep: Option<Sweep>,
}

/// What has been logged: each deviation once per process.
#[derive(Debug, Default)]
struct Logged {
    state: bool,
    dates: bool,
    page_size: bool,
}

/// A list that was read over several pages and is to be read again: rows may have moved from a page that was still to be
/// read to one that was read already.
#[derive(Debug, Clone, Copy)]
struct Sweep {
    /// When it began.
    since: Timestamp,
    pages: usize,
    /// How many sweeps there were in a row.
    nth: u32,
    /// Whether it found nothing that the previous sweep had missed. Then only operations that are newer must be confirmed.
    has_confirmed: bool,
}

impl ListBehavior {
    pub(super) fn new(account: Arc<str>) -> Self {
        Self {
            account,
            state_filter_works: true,
            date_filter_works: true,
            has_parts: true,
            page_size: PAGE_SIZE,
            logged: Logged::default(),
            sweep: None,
        }
    }

    /// How many known operations a window may hold so that one page covers them, with room for new ones.
    pub(super) const fn room(&self) -> usize {
        let room = self.page_size - self.page_size / SHARE_FOR_NEW;
        if room == 0 { 1 } else { room }
    }

    /// Whether earlier lists allow a list that has had `pages` pages to stop early.
    pub(super) fn may_stop_after(&self, pages: usize) -> bool {
        self.sweep
            .is_none_or(|sweep| sweep.has_confirmed || pages >= sweep.pages)
    }

    /// Notes the behavior of a list.
    pub(super) fn note(&mut self, listing: &Listing<'_>) {
        let account = &self.account;
        self.state_filter_works &= !listing.ignores_state();
        if listing.ignores_state() && !std::mem::replace(&mut self.logged.state, true) {
            tracing::warn!(%account, "Twilio ignores the filter by state; the exporter no longer uses it");
        }
        if let Some(size) = listing.page_size() {
            self.page_size = size.clamp(1, PAGE_SIZE);
            if size < PAGE_SIZE / 2 && !std::mem::replace(&mut self.logged.page_size, true) {
                tracing::warn!(%account, requested = PAGE_SIZE, rows = size, "Twilio returns fewer rows per page than requested; collections take more requests");
            }
        }
    }

    /// Notes whether a list of the newest operations was filtered by date. A list of few rows shows nothing.
    pub(super) fn note_dates(&mut self, listing: &Listing<'_>) {
        self.date_filter_works = !listing.ignores_dates();
        if listing.ignores_dates() && !std::mem::replace(&mut self.logged.dates, true) {
            let account = &self.account;
            let newest_first = listing.is_newest_first();
            tracing::warn!(%account, newest_first, "Twilio ignores the dates in requests for operations; the exporter reads the list until a page has no new or due operation, or to its end if it is not newest first");
        }
    }

    /// Notes that a list of new operations, begun at `since`, was read to its end in `pages` pages. The oldest operation that was
    /// not known before was created at `oldest_new`. Returns the time before which all operations have been found.
    ///
    /// A list of several pages is read a second time before it counts: rows may have moved between its pages. It counts once it shows
    /// nothing that the previous read missed; `overlap` allows for operations that become visible late.
    pub(super) fn listed(
        &mut self,
        since: Timestamp,
        pages: usize,
        oldest_new: Option<Timestamp>,
        overlap: Duration,
    ) -> Option<Timestamp> {
        let before = self.sweep;
        if pages <= 1 {
            self.sweep = None;
            return Some(since);
        }
        let missed =
            |before: &Sweep| oldest_new.is_some_and(|oldest| oldest < before.since - overlap);
        let confirmed = before.filter(|before| !missed(before) || before.nth >= MOST_SWEEPS);
        let nth = match (before, confirmed) {
            (Some(before), None) => before.nth + 1,
            _ => 1,
        };
        self.sweep = Some(Sweep {
            since,
            pages,
            nth,
            has_confirmed: confirmed.is_some(),
        });
        confirmed.map(|before| before.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);
    const OVERLAP: Duration = Duration::from_mins(2);

    fn at(minutes: u64) -> Timestamp {
        START + Duration::from_mins(minutes)
    }

    fn behavior() -> ListBehavior {
        ListBehavior::new(Arc::from("default"))
    }

    #[test]
    fn one_page_counts_at_once_and_several_count_when_read_again() {
        let mut list = behavior();
        assert_eq!(list.listed(at(0), 1, Some(at(0)), OVERLAP), Some(at(0)));
        assert_eq!(list.listed(at(1), 3, Some(at(0)), OVERLAP), None);
        assert!(!list.may_stop_after(2) && list.may_stop_after(3));
        // An operation that is newer than the previous sweep was not missed by it.
        assert_eq!(list.listed(at(2), 3, Some(at(1)), OVERLAP), Some(at(1)));
        assert!(list.may_stop_after(1));
        assert_eq!(list.listed(at(3), 3, None, OVERLAP), Some(at(2)));
        assert_eq!(list.listed(at(4), 1, None, OVERLAP), Some(at(4)));
    }

    #[test]
    fn a_list_that_missed_something_is_read_again_a_bounded_number_of_times() {
        let mut list = behavior();
        let long_ago = Some(START - Duration::from_hours(9));
        let counted =
            (0..99).find(|minute| list.listed(at(*minute), 2, long_ago, OVERLAP).is_some());
        assert_eq!(counted, Some(u64::from(MOST_SWEEPS)));
    }

    #[test]
    fn a_small_page_has_room_for_known_and_new_ones() {
        let mut list = behavior();
        assert_eq!(list.room(), 900);
        list.page_size = 50;
        assert_eq!(list.room(), 45);
        list.page_size = 1;
        assert_eq!(list.room(), 1);
    }
}
