//! Which creation times of emails have been read, and which are due: pure functions of earlier reads and the current time.
//!
//! Time is divided into slices. A new slice is read in every run, an older one when a fifth of its age has passed since the last read, at most 12
//! hours. Once none of its emails can change, it is not read any more. Neighboring slices are read together, because a page has room for a
//! thousand emails.

mod status_windows;

use std::collections::BTreeMap;
use std::time::Duration;

use super::status_plan::StatusPlan;
use crate::delivery::EmailsByStatus;
use crate::operation::RETENTION;
use crate::timestamp::Timestamp;

/// The length of a slice, in milliseconds. The newest one and the previous one are read in every run: an email may become visible late.
const SLICE: i64 = 120_000;
/// Emails become visible within this time.
const OVERLAP: Duration = Duration::from_mins(2);
/// The interval of a slice is this share of its age: a minute after five, an hour after five hours.
const SHARE: u32 = 5;
/// The longest interval. Emails change for up to 72 hours, and are opened later still.
const LONGEST: Duration = Duration::from_hours(12);
/// A slice is read until this long after its end, even if none of its emails can change: rows may have moved between pages.
const SETTLED_AFTER: Duration = Duration::from_mins(30);
/// When a page also covers neighboring slices, this share of it stays free for new emails.
const SHARE_FREE: u32 = 10;
/// The most rows of one list: an interrupted list is read again from its beginning.
const LONGEST_LIST: u32 = 10_000;
/// How many unread slices the first window has: an hour. The number of their emails is unknown.
const FIRST_UNREAD: usize = 30;
/// A window of this many pages is long: the next one of slices that were never read is half as long.
const MANY_PAGES: usize = 10;

/// A span of creation times to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EmailWindow {
    pub(super) from: Timestamp,
    /// `None`: until now.
    pub(super) until: Option<Timestamp>,
    /// Its first and last slice.
    slices: (i64, i64),
    is_unread: bool,
    /// How it is read by status; `None`: in full.
    pub(super) plan: Option<StatusPlan>,
}

/// The input for deciding which slices are due.
pub(super) struct DueInput<'a> {
    pub(super) now: Timestamp,
    /// When the run began.
    pub(super) since: Timestamp,
    /// Emails created before this time are baseline, so they can wait.
    pub(super) born: Option<Timestamp>,
    /// The number of emails created between two times that may change.
    pub(super) open: &'a dyn Fn(Timestamp, Timestamp) -> usize,
    /// The number of emails created between two times by status; `None` if lists by status cannot be used.
    pub(super) statuses: Option<&'a dyn Fn(Timestamp, Timestamp) -> EmailsByStatus>,
    /// Whether unread slices from before `born` are read.
    pub(super) wants_baseline: bool,
    /// The rows of a page.
    pub(super) page_rows: u32,
}

/// One slice that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slice {
    /// When its last read began.
    read: Timestamp,
    /// When its last read of all its emails began.
    full: Timestamp,
    /// Its rows then.
    rows: u32,
}

/// The creation times for which an account's emails have been read.
#[derive(Debug)]
pub(super) struct Slices {
    read: BTreeMap<i64, Slice>,
    /// How many slices the next window of unread slices has.
    unread_span: usize,
}

impl Default for Slices {
    fn default() -> Self {
        Self {
            read: BTreeMap::new(),
            unread_span: FIRST_UNREAD,
        }
    }
}

fn slice_of(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(SLICE)
}

fn start_of(slice: i64) -> Timestamp {
    Timestamp::from_millis(slice.saturating_mul(SLICE))
}

impl Slices {
    /// The window of all creation times, for a list that ignores dates.
    pub(super) fn everything(now: Timestamp) -> EmailWindow {
        window((slice_of(now - RETENTION) + 1, slice_of(now)), None, false)
    }

    /// The state after a restart: the emails created from `from` until `until` had been read at `until`.
    pub(super) fn restored(from: Timestamp, until: Timestamp) -> Self {
        let slice = Slice {
            read: until,
            full: until,
            rows: 0,
        };
        let oldest = slice_of(until - RETENTION).max(slice_of(from));
        Self {
            read: (oldest..=slice_of(until)).map(|at| (at, slice)).collect(),
            ..Self::default()
        }
    }

