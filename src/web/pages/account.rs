//! The facts about one account on the page `/`. The HTML and the JSON have the same facts.

use std::sync::Arc;

use serde::Serialize;

use crate::collector::AccountOverview;
use crate::operation::{Breakdown, Sums};
use crate::timestamp::Timestamp;

/// Whether requests of the account reach Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Connection {
    /// The first collection is running.
    Starting,
    /// The last collection reached Twilio and authenticated.
    Reached,
    /// No request is made until the end of a pause.
    Paused,
    /// The last collection did not reach Twilio, or Twilio rejected the credentials.
    NotReached,
}

/// How the list of operations is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Discovery {
    /// Not known yet.
    Unknown,
    /// Twilio returns the list.
    Listing,
    /// Twilio does not return the list.
    Failing,
    /// The configuration switches it off.
    Off,
}

/// Whether the counters are on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Counters {
    /// All changes are saved.
    Saved,
    /// Changes wait to be saved.
    Unsaved,
    /// They are in memory only, as configured.
    MemoryOnly,
}

/// One account.
#[derive(Debug, Serialize)]
pub(super) struct AccountSummary {
    pub(super) name: Arc<str>,
    pub(super) connection: Connection,
    pub(super) discovery: Discovery,
    /// Whether the last collection read everything due.
    pub(super) complete: bool,
    /// Operations of the last seven days.
    pub(super) operations: u64,
    /// The number of them that have series.
    pub(super) operations_with_series: u64,
    /// The series limit.
    pub(super) series_limit: usize,
    /// `null` before anything was read: 0 would look like a count.
    pub(super) emails: Option<Breakdown>,
    #[serde(flatten)]
    pub(super) outcome: Option<Sums>,
    /// When a collection was last complete.
    pub(super) last_success: Option<String>,
    /// How long ago that was.
    pub(super) age_seconds: Option<u64>,
    /// Requests that a collection may make, and those that the last one did not use.
    pub(super) request_budget: usize,
    pub(super) requests_left: Option<usize>,
    pub(super) paused_until: Option<String>,
    pub(super) next_login_at: Option<String>,
    pub(super) counters: Counters,
    pub(super) unsaved_since: Option<String>,
    #[serde(skip)]
    pub(super) times: Times,
}

/// The same times, for sentences.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) last_success: Option<Timestamp>,
    pub(super) paused_until: Option<Timestamp>,
    pub(super) next_login_at: Option<Timestamp>,
    pub(super) unsaved_since: Option<Timestamp>,
}

impl AccountSummary {
    pub(super) fn new(overview: &AccountOverview, now: Timestamp) -> Self {
        let (snapshot, facts) = (&overview.snapshot, &overview.facts);
        let status = &snapshot.status;
        let has_collected = status.duration.is_some();
        let connection = match (status.paused_until, status.up) {
            (Some(_), _) => Connection::Paused,
            (None, true) => Connection::Reached,
            (None, false) if has_collected => Connection::NotReached,
            (None, false) => Connection::Starting,
        };
        let discovery = match status.discovery_up {
            Some(true) => Discovery::Listing,
            Some(false) => Discovery::Failing,
            None if has_collected => Discovery::Off,
            None => Discovery::Unknown,
        };
        let unsaved_since = facts.unsaved.as_ref().map(|unsaved| unsaved.since);
        let counters = match unsaved_since {
            _ if !facts.is_durable => Counters::MemoryOnly,
            Some(_) => Counters::Unsaved,
            None => Counters::Saved,
        };
        let shown = snapshot.operations.len() as u64;
        let emails =
            Breakdown::of_counts(|status| snapshot.totals.at(status), snapshot.counting_mode);
        // After a restart, the store has the earlier counts.
        let is_known = status.last_success.is_some() || emails != Breakdown::default();
        let emails = is_known.then_some(emails);
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            name: Arc::clone(&snapshot.name),
            connection,
            discovery,
            complete: status.complete,
            operations: shown + snapshot.without_series,
            operations_with_series: shown,
            series_limit: facts.most_series,
            emails,
            outcome: emails.map(|emails| emails.sums()),
            last_success: text(status.last_success),
            age_seconds: status
                .last_success
                .map(|success| now.since(success).as_secs()),
            request_budget: facts.budget,
            requests_left: facts.budget_left,
            paused_until: text(status.paused_until),
            next_login_at: text(facts.next_login_at),
            counters,
            unsaved_since: text(unsaved_since),
            times: Times {
                last_success: status.last_success,
                paused_until: status.paused_until,
                next_login_at: facts.next_login_at,
                unsaved_since,
            },
        }
    }
}
