//! The times in a row, if they can be right. Others are left out and noted.

use std::time::Duration;

use crate::operation::{RETENTION, ResponseField, Unexpected};
use crate::timestamp::Timestamp;

/// The largest difference between `createdAt` and the time in the id. `createdAt` has whole seconds and may be a little later. Beyond this,
/// `createdAt` is wrong, because the id identifies the operation.
const SAME_DAY: Duration = Duration::from_hours(24);

/// `createdAt`, unless it contradicts the time in the id. An error is a value that is no time.
pub(super) fn created(
    given: Result<Option<Timestamp>, ()>,
    from_id: Timestamp,
    unexpected: &mut Unexpected,
) -> Timestamp {
    let is_near =
        |given: &Timestamp| given.since(from_id) <= SAME_DAY && from_id.since(*given) <= SAME_DAY;
    match given {
        Ok(None) => from_id,
        Ok(Some(given)) if is_near(&given) => given,
        _ => {
            unexpected.note(ResponseField::CreatedAt);
            from_id
        }
    }
}

/// `updatedAt`, unless it is before the creation or after the expiry. An error is a value that is no time.
pub(super) fn updated(
    given: Result<Option<Timestamp>, ()>,
    created: Timestamp,
    unexpected: &mut Unexpected,
) -> Option<Timestamp> {
    let can_be =
        |given: &Timestamp| (created - SAME_DAY..=created + RETENTION + SAME_DAY).contains(given);
    let updated = given.ok().flatten().filter(can_be);
    if updated.is_none() && given != Ok(None) {
        unexpected.note(ResponseField::UpdatedAt);
    }
    updated
}
