//! The facts that findings are made of. Who collects them judges nothing.

use std::sync::Arc;

use super::request_failure::{Login, RequestFailure};
use crate::clock_skew::ClockSkew;
use crate::timestamp::Timestamp;

/// Something that lasts, and when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ongoing<T> {
    /// What lasts.
    pub what: T,
    /// When it began.
    pub since: Timestamp,
}

/// A source of operations that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenSource {
    /// The path of the file, or the source name of the URL.
    pub source: Arc<str>,
    /// Why, and what to do: a text of the exporter's own.
    pub error: String,
    /// Since when.
    pub since: Timestamp,
}

/// The facts about one account.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any two of them can be true"
)]
#[derive(Debug, Clone, Default)]
pub struct AccountFacts {
    /// Its configured name.
    pub name: Arc<str>,
    /// How it authenticates.
    pub login: Login,
    /// The host of its base URL, with the port if there is one.
    pub host: String,
    /// Whether a collection has ever finished.
    pub has_collected: bool,
    /// Whether the last collection reached Twilio and authenticated.
    pub up: bool,
    /// Whether everything due was read.
    pub complete: bool,
    /// Why no request of the account succeeds.
    pub failure: Option<Ongoing<RequestFailure>>,
    /// Why Twilio does not return the list of operations.
    pub list_failure: Option<Ongoing<RequestFailure>>,
    /// The end of the current pause.
    pub paused_until: Option<Timestamp>,
    /// When rejected credentials are tried again.
    pub next_login_at: Option<Timestamp>,
    /// The difference of the clocks, if it is too large.
    pub wrong_clock: Option<ClockSkew>,
    /// Changes of its counters that wait to be saved for longer than a save takes; with the error, if there is one.
    pub unsaved: Option<Ongoing<Option<String>>>,
    /// Operations that cannot be read.
    pub unreadable: usize,
    /// Sources of operations that cannot be used.
    pub broken_sources: Vec<BrokenSource>,
    /// Operations that the series limit hides.
    pub without_series: u64,
    /// The series limit.
    pub most_series: usize,
    /// How many requests a collection may make.
    pub budget: usize,
    /// How many of them the last collection left; `None` before the first.
    pub budget_left: Option<usize>,
    /// Whether counters are on a disk.
    pub is_durable: bool,
}

/// A reload that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedReload {
    /// The problems, each with its place and its cure.
    pub problems: Vec<String>,
    /// When the first reload failed that was followed by no successful one.
    pub since: Timestamp,
}

/// The facts about the exporter itself.
#[derive(Debug, Clone, Default)]
pub struct ExporterFacts {
    /// The last reload, if it failed.
    pub failed_reload: Option<FailedReload>,
    /// How many times an account's registry panicked and was rebuilt.
    pub rebuilds: u64,
    /// How many state files were lost.
    pub files_lost: u64,
    /// Whether counters are on a disk.
    pub is_durable: bool,
    /// The last scrape, if it was longer ago than any scrape interval.
    pub not_scraped_since: Option<Timestamp>,
}
