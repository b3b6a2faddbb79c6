//! The filter of a list by creation time and position. Pages use it as well, so that new operations do not shift later pages.

use crate::timestamp::Timestamp;

use super::id::OperationPosition;

/// Selects operations by their creation. Both times are inclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct CreationFilter {
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// Only operations older than this position; if the flag is set, including it.
    pub(super) after: Option<(OperationPosition, bool)>,
}
