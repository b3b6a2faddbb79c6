//! The emails of chosen operations by status, to compare them with the operations' stats.
//!
//! An email in memory has a mark of its operation, and two operations may have the same one. Then an operation seems to have more emails than it
//! has, and is not compared. Emails that were created long before or after an operation are not its own, which makes that rare.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::email::{EmailId, EmailStatus};
use crate::operation::OperationId;
use crate::timestamp::Timestamp;

use super::operation_emails::EmailsByStatus;
use super::record::OperationMark;

/// The most operations that are compared. Each takes about 150 bytes.
pub const MOST_TALLIES: usize = 10_000;
/// An operation creates its emails within this time. Twilio documents no limit; ten thousand emails take minutes.
pub(super) const CREATED_WITHIN: Duration = Duration::from_hours(24);
/// The times in the ids of an operation and of its emails may differ by this much.
pub(super) const CREATED_BEFORE: Duration = Duration::from_mins(1);

/// The emails of one operation that have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationTally {
    /// Their number by status.
    pub statuses: EmailsByStatus,
    /// When the first and the last one were created; `None` without emails.
    pub created: Option<(Timestamp, Timestamp)>,
    /// When a row last changed one of them, by Twilio's clock.
    pub changed: Timestamp,
}

impl OperationTally {
    /// The number of emails.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.statuses.iter().sum()
    }

    /// Whether the status of any of them may change.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let statuses = EmailStatus::ALL.iter().zip(self.statuses);
        statuses
            .filter(|(status, _)| !status.is_final())
            .any(|(_, emails)| emails > 0)
    }
}

/// The tallies of the operations that are compared.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// By [`OperationMark::short`].
    by_mark: HashMap<u32, (OperationId, OperationTally)>,
    /// The time of the current row, by Twilio's clock.
    now: Timestamp,
}

impl Tallies {
    /// Notes when the rows that follow were read.
    pub(super) const fn set_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    pub(super) fn get(&self, id: OperationId) -> Option<&OperationTally> {
        let (own, tally) = self.by_mark.get(&mark_of(id))?;
        (*own == id).then_some(tally)
    }

    /// Adds an email with the status of the row that was just read.
    pub(super) fn add(&mut self, mark: u32, id: EmailId, status: EmailStatus) {
        let now = self.now;
        let Some(tally) = self.tally(mark, id) else {
            return;
        };
        tally.statuses[status as usize] += 1;
        let created = id.created();
        let (first, last) = tally.created.unwrap_or((created, created));
        tally.created = Some((first.min(created), last.max(created)));
        tally.changed = tally.changed.max(now);
    }

    /// Removes an email that had this status.
    pub(super) fn remove(&mut self, mark: u32, id: EmailId, status: EmailStatus) {
        if let Some(tally) = self.tally(mark, id) {
            let emails = &mut tally.statuses[status as usize];
            *emails = emails.saturating_sub(1);
        }
    }

    fn tally(&mut self, mark: u32, id: EmailId) -> Option<&mut OperationTally> {
        let (operation, tally) = self.by_mark.get_mut(&mark)?;
        is_of(*operation, id).then_some(tally)
    }

    /// Keeps the tallies of `ids` only, and begins empty ones for those that are new. Returns these.
    pub(super) fn keep(&mut self, ids: &[OperationId]) -> Vec<OperationId> {
        let wanted: HashSet<OperationId> = ids.iter().take(MOST_TALLIES).copied().collect();
        self.by_mark.retain(|_, (id, _)| wanted.contains(id));
        let mut new = Vec::new();
        for id in wanted {
            self.by_mark.entry(mark_of(id)).or_insert_with(|| {
                new.push(id);
                let tally = OperationTally {
                    statuses: EmailsByStatus::default(),
                    created: None,
                    changed: self.now,
                };
                (id, tally)
            });
        }
        new
    }
}

pub(super) fn mark_of(id: OperationId) -> u32 {
    OperationMark::of(Some(id)).short()
}

/// Whether an email can be one of an operation, by the times of their creation.
fn is_of(operation: OperationId, email: EmailId) -> bool {
    let (operation, email) = (operation.created(), email.created());
    (operation - CREATED_BEFORE..operation + CREATED_WITHIN).contains(&email)
}
