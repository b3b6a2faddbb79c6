//! The facts that findings are made of. The modules that collect facts do not decide what is wrong;
//! [`super::account`](super::account()) and [`super::exporter`](super::exporter()) do.

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
    /// When that began.
    pub since: Timestamp,
}

/// The facts about one account.
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
    /// When collections that authenticate began to be incomplete; `None` if the last one was complete.
    pub incomplete_since: Option<Timestamp>,
    /// Why no request of the account succeeds.
    pub failure: Option<Ongoing<RequestFailure>>,
    /// Why Twilio does not return the list of operations.
    pub list_failure: Option<Ongoing<RequestFailure>>,
    /// The end of the current pause, and when the server began to limit requests.
    pub paused_until: Option<Ongoing<Timestamp>>,
    /// When rejected credentials are tried again.
    pub next_login_at: Option<Timestamp>,
    /// The difference of the clocks, if it is too large.
    pub wrong_clock: Option<Ongoing<ClockSkew>>,
    /// When changes of its counters began to be unsaved, if that is longer ago than a save takes; with the error, if there is one.
    pub unsaved: Option<Ongoing<Option<String>>>,
    /// How many operations cannot be read, and when such failures began.
    pub unreadable: Option<Ongoing<usize>>,
    /// Sources of operations that cannot be used.
    pub broken_sources: Vec<BrokenSource>,
    /// How many operations the series limit hides, and when it began to hide any.
    pub without_series: Option<Ongoing<u64>>,
    /// The series limit.
    pub most_series: usize,
    /// How many requests a collection may make.
    pub budget: usize,
    /// How many of them the last collection did not use; `None` before the first.
    pub budget_left: Option<usize>,
    /// Whether counters are saved to disk.
    pub is_durable: bool,
}

/// A reload that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedReload {
    /// The problems, each with its place and its cure.
    pub problems: Vec<String>,
    /// When reloads began to fail.
    pub since: Timestamp,
}

/// The facts about the exporter itself.
#[derive(Debug, Clone, Default)]
pub struct ExporterFacts {
    /// The last reload, if it failed.
    pub failed_reload: Option<FailedReload>,
    /// When an account's registry panicked and was rebuilt for the first time.
    pub rebuilt_since: Option<Timestamp>,
    /// When a state file was lost for the first time.
    pub file_lost_since: Option<Timestamp>,
    /// The start of the exporter, if counters are in memory only.
    pub memory_only_since: Option<Timestamp>,
    /// The last scrape, if it was longer ago than any scrape interval.
    pub not_scraped_since: Option<Timestamp>,
}
