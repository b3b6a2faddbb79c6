//! What is kept, as values.

use std::sync::Arc;

use crate::operation::{Counters, Marks, Operation};
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

/// One operation as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedOperation {
    /// What was last seen of it.
    pub operation: Operation,
    /// When that was.
    pub last_success: Timestamp,
    /// When it last differed from what was seen before.
    pub last_change: Timestamp,
    /// The most that was ever seen of it, which is what it has given to the counters.
    pub marks: Marks,
    /// The groups it has given to, by label.
    pub credited: Labels,
    /// The tags of its first email, of those that are asked for; `None`: not known.
    pub tags: Option<Labels>,
}

/// What names a group: a label and a value of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// The label's name.
    pub label: Arc<str>,
    /// Its value.
    pub value: Arc<str>,
}

impl GroupKey {
    /// The group of `value`.
    #[must_use]
    pub fn new(label: &str, value: &str) -> Self {
        Self {
            label: Arc::from(label),
            value: Arc::from(value),
        }
    }
}

/// The counters of a group as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedGroup {
    /// Which group.
    pub key: GroupKey,
    /// Its counters.
    pub counters: Counters,
    /// When its last operation expires or expired.
    pub until: Timestamp,
    /// Until when its counters are exposed as 0, because they are new; `None`: they were exposed as they are.
    pub zero_until: Option<Timestamp>,
}

/// What stands for the birth of an account that has not begun to count: every operation is older.
pub const UNBORN: Timestamp = Timestamp::from_millis(i64::MAX);

/// What is kept of an account besides its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedAccount {
    /// When the exporter began to count, by Twilio's clock; operations created before are baseline. [`UNBORN`] until Twilio has
    /// answered.
    pub born: Timestamp,
    /// The counters as they were exposed.
    pub counters: Counters,
    /// Whether figures have proven that this account's stats are cumulative.
    pub cumulative_proven: bool,
    /// Until when the list of operations has been read without a gap.
    pub discovered_until: Option<Timestamp>,
}

/// What one transaction writes.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The account's name in the configuration.
    pub account: &'a str,
    /// How the account stands now.
    pub standing: &'a SavedAccount,
    /// The operations that changed.
    pub operations: &'a [SavedOperation],
    /// The groups that changed.
    pub groups: &'a [SavedGroup],
    /// The groups that are to be forgotten.
    pub ended: &'a [GroupKey],
    /// The [generation](super::Store::generation) in which the account was last kept whole: the batch has what changed since.
    pub generation: u64,
}
