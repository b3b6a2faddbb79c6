//! The first email of an operation: its tags and the time for which the operation is scheduled.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::timestamp::Timestamp;

/// The longest time between the creation of an email and its `scheduledFor`. Twilio documents no limit; a later time is wrong.
const LATEST_SCHEDULE: Duration = Duration::from_hours(366 * 24);
/// `scheduledFor` may be this much before the creation, because clocks differ.
const EARLIEST_SCHEDULE: Duration = Duration::from_hours(24);

/// The first email of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirstEmail {
    /// Its tags, by name.
    pub tags: BTreeMap<String, String>,
    /// `scheduledFor`; `None` if the email has none, or an impossible one.
    pub scheduled_for: Option<Timestamp>,
}

/// Whether an email that was created at `created` can be scheduled for `time`.
#[must_use]
pub fn can_be_scheduled(created: Timestamp, time: Timestamp) -> bool {
    (created - EARLIEST_SCHEDULE..=created + LATEST_SCHEDULE).contains(&time)
}
