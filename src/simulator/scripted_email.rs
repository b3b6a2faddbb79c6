//! An email whose fields are all specified by a test.

use std::collections::BTreeMap;

use crate::operation::OperationId;
use crate::timestamp::Timestamp;

/// One email of an operation that a test has added. Created with `..ScriptedEmail::new(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedEmail {
    /// `status`, in upper case; the dialect may change its case.
    pub status: String,
    /// The address in `to`.
    pub to: String,
    /// The address in `from`.
    pub from: String,
    /// `createdAt`, which also is the time in its id; `None`: that of the operation.
    pub created: Option<Timestamp>,
    /// `updatedAt`.
    pub updated: Timestamp,
    /// `scheduledFor`.
    pub scheduled: Option<Timestamp>,
    /// `operationId`.
    pub operation: NamedOperation,
    /// `tags`.
    pub tags: BTreeMap<String, String>,
}

/// The operation in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedOperation {
    /// Its own.
    Own,
    /// Nothing.
    Missing,
    /// Another one.
    Other(OperationId),
}

impl ScriptedEmail {
    /// An email with this status since `updated`, to an address reserved for examples (RFC 2606).
    #[must_use]
    pub fn new(status: &str, updated: Timestamp) -> Self {
        Self {
            status: status.to_owned(),
            to: "reader@example.com".to_owned(),
            from: "news@example.com".to_owned(),
            created: None,
            updated,
            scheduled: None,
            operation: NamedOperation::Own,
            tags: BTreeMap::new(),
        }
    }
}
