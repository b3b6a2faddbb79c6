//! Which operations' emails are tallied, and what is known of them when that begins.

use std::collections::HashSet;

use crate::email::EmailId;
use crate::operation::OperationId;
use crate::timestamp::Timestamp;

use super::Deliveries;
use super::record::{DoneEmail, OpenEmail};
use super::tallies::{CREATED_BEFORE, CREATED_WITHIN, OperationTally, mark_of};

impl Deliveries {
    /// Tallies the emails of `ids` from now on, with those that are known already, and of no other operation. Of more than
    /// [`MOST_TALLIES`](super::MOST_TALLIES) operations, the first ones are tallied.
    pub fn tally_operations(&mut self, ids: &[OperationId], now: Timestamp) {
        self.tallies.set_time(now);
        let new = self.tallies.keep(ids);
        let created = new.iter().map(OperationId::created);
        let Some((first, last)) = created.clone().min().zip(created.max()) else {
            return;
        };
        let new: HashSet<u32> = new.into_iter().map(mark_of).collect();
        let first = EmailId::first_at(first - CREATED_BEFORE).to_bytes();
        let behind = EmailId::first_at(last + CREATED_WITHIN).to_bytes();
        let open = self.open.range(&first, &behind).map(|bytes| {
            let email = OpenEmail::from_bytes(bytes);
            (email.operation.short(), email.id, email.status)
        });
        let done = self.done.range(&first, &behind).map(|bytes| {
            let email = DoneEmail::from_bytes(bytes);
            (email.operation, email.id, email.status)
        });
        for (mark, id, status) in open.chain(done).filter(|(mark, ..)| new.contains(mark)) {
            self.tallies.add(mark, id, status);
        }
    }

    /// The emails of an operation, if it is tallied.
    #[must_use]
    pub fn tally(&self, id: OperationId) -> Option<&OperationTally> {
        self.tallies.get(id)
    }
}
