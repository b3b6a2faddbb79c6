//! How long new counters are exposed as 0: Prometheus computes growth from two samples, and would miss what a series has in its first one.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// Every Prometheus that scrapes at least this often sees the 0.
const ZERO_FOR: Duration = Duration::from_mins(2);
/// The end of the 0 for counters that no collection has seen yet.
const NOT_YET: Timestamp = Timestamp::from_millis(i64::MAX);

/// Whether new counters are exposed as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ZeroFor {
    until: Option<Timestamp>,
    /// Whether a scrape may have exposed the 0.
    is_shown: bool,
}

impl ZeroFor {
    pub(super) const fn new() -> Self {
        Self {
            until: Some(NOT_YET),
            is_shown: false,
        }
    }

    /// The saved state. The previous process may have exposed the 0.
    pub(super) const fn restored(until: Option<Timestamp>) -> Self {
        Self {
            until,
            is_shown: true,
        }
    }

    /// Notes the time. The 0 ends [`ZERO_FOR`] after the first call, once a scrape has exposed it. A later end comes from a clock that
    /// has since been set back.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.until = match self.until {
            Some(until) if until > now + ZERO_FOR => Some(now + ZERO_FOR),
            Some(until) if until <= now && self.is_shown => None,
            other => other,
        };
    }

    pub(super) const fn shown(&mut self) {
        self.is_shown = true;
    }

    pub(super) const fn is_on(&self) -> bool {
        self.until.is_some()
    }

    pub(super) const fn until(&self) -> Option<Timestamp> {
        self.until
    }
}
