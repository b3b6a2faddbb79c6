//! Reads a window of the list, page by page, and decides what its end or its failure means.

use std::time::Duration;

use super::account::AccountCollector;
use super::plan::Window;
use super::settings::Settings;
use crate::operation::OperationState::Processing;
use crate::registry::Observed;
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Listing, Rows};

/// New operations are looked for from so long before the last look: a send may become visible late, and clocks differ.
pub(super) const OVERLAP: Duration = Duration::from_mins(2);

impl AccountCollector {
    /// Reads a window of the list. Says whether every row could be read.
    pub(super) async fn list(
        &self,
        settings: &Settings,
        window: Window,
        newest: bool,
        since: Timestamp,
    ) -> Result<bool, ApiError> {
        let mut listing = settings.client.list(
            window.from,
            window.until,
            window.processing.then_some(Processing),
        );
        let listed = self.read_pages(&mut listing, newest, since).await;
        let now = self.clock.now();
        let mut state = self.lock();
        state.list.note(&listing);
        match &listed {
            Ok(oldest_new) => {
                state.discovery.answered();
                state.let_in();
                state.trouble.list_answered(listing.unreadable());
                if newest {
                    state.list.note_dates(&listing);
                    let found = state
                        .list
                        .listed(since, listing.pages(), *oldest_new, OVERLAP);
                    if let Some(moment) = found {
                        state.registry.discovered(moment);
                    }
                }
            }
            Err(error) if window.processing && error.is_refusal() => {
                // The list itself answers; it only cannot be narrowed. What it was to cover is read one by one.
                state.list.state_filter_works = false;
                return Ok(true);
            }
            // Only the first page of new operations shows whether the account may list. What this window was to cover is
            // read one by one.
            Err(error) if !newest && error.is_refusal() => {
                tracing::debug!(account = %self.name, error = error.of_list(), "a window of the list is refused");
                return Ok(true);
            }
            Err(error) => {
                if !matches!(error, ApiError::Paused { .. }) {
                    state.discovery.failed(error, now);
                }
                if error.is_refusal() {
                    state.list_refused();
                } else if !window.processing {
                    state
                        .registry
                        .fail_window(window.from, window.until, since, now);
                }
                state.trouble.list_failed(error);
            }
        }
        listed.map(|_| listing.is_sound())
    }

    /// Reads a list to its end, or as far as is worth it. Returns when the oldest operation was created that was not known.
    async fn read_pages(
        &self,
        listing: &mut Listing<'_>,
        newest: bool,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, ApiError> {
        let mut oldest_new: Option<Timestamp> = None;
        let mut rows = 0;
        // Only a list of new operations ever stops early.
        let mut due = if newest {
            self.lock().registry.agenda().due(since, since, false).len()
        } else {
            0
        };
        while let Some(operations) = listing.page().await? {
            self.rejected(&listing.take_rejected());
            let count = operations.len();
            rows += count;
            let observed = self.absorb(operations, since).await;
            self.save().await;
            oldest_new = oldest_new.into_iter().chain(observed.oldest_new).min();
            listing.note_rows(match observed {
                Observed {
                    newly_read: 1.., ..
                } => Rows::New,
                Observed { repeated: 1.., .. } => Rows::Repeated,
                _ => Rows::None,
            });
            if !newest || !listing.ignores_dates() {
                continue;
            }
            let state = self.lock();
            let before = due;
            due = state
                .registry
                .agenda()
                .due(since, self.clock.now(), false)
                .len();
            let is_idle = observed.new == 0 && due >= before;
            let pages_left = state
                .registry
                .size()
                .saturating_sub(rows)
                .div_ceil(count.max(1));
            if is_idle
                && due <= pages_left
                && listing.is_newest_first()
                && state.list.may_stop_after(listing.pages())
            {
                listing.stop();
            }
        }
        Ok(oldest_new)
    }
}