    /// The creation times for which everything was read; `None` if nothing was.
    pub(super) fn covered(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, slice) = self.read.first_key_value()?;
        let (mut last, mut until) = (*first, slice.read);
        for (at, slice) in self.read.range(first + 1..) {
            if *at != last + 1 {
                until = until.min(start_of(last + 1));
                break;
            }
            (last, until) = (*at, slice.read);
        }
        Some((start_of(*first), until.min(start_of(last + 1))))
    }

    /// The earliest last read of the emails created between two times; `None` if some were not read.
    pub(super) fn read_between(&self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let (first, last) = (slice_of(from), slice_of(until));
        let slices = self.read.range(first..=last);
        let (count, read) = slices.fold((0, None), |(count, read), (_, slice)| {
            let earliest = read.map_or(slice.read, |read: Timestamp| read.min(slice.read));
            (count + 1, Some(earliest))
        });
        read.filter(|_| count == last - first + 1)
    }

    /// The share of the last seven days that was read.
    pub(super) fn coverage(&self, now: Timestamp) -> f64 {
        let (oldest, newest) = (slice_of(now - RETENTION) + 1, slice_of(now));
        let read = self.read.range(oldest..=newest).count();
        read as f64 / (newest - oldest + 1).max(1) as f64
    }

    /// Removes slices that have expired.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.read = self.read.split_off(&slice_of(now - RETENTION));
    }

    /// Notes that slices were read by a list that began at `since`: those of `window`, or only those created after the slice of `behind`.
    /// `rows` are the rows of each slice.
    pub(super) fn note_read(
        &mut self,
        window: EmailWindow,
        behind: Option<Timestamp>,
        since: Timestamp,
        rows: &BTreeMap<i64, u32>,
    ) {
        let (first, last) = window.slices;
        let first = behind.map_or(first, |behind| {
            slice_of(behind).saturating_add(1).max(first)
        });
        for at in first..=last.min(slice_of(since)) {
            let rows = rows.get(&at).copied().unwrap_or_default();
            let slice = Slice {
                read: since,
                full: since,
                rows,
            };
            self.read.insert(at, slice);
        }
    }

    /// Notes the pages that a window took, so that the next window of unread slices has a suitable length.
    pub(super) fn note_pages(&mut self, window: EmailWindow, pages: usize) {
        if window.is_unread && pages > MANY_PAGES {
            self.unread_span = (self.unread_span / 2).max(1);
        } else if window.is_unread && pages <= 1 {
            self.unread_span = self.unread_span.saturating_mul(2);
        }
    }

    /// The slice of a creation time: the key of `rows` in [`Self::note_read`].
    pub(super) fn slice_of(time: Timestamp) -> i64 {
        slice_of(time)
    }

    /// The next window to read; `None` if nothing is due.
    pub(super) fn next(&mut self, input: &DueInput<'_>) -> Option<EmailWindow> {
        let (oldest, newest) = (slice_of(input.since - RETENTION) + 1, slice_of(input.since));
        if !self.was_read_in_run(newest, input) {
            return Some(self.newest(oldest, newest, input));
        }
        let born = input.born.map_or(i64::MAX, slice_of);
        if let Some(missed) = self.newest_unread(born.max(oldest), newest) {
            return Some(self.unread(missed, born.max(oldest)));
        }
        if let Some(latest) = self.most_late(oldest, newest, input) {
            let by_status = self.by_status(latest, oldest, newest, input);
            return by_status.or_else(|| Some(self.around(latest, oldest, newest, input)));
        }
        let baseline = self.newest_unread(oldest, newest.min(born));
        baseline
            .filter(|_| input.wants_baseline)
            .map(|at| self.unread(at, oldest))
    }

    fn was_read_in_run(&self, at: i64, input: &DueInput<'_>) -> bool {
        let slice = self.read.get(&at);
        slice.is_some_and(|slice| (input.since..=input.now).contains(&slice.read))
    }

    /// How late a slice is, as a multiple of its interval; `None` if it is not due.
    fn lateness(&self, at: i64, input: &DueInput<'_>) -> Option<f64> {
        let slice = self.read.get(&at)?;
        if self.was_read_in_run(at, input) {
            return None;
        }
        // A read in the future means that the clock was set back later.
        if slice.read > input.now || slice.read < start_of(at + 1) + OVERLAP {
            return Some(f64::INFINITY);
        }
        let interval = (slice.read.since(start_of(at)) / SHARE).min(LONGEST);
        let late = input.now.since(slice.read).as_secs_f64() / interval.as_secs_f64();
        (late >= 1.0).then_some(late)
    }

    /// Whether a due slice need not be read any more. It counts as read now.
    fn is_settled(&self, at: i64, input: &DueInput<'_>) -> bool {
        let (from, until) = (start_of(at), start_of(at + 1));
        let slice = self.read.get(&at);
        slice.is_some_and(|slice| slice.read >= until + SETTLED_AFTER)
            && (input.open)(from, until) == 0
    }

    /// The most overdue slice. Settled slices count as read.
    fn most_late(&mut self, oldest: i64, newest: i64, input: &DueInput<'_>) -> Option<i64> {
        let due: Vec<(i64, f64)> = (oldest..=newest)
            .filter_map(|at| Some((at, self.lateness(at, input)?)))
            .collect();
        let mut latest: Option<(i64, f64)> = None;
        for (at, late) in due {
            if self.is_settled(at, input) {
                if let Some(slice) = self.read.get_mut(&at) {
                    slice.read = input.since;
                }
            } else if latest.is_none_or(|(_, most)| late >= most) {
                latest = Some((at, late));
            }
        }
        latest.map(|(at, _)| at)
    }

    fn newest_unread(&self, oldest: i64, newest: i64) -> Option<i64> {
        (oldest..=newest)
            .rev()
            .find(|at| !self.read.contains_key(at))
    }

    /// The window of unread slices that ends with `last`.
    fn unread(&self, last: i64, oldest: i64) -> EmailWindow {
        let span = i64::try_from(self.unread_span).unwrap_or(i64::MAX);
        let mut first = last;
        while first > oldest && last - first + 1 < span && !self.read.contains_key(&(first - 1)) {
            first -= 1;
        }
        window((first, last), Some(start_of(last + 1)), true)
    }

    /// The window in which new emails appear, with the due slices just before it.
    fn newest(&self, oldest: i64, newest: i64, input: &DueInput<'_>) -> EmailWindow {
        let mut first = newest;
        while first > oldest && newest - first < i64::try_from(FIRST_UNREAD).unwrap_or(1) {
            let before = first - 1;
            let is_wanted = !self.read.contains_key(&before)
                || self.lateness(before, input) == Some(f64::INFINITY);
            if !is_wanted {
                break;
            }
            first = before;
        }
        let first = self.extended((first, newest), oldest, newest, input).0;
        window((first, newest), None, false)
    }

    fn around(&self, at: i64, oldest: i64, newest: i64, input: &DueInput<'_>) -> EmailWindow {
        let (first, last) = self.extended((at, at), oldest, newest, input);
        window((first, last), Some(start_of(last + 1)), false)
    }

    /// Extends a window to due slices nearby, as long as they cost no further page, and to adjacent due slices.
    fn extended(
        &self,
        (mut first, mut last): (i64, i64),
        oldest: i64,
        newest: i64,
        input: &DueInput<'_>,
    ) -> (i64, i64) {
        let rows = |from: i64, to: i64| self.read.range(from..=to).map(|(_, each)| each.rows);
        let mut total: u32 = rows(first, last).sum();
        for (step, end) in [(-1, oldest), (1, newest)] {
            let (mut at, mut between) = (if step < 0 { first } else { last }, 0_u32);
            while at != end {
                at += step;
                let Some(slice) = self.read.get(&at) else {
                    break;
                };
                let is_next = at == first - 1 || at == last + 1;
                between = between.saturating_add(slice.rows);
                let page = input.page_rows - input.page_rows / SHARE_FREE;
                let most = if is_next { LONGEST_LIST } else { page };
                if total.saturating_add(between) > most {
                    break;
                }
                if self.lateness(at, input).is_some() && !self.is_settled(at, input) {
                    (first, last) = (first.min(at), last.max(at));
                    total = total.saturating_add(between);
                    between = 0;
                }
            }
        }
        (first, last)
    }
}

fn window(slices: (i64, i64), until: Option<Timestamp>, is_unread: bool) -> EmailWindow {
    EmailWindow {
        from: start_of(slices.0),
        until,
        slices,
        is_unread,
        plan: None,
    }
}

#[cfg(test)]
#[path = "slices_tests.rs"]
mod tests;
