//! The values that the store saves: operations, groups, accounts and batches. They are the store's interface; `record` and `tables`
//! define their bytes.

use std::sync::Arc;

use crate::operation::{Counters, Marks, Operation};
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

/// One saved operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedOperation {
    /// The operation at its last successful read.
    pub operation: Operation,
    /// The time of that read.
    pub last_success: Timestamp,
    /// The time of its last change.
    pub last_change: Timestamp,
    /// Its high-water marks, which are what the counters include of it.
    pub marks: Marks,
    /// The groups whose counters include it, by label.
    pub credited: Labels,
    /// The requested tags of its first email; `None`: not known.
    pub tags: Option<Labels>,
    /// The `scheduledFor` of its first email; `None`: it has none, or it is not known.
    pub scheduled_for: Option<Timestamp>,
}

/// The key of a group: a label and one of its values.
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

/// The saved counters of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedGroup {
    /// The key of the group.
    pub key: GroupKey,
    /// Its counters.
    pub counters: Counters,
    /// When its last operation expires or expired.
    pub until: Timestamp,
    /// The time until which its counters are exposed as 0, because they are new; `None`: they were exposed as they are.
    pub zero_until: Option<Timestamp>,
}

/// The `born` of an account that has not begun to count: every operation was created before it.
pub const UNBORN: Timestamp = Timestamp::from_millis(i64::MAX);

/// The saved state of an account, except its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedAccount {
    /// When the exporter began to count, by Twilio's clock; operations created before are baseline. [`UNBORN`] until Twilio
    /// has responded.
    pub born: Timestamp,
    /// The counters as they were exposed.
    pub counters: Counters,
    /// Whether stats have proven that this account's counting mode is `cumulative`.
    pub cumulative_proven: bool,
    /// The time until which the list of operations has been read without a gap.
    pub discovered_until: Option<Timestamp>,
}

/// The content of one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The account's name in the configuration.
    pub account: &'a str,
    /// The state of the account.
    pub standing: &'a SavedAccount,
    /// The operations that changed.
    pub operations: &'a [SavedOperation],
    /// The groups that changed.
    pub groups: &'a [SavedGroup],
    /// The groups to delete.
    pub removed: &'a [GroupKey],
    /// The [generation](super::Store::generation) in which the whole account was last saved: the batch has the changes since.
    pub generation: u64,
}
