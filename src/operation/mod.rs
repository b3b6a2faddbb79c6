//! An Email operation: what one send became, in values that have been checked.

mod counting_mode;
mod id;
mod outcome;
mod plausible;
mod state;
mod stats;
mod unexpected;
mod word;

use std::time::Duration;

pub use counting_mode::{CountingMode, Evidence};
pub use id::{IdError, OperationId, PREFIX};
pub use outcome::{Counters, Marks, Outcome};
pub use plausible::MOST_EMAILS;
pub use state::OperationState;
pub use stats::{Stats, Status};
pub use unexpected::{Field, Unexpected};
pub use word::Word;

use crate::timestamp::Timestamp;

/// How long Twilio keeps an operation's data after its creation; later answers "may yield incomplete results"
/// (<https://www.twilio.com/docs/email/api/operations-and-email-tracking>).
pub const RETENTION: Duration = Duration::from_hours(7 * 24);

/// One operation as Twilio described it in one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// Where it stands.
    pub state: OperationState,
    /// How many of its emails stand where.
    pub stats: Stats,
    /// `createdAt`, else the time in the id.
    pub created: Timestamp,
    /// `updatedAt`, where Twilio gave it.
    pub updated: Option<Timestamp>,
}

impl Operation {
    /// When Twilio stops keeping it.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.created + RETENTION
    }
}
