//! The two ways to write an exposition. `text` writes both.

/// How an exposition is written. Versions of a format that differ only in their name have one syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Syntax {
    /// Prometheus' text format.
    #[default]
    Text,
    /// OpenMetrics.
    OpenMetrics,
}
