//! One thing that is wrong.

use std::sync::Arc;

use serde::Serialize;

use crate::timestamp::Timestamp;

/// How much a finding matters. The order is that of the page: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Values are missing, wrong or too old.
    Error,
    /// Something works in part, or will fail soon.
    Warning,
    /// A limit or a setting that the user may want to change.
    Notice,
}

/// One thing that is wrong, with its cause and its cure. All texts are complete sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Its stable name, for programs.
    pub code: &'static str,
    /// The account that it is about; `None` if it is about the exporter.
    pub account: Option<Arc<str>>,
    /// What happened.
    pub what: String,
    /// Why, if that is known.
    pub cause: String,
    /// What to do.
    pub cure: String,
    /// When it began. Each finding about facts has it; `None` only for a log line, which is written when the failure begins.
    pub since: Option<Timestamp>,
}

impl Finding {
    /// The cause and the cure, for a log line whose message has what happened.
    #[must_use]
    pub fn log_text(&self) -> String {
        format!("{} {}", self.cause, self.cure)
    }
}

impl Severity {
    /// The severity in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}
