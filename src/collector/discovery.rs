//! Whether the list is worth asking for: a function of how it answered before.

use std::time::Duration;

use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// After the first refusal; doubles with each one.
const FIRST: Duration = Duration::from_mins(1);
/// An account whose rights were mended is found out within this time.
const LONGEST: Duration = Duration::from_hours(1);

/// How the list endpoint fares. One of Twilio's two documents does not know it, so an account may be refused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Discovery {
    up: Option<bool>,
    refusals: u32,
    not_before: Option<Timestamp>,
}

impl Discovery {
    /// Whether the list answered when it was last asked for.
    pub(super) const fn up(&self) -> Option<bool> {
        self.up
    }

    /// Whether to ask at `now`.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        // A moment further off than the longest wait was set by a clock that has since been put back.
        self.not_before
            .is_none_or(|moment| moment <= now || moment > now + LONGEST)
    }

    /// Takes in that the list was read to its end.
    pub(super) fn answered(&mut self) {
        *self = Self {
            up: Some(true),
            ..Self::default()
        };
    }

    /// Takes in that it was not. A refusal is asked about ever more rarely, a mishap with the next collection.
    pub(super) fn failed(&mut self, error: &ApiError, now: Timestamp) {
        self.up = Some(false);
        if error.is_refusal() {
            let wait = FIRST
                .saturating_mul(1_u32.checked_shl(self.refusals).unwrap_or(u32::MAX))
                .min(LONGEST);
            self.refusals = self.refusals.saturating_add(1);
            self.not_before = Some(now + wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[test]
    fn a_refused_list_is_asked_for_ever_more_rarely() {
        let mut discovery = Discovery::default();
        let mut now = NOW;
        let mut waits = Vec::new();
        for _ in 0..9 {
            discovery.failed(&ApiError::Forbidden, now);
            let asked = now;
            while !discovery.is_due(now) {
                now = now + Duration::from_secs(15);
            }
            waits.push(now.since(asked).as_secs() / 60);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        discovery.answered();
        assert!(discovery.is_due(now) && discovery.up() == Some(true));
    }

    #[test]
    fn a_mishap_is_no_refusal() {
        let mut discovery = Discovery::default();
        discovery.failed(&ApiError::ServerError { status: 500 }, NOW);
        assert!(discovery.is_due(NOW) && discovery.up() == Some(false));
    }

    #[test]
    fn a_clock_put_back_does_not_silence_it() {
        let mut discovery = Discovery::default();
        discovery.failed(&ApiError::Forbidden, NOW);
        assert!(discovery.is_due(NOW - Duration::from_hours(9)));
    }
}
