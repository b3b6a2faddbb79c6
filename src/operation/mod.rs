//! An Email operation: its id, state, stats and outcomes. All values are validated, and nothing here does I/O or reads a clock.

mod breakdown;
mod counting_mode;
mod id;
mod outcome;
mod plausible;
mod state;
mod stats;
mod unexpected;
mod word;

use std::time::Duration;

pub use breakdown::{Breakdown, Sums};
pub use counting_mode::{CountingMode, Evidence};
pub use id::{IdError, OperationId, PREFIX};
pub use outcome::{Counters, Marks, Outcome};
pub use plausible::MOST_EMAILS;
pub use state::OperationState;
pub use stats::{Stat, Stats, Status};
pub use unexpected::{ResponseField, Unexpected};
pub use word::Word;

use crate::timestamp::Timestamp;

/// How long Twilio keeps an operation's data after its creation; later responses "may yield incomplete results"
/// (<https://www.twilio.com/docs/email/api/operations-and-email-tracking>).
pub const RETENTION: Duration = Duration::from_hours(7 * 24);

/// One operation as Twilio returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// Its state.
    pub state: OperationState,
    /// Its stats.
    pub stats: Stats,
    /// `createdAt`, else the time in the id.
    pub created: Timestamp,
    /// `updatedAt`, if Twilio returned it.
    pub updated: Option<Timestamp>,
}

impl Operation {
    /// When it expires: Twilio may remove its data from then on.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.created + RETENTION
    }
}
