//! The input of a plan: operations that are due, and ranges of the list that cover them.

use crate::operation::OperationId;
use crate::timestamp::Timestamp;

/// An operation that is due to be polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: OperationId,
    /// When the exporter last tried to read it, with or without success; 1970 if never. The oldest attempt is served first.
    pub last_attempt: Timestamp,
    /// Whether its state was `processing` at the last read.
    pub processing: bool,
}

/// Neighboring operations that one page of the list covers, and which of them are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRange {
    /// When the first of them was created.
    pub from: Timestamp,
    /// When the last of them was created, or later: a range extends to the next one.
    pub until: Timestamp,
    /// How many operations the range has.
    pub operations: usize,
    /// The due ones.
    pub due: Vec<Due>,
}
