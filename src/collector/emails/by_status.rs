//! Reads older windows by status: only emails whose status can follow a known one, instead of all emails.
//!
//! A list by a final status has every email that has reached it since the last read. A sent email that is on none of the lists has been
//! delivered, so its slice is read in full: only its row has the time.
//!
//! Twilio may ignore the filter, so a list is used only if it has no other status and every email known to have this one. Occasional full
//! reads find emails that a filter missed.

use std::collections::HashSet;
use std::time::Duration;

use super::list_state::Distrust;
use super::reader::{ListedRows, Reader};
use super::status_plan::StatusPlan;
use super::time_slices::EmailWindow;
use crate::email::{EmailId, EmailStatus};
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, ListFilter};

/// If at least this share of the known emails is missing on a list, its filter does not work. Fewer may have moved
/// between two pages.
const SHARE_MISSING: usize = 10;
/// Lists begin this much earlier than their windows, so that an imprecise creation time hides no known email.
const PRECISION: Duration = Duration::from_secs(2);

/// Reads a window by status. Returns whether every row could be read.
pub(super) async fn read(
    reader: &Reader<'_>,
    window: EmailWindow,
    plan: StatusPlan,
) -> Result<bool, ApiError> {
    let began = reader.now();
    let until = window.until.unwrap_or(began);
    let mut still_sent = HashSet::new();
    for status in plan.statuses() {
        let known = reader.ledger.known(status, window.from, until);
        let Some(listed) = read_one(reader, window, status).await? else {
            return Ok(true);
        };
        if status == EmailStatus::Sent {
            still_sent = listed;
            continue;
        }
        let missing = known.iter().filter(|id| !listed.contains(id)).count();
        if missing > 0 {
            let mut state = reader.state.lock();
            if missing * SHARE_MISSING >= known.len() {
                state.distrust(Distrust::Missing);
            }
            state.slices.read_in_full(window);
            return Ok(true);
        }
    }
    let sent = reader.ledger.known(EmailStatus::Sent, window.from, until);
    let delivered = sent.into_iter().filter(|id| !still_sent.contains(id));
    let delivered: Vec<Timestamp> = delivered.map(|id| id.created()).collect();
    let slices = &mut reader.state.lock().slices;
    slices.note_by_status(window, began);
    for created in delivered {
        slices.read_slice_in_full(created);
    }
    Ok(true)
}

/// The emails of a window with a status; `None` if the list cannot be used.
async fn read_one(
    reader: &Reader<'_>,
    window: EmailWindow,
    status: EmailStatus,
) -> Result<Option<HashSet<EmailId>>, ApiError> {
    let filter = ListFilter {
        // Twilio does not document whether its date filters are inclusive, and `createdAt` has whole seconds.
        from: Some(window.from - PRECISION),
        until: window.until,
        status: Some(status.as_str().to_owned()),
        ..ListFilter::default()
    };
    let size = reader.state.lock().page_size();
    let mut list = reader.list(filter, size);
    let mut listed = ListedRows::default();
    while reader.page(&mut list, &mut listed).await?.is_some() {}
    let mut state = reader.state.lock();
    state.note_dates(&list);
    if list.ignores_state() {
        state.distrust(Distrust::OtherRows);
    }
    if list.ignores_state() || list.ignores_dates() || !list.is_sound() {
        state.slices.read_in_full(window);
        return Ok(None);
    }
    Ok(Some(listed.into_ids()))
}
