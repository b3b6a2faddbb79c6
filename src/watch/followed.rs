//! One operation that is followed: its last read, its rate, and whether it is done. It decides nothing about requests; `run` does.

use std::time::Duration;

use tokio::time::Instant;

use super::pace::Pace;
use super::settings::Goal;
use crate::operation::{
    Breakdown, CountingMode, Evidence, Operation, OperationId, OperationState, Stats, Sums,
};
use crate::timestamp::Timestamp;

/// An operation that is followed.
#[derive(Debug)]
pub struct Followed {
    id: OperationId,
    read: Option<LastRead>,
    /// Whether its stats have proven that they are cumulative. They may prove it at one read and not at the next.
    is_cumulative: bool,
    pace: Pace,
    done: Option<Done>,
    /// Failures since the last successful read.
    pub(super) failures: u32,
    /// When it is read next.
    pub(super) due: Instant,
    pub(super) is_in_flight: bool,
}

/// The last read.
#[derive(Debug)]
struct LastRead {
    state: OperationState,
    stats: Stats,
    emails: Breakdown,
    /// When it last changed, if that is known.
    changed: Timestamp,
}

/// Why an operation is not read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It reached the goal.
    Reached(Goal),
    /// Twilio no longer returns it. Its stats are the last ones.
    Expired,
}

impl Done {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached(goal) => goal.as_str(),
            Self::Expired => "expired",
        }
    }
}

impl Followed {
    pub(super) fn new(id: OperationId, now: Instant) -> Self {
        Self {
            id,
            read: None,
            is_cumulative: false,
            pace: Pace::default(),
            done: None,
            failures: 0,
            due: now,
            is_in_flight: false,
        }
    }

    /// Ingests a read at `now`. Returns whether the operation changed; the first read is a change.
    ///
    /// The counting mode is `fixed` if the user configured it. Otherwise the stats must prove that they are cumulative.
    pub(super) fn ingest(
        &mut self,
        operation: &Operation,
        fixed: Option<CountingMode>,
        goal: Goal,
        now: Timestamp,
    ) -> bool {
        self.failures = 0;
        let mut state = operation.state.clone();
        if state.is_unreadable()
            && let Some(before) = &self.read
        {
            state = before.state.clone();
        }
        self.is_cumulative |= operation.stats.evidence_of_funnel() > Evidence::None;
        let mode = fixed.unwrap_or(if self.is_cumulative {
            CountingMode::Cumulative
        } else {
            CountingMode::Exclusive
        });
        let is_first = self.read.is_none();
        let is_changed = self
            .read
            .as_ref()
            .is_none_or(|before| before.state != state || before.stats != operation.stats);
        let changed = match &self.read {
            // Twilio's time may be ahead of this machine's.
            None => operation.updated.unwrap_or(now).min(now),
            Some(_) if is_changed => now,
            Some(before) => before.changed.min(now),
        };
        let read = LastRead {
            emails: Breakdown::of_stats(&operation.stats, mode),
            state,
            stats: operation.stats.clone(),
            changed,
        };
        let (ended, rest) = (read.ended(), read.size().saturating_sub(read.ended()));
        self.pace.read(now, ended, rest);
        if self.done.is_none() && read.has_reached(goal) {
            self.done = Some(Done::Reached(goal));
        }
        self.read = Some(read);
        is_first || is_changed
    }

    /// Notes that Twilio no longer returns it.
    pub(super) const fn expire(&mut self) {
        self.failures = 0;
        self.done = Some(Done::Expired);
    }

    /// Whether it waits for its next read.
    pub(super) const fn is_waiting(&self) -> bool {
        self.done.is_none() && !self.is_in_flight
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> OperationId {
        self.id
    }

    /// Whether it was ever read.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        self.read.is_some()
    }

    /// Its state at Twilio; `None` before it was read.
    #[must_use]
    pub fn state(&self) -> Option<&OperationState> {
        self.read.as_ref().map(|read| &read.state)
    }

    /// Its emails by status, each once.
    #[must_use]
    pub fn emails(&self) -> Breakdown {
        self.read
            .as_ref()
            .map(|read| read.emails)
            .unwrap_or_default()
    }

    /// The sums of its emails.
    #[must_use]
    pub fn sums(&self) -> Sums {
        self.emails().sums()
    }

    /// The number of its emails.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.read.as_ref().map_or(0, LastRead::size)
    }

    /// The share of its emails that are finished or canceled, 0 to 1; `None` before it has emails.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        let read = self.read.as_ref()?;
        let size = read.size();
        (size > 0).then(|| (read.ended() as f64 / size as f64).min(1.0))
    }

    /// Why it is not read any more; `None` while it is read.
    #[must_use]
    pub const fn done(&self) -> Option<Done> {
        self.done
    }

    /// Emails that finish, per second; `None` before two reads.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.pace.rate()
    }

    /// When its last email finishes at that rate; `None` if that is unknown.
    #[must_use]
    pub fn estimated_end(&self) -> Option<Timestamp> {
        self.pace.end()
    }

    /// When it last changed, if that is known.
    #[must_use]
    pub fn changed(&self) -> Option<Timestamp> {
        self.read.as_ref().map(|read| read.changed)
    }

    /// How long it has been idle at `now`.
    pub(super) fn idle(&self, now: Timestamp) -> Duration {
        self.changed()
            .map_or(Duration::ZERO, |changed| now.since(changed))
    }
}

impl LastRead {
    /// `total`; without it, the emails that have a status.
    fn size(&self) -> u64 {
        let sums = self.emails.sums();
        let seen = sums.in_flight + sums.finished + self.emails.canceled;
        match self.stats.size {
            Some(size) if size > 0 => u64::from(size),
            _ => seen,
        }
    }

    /// Emails that are finished or canceled.
    fn ended(&self) -> u64 {
        self.emails.sums().finished + self.emails.canceled
    }

    fn has_reached(&self, goal: Goal) -> bool {
        let is_canceled = self.state == OperationState::Canceled;
        let is_processed = is_canceled || self.state == OperationState::Completed;
        // Twilio may report the state before the counts, so every email must have a status.
        let has_emails = is_canceled || self.size() > 0;
        let is_landed = self.emails.sums().in_flight == 0 && self.ended() >= self.size();
        is_processed && (goal == Goal::Completed || has_emails && is_landed)
    }
}
