//! What is wrong, in sentences: turns the facts about an account, or about the exporter, into findings. Each has what happened, its
//! cause and its cure.
//!
//! The texts are here and nowhere else: the page and the log use the same ones for the same failure. A text never contains anything
//! from another server, a secret, or the path of a base URL.

mod account;
mod exporter;
mod facts;
mod finding;
mod merged;
mod request_failure;

pub use self::account::{
    account, emails_by_operation, emails_only, unreadable_operation, unsaved, wrong_clock,
};
pub use self::exporter::exporter;
pub use self::facts::{AccountFacts, BrokenSource, ExporterFacts, FailedReload, Ongoing};
pub use self::finding::{Finding, Severity};
pub use self::merged::merged;
pub use self::request_failure::{Login, RequestFailure};

#[cfg(test)]
mod tests;
