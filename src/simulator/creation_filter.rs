//! Which part of the account a list covers.

use crate::timestamp::Timestamp;

use super::id::OperationPosition;

/// Operations by their creation. Both times are included.
#[derive(Debug, Clone, Copy)]
pub(super) struct CreationFilter {
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// Only operations older than this one; that one, too, if the flag is set.
    pub(super) after: Option<(OperationPosition, bool)>,
}
