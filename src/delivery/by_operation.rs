//! Counts the emails of single operations by status, and lists the emails that were created between two times. The comparison with
//! stats and the lists by status need them.

use std::collections::HashSet;

use crate::email::{EmailId, EmailStatus};
use crate::operation::OperationId;
use crate::timestamp::Timestamp;

use super::Deliveries;
use super::operation_emails::EmailsByStatus;
use super::record::{DoneEmail, OpenEmail};
use super::tallies::{CREATED_BEFORE, CREATED_WITHIN, OperationTally, mark_of};

impl Deliveries {
    /// From now on tallies the emails of `ids` and of no other operation, known emails included. Tallies at most the first
    /// [`MOST_TALLIES`](super::MOST_TALLIES) operations.
    pub fn tally_operations(&mut self, ids: &[OperationId], now: Timestamp) {
        self.tallies.set_time(now);
        let new = self.tallies.keep(ids);
        let created = new.iter().map(OperationId::created);
        let Some((first, last)) = created.clone().min().zip(created.max()) else {
            return;
        };
        let new: HashSet<u32> = new.into_iter().map(mark_of).collect();
        let (from, until) = (first - CREATED_BEFORE, last + CREATED_WITHIN);
        let emails = self.created(from, until);
        let emails: Vec<_> = emails.filter(|(mark, ..)| new.contains(mark)).collect();
        for (mark, id, status) in emails {
            self.tallies.add(mark, id, status);
        }
    }

    /// The number of known emails created from `from` on and before `until`, by status.
    #[must_use]
    pub fn statuses_created(&self, from: Timestamp, until: Timestamp) -> EmailsByStatus {
        let mut statuses = EmailsByStatus::default();
        for (_, _, status) in self.created(from, until) {
            statuses[status as usize] += 1;
        }
        statuses
    }

    /// The known emails created from `from` on and before `until` that have this status.
    #[must_use]
    pub fn created_with(
        &self,
        status: EmailStatus,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<EmailId> {
        let emails = self.created(from, until);
        let emails = emails.filter(|(_, _, own)| *own == status);
        emails.map(|(_, id, _)| id).collect()
    }

    /// The known emails created from `from` on and before `until`: the mark of the operation, the id and the status of each.
    fn created(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (u32, EmailId, EmailStatus)> {
        let from = EmailId::first_at(from).to_bytes();
        let until = EmailId::first_at(until).to_bytes();
        let open = self.open.range(&from, &until).map(|bytes| {
            let email = OpenEmail::from_bytes(bytes);
            (email.operation.short(), email.id, email.status)
        });
        let done = self.done.range(&from, &until).map(|bytes| {
            let email = DoneEmail::from_bytes(bytes);
            (email.operation, email.id, email.status)
        });
        open.chain(done)
    }

    /// The emails of an operation, if it is tallied.
    #[must_use]
    pub fn tally(&self, id: OperationId) -> Option<&OperationTally> {
        self.tallies.get(id)
    }
}
