//! The operations that are left out when there are too many emails. Whole operations are left out, so that each operation is counted
//! completely or not at all.
//!
//! While there is no room, no new operation is admitted; emails of known operations are. When there is room again, operations created from
//! then on are admitted. Those created before stay left out unless they are known, because some of their emails may have been left out.

use crate::operation::{OperationId, RETENTION};
use crate::timestamp::Timestamp;

use super::record::OperationMark;

/// There is room again when one in this many emails has been removed.
const SHARE_TO_FREE: usize = 10;
/// A time after every creation.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// The limit of emails, and the operations that it leaves out.
#[derive(Debug)]
pub(super) struct Capacity {
    most: usize,
    /// Operations created from this time on are admitted; [`NEVER`] while there is no room.
    admitted_from: Timestamp,
    /// The known operations, by [`OperationMark::short`] and sorted, while some are left out. Two operations may share a mark; then
    /// both count as known.
    known: Option<Vec<u32>>,
    /// How many emails were left out. An email counts each time it is read.
    left_out: u64,
}

impl Capacity {
    /// Room for `most` emails.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            admitted_from: Timestamp::default(),
            known: None,
            left_out: 0,
        }
    }

    pub(super) const fn set_most(&mut self, most: usize) {
        self.most = most;
    }

    pub(super) const fn admitted_from(&self) -> Timestamp {
        self.admitted_from
    }

    pub(super) const fn restore(&mut self, admitted_from: Timestamp) {
        self.admitted_from = admitted_from;
    }

    /// Whether `emails` take more than half of the room.
    pub(super) const fn is_above_half(&self, emails: usize) -> bool {
        emails > self.most / 2
    }

    /// How many emails were left out. An email counts each time it is read.
    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether there is no room.
    pub(super) fn is_full(&self) -> bool {
        self.admitted_from == NEVER
    }

    /// Whether a new email is admitted. `emails` is the number of known emails, and `marks` are the marks of their operations. An email
    /// without an operation is admitted by its own creation time.
    pub(super) fn admits<M: Iterator<Item = u32>>(
        &mut self,
        operation: Option<OperationId>,
        created: Timestamp,
        emails: usize,
        marks: impl Fn() -> M,
    ) -> bool {
        if emails >= self.most && !self.is_full() {
            self.admitted_from = NEVER;
            self.known = None;
        }
        let created = operation.map_or(created, |operation| operation.created());
        if created >= self.admitted_from {
            return true;
        }
        let known = self.known.get_or_insert_with(|| {
            let mut known: Vec<u32> = Vec::new();
            for mark in marks() {
                // Emails of one operation are next to each other.
                if known.last() != Some(&mark) {
                    known.push(mark);
                }
            }
            known.sort_unstable();
            known.dedup();
            known.shrink_to_fit();
            known
        });
        let mark = OperationMark::of(operation);
        let is_known = mark != OperationMark::NONE && known.binary_search(&mark.short()).is_ok();
        self.left_out += u64::from(!is_known);
        is_known
    }

    /// Notes the time and the number of known emails, after emails have expired.
    pub(super) fn pass(&mut self, emails: usize, now: Timestamp) {
        if self.is_full() && emails <= self.most - self.most / SHARE_TO_FREE {
            self.admitted_from = now;
        }
        if !self.is_full() && self.admitted_from + RETENTION <= now {
            self.admitted_from = Timestamp::default();
            self.known = None;
        }
    }
}
