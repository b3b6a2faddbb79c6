//! Which slices are read by status, and when such a slice is read in full. Lists by status are used only where they take fewer
//! requests.

use std::time::Duration;

use super::{DueInput, EmailWindow, Slices, slice_of, start_of, window};
use crate::collector::emails::status_plan::StatusPlan;
use crate::timestamp::Timestamp;

/// From this age on, a slice may be read by status. Most emails have been delivered by then, and every row is visible.
const BY_STATUS_FROM: Duration = Duration::from_hours(1);
/// A slice is read in full after this time at the latest, to find what lists by status have lost: twice before its emails expire.
pub(super) const FULL_INTERVAL: Duration = Duration::from_hours(48);
/// The most emails of a window that is read by status: a third of them may be opened.
const MOST_BY_STATUS: u32 = 30_000;

impl Slices {
    /// Notes that a window was read by status, by lists that began at `since`.
    pub(in crate::collector::emails) fn note_by_status(
        &mut self,
        window: EmailWindow,
        since: Timestamp,
    ) {
        let (first, last) = window.slices;
        for (_, slice) in self.read.range_mut(first..=last) {
            slice.read = since;
        }
    }

    /// Makes a window due, to be read in full.
    pub(in crate::collector::emails) fn read_in_full(&mut self, window: EmailWindow) {
        let (first, last) = window.slices;
        for (_, slice) in self.read.range_mut(first..=last) {
            (slice.read, slice.full) = (Timestamp::default(), Timestamp::default());
        }
    }

    /// Makes the slice of a creation time due, to be read in full.
    pub(in crate::collector::emails) fn read_slice_in_full(&mut self, created: Timestamp) {
        if let Some(slice) = self.read.get_mut(&slice_of(created)) {
            (slice.read, slice.full) = (Timestamp::default(), Timestamp::default());
        }
    }

    /// The window around a due slice that is read by status, if that takes fewer requests than to read it in full.
    pub(super) fn by_status(
        &self,
        at: i64,
        oldest: i64,
        newest: i64,
        input: &DueInput<'_>,
    ) -> Option<EmailWindow> {
        let statuses = input.statuses?;
        let rows_of = |at: i64| {
            let slice = self.read.get(&at)?;
            let is_old = start_of(at + 1) + BY_STATUS_FROM <= input.now;
            (is_old && slice.full + FULL_INTERVAL > input.now).then_some(slice.rows)
        };
        let mut total = rows_of(at)?;
        let (mut first, mut last) = (at, at);
        for (step, end) in [(-1, oldest), (1, newest)] {
            let (mut next, mut between) = (at, 0_u32);
            while next != end {
                next += step;
                let Some(rows) = rows_of(next) else {
                    break;
                };
                between = between.saturating_add(rows);
                if total.saturating_add(between) > MOST_BY_STATUS {
                    break;
                }
                if self.lateness(next, input).is_some() {
                    (first, last) = (first.min(next), last.max(next));
                    total = total.saturating_add(between);
                    between = 0;
                }
            }
        }
        let until = start_of(last + 1);
        let plan = StatusPlan::new(&statuses(start_of(first), until), input.page_rows)?;
        let in_full = u64::from(total.div_ceil(input.page_rows));
        (plan.requests < in_full).then(|| EmailWindow {
            plan: Some(plan),
            ..window((first, last), Some(until), false)
        })
    }
}
