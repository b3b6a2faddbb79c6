//! How far work on all operations has come that changes more than their records. Such work visits operations in the order of their ids, so
//! it continues behind the last one, whatever changes meanwhile.

use crate::operation::OperationId;

/// Work on all operations that changes more than records, and where it continues.
#[derive(Debug, Default)]
pub(super) struct Walks {
    pub(super) relabel: Option<Relabel>,
    pub(super) dropping: Dropping,
    /// Operations were loaded, and may have had other labels when they were saved.
    pub(super) is_restored: bool,
}

/// Whether the operations that no source lists are being dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Dropping {
    #[default]
    No,
    /// From all chunks.
    FromStart,
    /// From all chunks after the one that began with this operation.
    After(OperationId),
}

/// All operations get the labels that they have now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Relabel {
    /// The last operation that got them.
    pub(super) last: Option<OperationId>,
    /// Whether other tags are wanted, so that all tags are requested again.
    pub(super) wants_tags_again: bool,
}
