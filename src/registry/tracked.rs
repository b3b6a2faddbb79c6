//! One operation as the exporter remembers it.

use super::schedule;
use crate::operation::{Operation, OperationId, RETENTION};
use crate::reason::Reason;
use crate::snapshot::{Labels, ShownOperation};
use crate::timestamp::Timestamp;

/// What is known of one operation; nothing at all for a configured one that was never read.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    /// As Twilio described it last.
    pub(super) seen: Option<Operation>,
    pub(super) last_success: Option<Timestamp>,
    /// When its figures were last seen to change.
    last_change: Timestamp,
    failing: Option<Failing>,
}

/// Reads of this operation that failed since the last one that worked.
#[derive(Debug, Clone, Copy)]
struct Failing {
    first: Timestamp,
    last: Timestamp,
    reason: Reason,
}

impl Tracked {
    /// Takes in what Twilio said at `now`.
    pub(super) fn observe(&mut self, operation: Operation, now: Timestamp) {
        if self.seen.as_ref() != Some(&operation) {
            // Twilio's own time of the change where it is in the past: a send of last week is not news because we start today.
            self.last_change = match operation.updated {
                Some(updated) if self.seen.is_none() => updated.min(now),
                _ => now,
            };
        }
        self.seen = Some(operation);
        self.last_success = Some(now);
        self.failing = None;
    }

    /// Takes in that a read failed at `now`. Says whether it did not fail, or for another reason, before.
    pub(super) fn fail(&mut self, reason: Reason, now: Timestamp) -> bool {
        let before = self.failing.filter(|before| before.reason == reason);
        self.failing = Some(Failing {
            first: before.map_or(now, |before| before.first),
            last: now,
            reason,
        });
        before.is_none()
    }

    /// When Twilio stops keeping it: from its creation, else from the time in its id.
    pub(super) fn expires(&self, id: OperationId) -> Timestamp {
        self.seen
            .as_ref()
            .map_or_else(|| id.created() + RETENTION, Operation::expires)
    }

    /// Whether a read of its own is due, where it is not `watched` in every collection anyway.
    pub(super) fn is_due(&self, watched: bool, now: Timestamp) -> bool {
        match self.failing {
            Some(Failing {
                first,
                last,
                reason: Reason::NotFound | Reason::Expired,
            }) => schedule::is_due(first, Some(last), now),
            _ => watched || schedule::is_due(self.last_change, self.last_success, now),
        }
    }

    /// As the exposition shows it; `account_failed` is when a collection began that did not reach what was due.
    pub(super) fn show(
        &self,
        id: OperationId,
        labels: Labels,
        account_failed: Option<Timestamp>,
    ) -> ShownOperation {
        let failed_with_account = match (account_failed, self.last_success) {
            (Some(failed), Some(success)) => success < failed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let attempted =
            self.last_success.is_some() || self.failing.is_some() || failed_with_account;
        ShownOperation {
            id,
            seen: self.seen.clone(),
            up: attempted.then(|| self.failing.is_none() && !failed_with_account),
            last_success: self.last_success,
            labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::operation::{State, Stats};

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    fn operation(updated: Option<Timestamp>) -> Operation {
        let id = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        Operation {
            id,
            state: State::Completed,
            stats: Stats::default(),
            created: NOW - Duration::from_hours(30),
            updated,
        }
    }

    #[test]
    fn an_old_operation_is_asked_for_rarely_from_the_start() {
        let mut tracked = Tracked::default();
        tracked.observe(operation(Some(NOW - Duration::from_hours(20))), NOW);
        assert!(!tracked.is_due(false, NOW + Duration::from_mins(59)));
        assert!(tracked.is_due(false, NOW + Duration::from_hours(1)));
        assert!(tracked.is_due(true, NOW));
    }

    #[test]
    fn an_unknown_one_is_asked_for_ever_more_rarely_even_if_watched() {
        let mut tracked = Tracked::default();
        let mut now = NOW;
        let mut asked = 0;
        while now < NOW + Duration::from_hours(24) {
            if tracked.is_due(true, now) {
                tracked.fail(Reason::NotFound, now);
                asked += 1;
            }
            now = now + Duration::from_secs(15);
        }
        assert!((20..120).contains(&asked), "{asked}");
    }

    #[test]
    fn a_failed_collection_shows_on_what_it_did_not_reach() {
        let mut tracked = Tracked::default();
        let up = |tracked: &Tracked, failed| {
            tracked
                .show(operation(None).id, Labels::default(), failed)
                .up
        };
        assert_eq!(up(&tracked, None), None);
        assert_eq!(up(&tracked, Some(NOW)), Some(false));
        tracked.observe(operation(None), NOW);
        assert_eq!(up(&tracked, Some(NOW)), Some(true));
        assert_eq!(
            up(&tracked, Some(NOW + Duration::from_secs(1))),
            Some(false)
        );
        tracked.fail(Reason::Timeout, NOW + Duration::from_secs(2));
        assert_eq!(up(&tracked, None), Some(false));
    }
}
