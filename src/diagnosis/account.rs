//! The findings about one account. A failure that hides others is the only finding about requests, so that the page shows the cause
//! and not its effects.

use std::sync::Arc;

use super::facts::{AccountFacts, BrokenSource, Ongoing};
use super::finding::{Finding, Severity};
use super::request_failure::{EMAILS_REFUSED_CURE, RequestFailure};
use crate::clock_skew::ClockSkew;
use crate::operation::OperationId;
use crate::timestamp::Timestamp;

/// What to do about operations of another account.
const FOREIGN_IDS: &str = "Remove ids that do not belong to the account from the configuration or from the source that lists them.";

/// What is wrong with an account, the worst first.
#[must_use]
pub fn account(facts: &AccountFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(requests(facts));
    findings.extend(
        facts
            .wrong_clock
            .as_ref()
            .map(|skew| about(facts, skew.since, wrong_clock(skew.what))),
    );
    findings.extend(facts.unsaved.as_ref().map(|unsaved| {
        let finding = self::unsaved(unsaved.what.as_deref());
        about(facts, unsaved.since, finding)
    }));
    findings.extend(
        facts
            .broken_sources
            .iter()
            .map(|broken| source(facts, broken)),
    );
    let failing = facts.unreadable.as_ref().filter(|_| facts.up);
    findings.extend(failing.map(|failing| unreadable(facts, failing)));
    if findings.is_empty()
        && facts.up
        && let Some(since) = facts.incomplete_since
    {
        findings.push(incomplete(facts, since));
    }
    let hidden = facts.without_series.as_ref();
    findings.extend(hidden.map(|hidden| series(facts, hidden)));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// The finding that this machine's clock differs too much from Twilio's.
#[must_use]
pub fn wrong_clock(skew: ClockSkew) -> Finding {
    Finding {
        severity: Severity::Error,
        code: "wrong_clock",
        account: None,
        what: format!("This machine's clock is {skew}"),
        cause: "The clock is set wrong, or no time service corrects it. Operations would expire too early or too late, so collections count as incomplete.".to_owned(),
        cure: "Correct the clock: check NTP.".to_owned(),
        since: None,
    }
}

fn about(facts: &AccountFacts, since: Timestamp, finding: Finding) -> Finding {
    Finding {
        account: Some(facts.name.clone()),
        since: Some(since),
        ..finding
    }
}

/// Why requests fail: at most one finding, because one failure hides all others.
fn requests(facts: &AccountFacts) -> Option<Finding> {
    let is_paused = facts.paused_until.is_some() || facts.next_login_at.is_some();
    let is_down = facts.has_collected && !facts.up;
    let failure = facts.failure.as_ref();
    let list = facts.list_failure.as_ref();
    match failure.or(list) {
        Some(failure) if is_down || is_paused => Some(down(facts, failure)),
        _ => match &facts.paused_until {
            Some(pause) => {
                // Another kind of request, such as that for tags, was rejected.
                let failure = Ongoing {
                    what: RequestFailure::RateLimited,
                    since: pause.since,
                };
                Some(failed(facts, Severity::Warning, &failure))
            }
            None => list.map(|list| list_only(facts, list)),
        },
    }
}

fn failed(facts: &AccountFacts, severity: Severity, ongoing: &Ongoing<RequestFailure>) -> Finding {
    let failure = &ongoing.what;
    let mut cure = failure.cure(facts.login).to_owned();
    let retry = match (&facts.paused_until, facts.next_login_at) {
        (Some(pause), _) => format!(
            " The exporter makes no request until {}.",
            pause.what.to_minute()
        ),
        (None, Some(at)) => format!(
            " The exporter tries again at {}, or at once when the credentials change.",
            at.to_minute()
        ),
        (None, None) => String::new(),
    };
    cure.push_str(&retry);
    Finding {
        severity,
        code: failure.code(),
        account: Some(facts.name.clone()),
        what: failure.what(facts.login, Some(&facts.name)),
        cause: failure.cause(facts.login).to_owned(),
        cure,
        since: Some(ongoing.since),
    }
}

fn down(facts: &AccountFacts, failure: &Ongoing<RequestFailure>) -> Finding {
    let severity = match failure.what {
        // A rate limit ends by itself.
        RequestFailure::RateLimited => Severity::Warning,
        _ => Severity::Error,
    };
    let mut finding = failed(facts, severity, failure);
    if is_about_address(&failure.what) && !facts.host.is_empty() {
        finding.cause.push_str(" The base URL names ");
        finding.cause.push_str(&facts.host);
        finding.cause.push('.');
    }
    finding
}

/// Whether the host may be wrong.
const fn is_about_address(failure: &RequestFailure) -> bool {
    !matches!(
        failure,
        RequestFailure::Unauthorized
            | RequestFailure::Forbidden
            | RequestFailure::RateLimited
            | RequestFailure::BrokenList(_)
            | RequestFailure::NoToken(_)
    )
}

/// The finding that Twilio refuses the list of emails with `failure`, and returns operations.
#[must_use]
pub fn emails_only(facts: &AccountFacts, failure: &Ongoing<RequestFailure>) -> Finding {
    let name = &facts.name;
    let mut finding = failed(facts, Severity::Error, failure);
    let Some(status) = failure.what.refused_status() else {
        finding
            .cause
            .push_str(" Meanwhile, single emails and tags are not read.");
        return finding;
    };
    finding.what =
        format!("Twilio does not return the list of emails of account {name} ({status})");
    "Twilio returns operations, but refuses the list of emails, so single emails and tags are missing.".clone_into(&mut finding.cause);
    EMAILS_REFUSED_CURE.clone_into(&mut finding.cure);
    finding
}

/// The finding that Twilio refuses the list of all emails with `failure`, and returns those of an operation.
#[must_use]
pub fn emails_by_operation(facts: &AccountFacts, failure: &Ongoing<RequestFailure>) -> Finding {
    let mut finding = emails_only(facts, failure);
    finding.severity = Severity::Warning;
    "The emails of single operations can be read. The collector of emails reads those instead: a request for each operation whose stats have changed. Tags are read as before.".clone_into(&mut finding.cause);
    "Give the API key access to the list of all emails, which takes fewer requests."
        .clone_into(&mut finding.cure);
    finding
}

/// The finding that Twilio refuses the list, and returns single operations.
fn list_only(facts: &AccountFacts, failure: &Ongoing<RequestFailure>) -> Finding {
    let name = &facts.name;
    let mut finding = failed(facts, Severity::Error, failure);
    finding.cause = match failure.what {
        RequestFailure::Forbidden | RequestFailure::NoList(_) | RequestFailure::BadRequest(_) => {
            "Twilio returns single operations, but refuses the list of operations, so new operations are not found.".to_owned()
        }
        _ => format!("{} Meanwhile, new operations are not found.", finding.cause),
    };
    if matches!(failure.what, RequestFailure::Forbidden) {
        finding.what =
            format!("Twilio does not return the list of operations of account {name} (403)");
        "Give the API key access to the list, or set discovery: false and list the operations in the configuration, in a file or over HTTP.".clone_into(&mut finding.cure);
    }
    finding
}

/// The finding that counters cannot be saved because of `error`, or that a save hangs.
#[must_use]
pub fn unsaved(error: Option<&str>) -> Finding {
    let cause = error.map_or_else(|| "The disk does not respond.".to_owned(), sentence);
    Finding {
        severity: Severity::Error,
        code: "unsaved",
        account: None,
        what: "Counters cannot be saved".to_owned(),
        cause: format!("{cause} Counters keep their last saved values; gauges are current."),
        cure: "Check the disk of the state directory (--storage.path): its space, its permissions and whether it responds.".to_owned(),
        since: None,
    }
}

fn source(facts: &AccountFacts, broken: &BrokenSource) -> Finding {
    let name = &facts.name;
    Finding {
        severity: Severity::Warning,
        code: "broken_source",
        account: Some(name.clone()),
        what: format!(
            "A source of operations of account {name} cannot be used: {}",
            broken.source
        ),
        cause: sentence(&broken.error),
        cure: "Correct the source. The operations that it listed last stay until then.".to_owned(),
        since: Some(broken.since),
    }
}

fn unreadable(facts: &AccountFacts, failing: &Ongoing<usize>) -> Finding {
    let (name, count) = (&facts.name, failing.what);
    let operations = match count {
        1 => "One operation".to_owned(),
        _ => format!("{count} operations"),
    };
    Finding {
        severity: Severity::Warning,
        code: "unreadable_operations",
        account: Some(name.clone()),
        what: format!("{operations} of account {name} cannot be read"),
        cause: "The id belongs to another account, the operation has expired, or Twilio returns an error for it. Its last values stay.".to_owned(),
        cure: format!("See the log for the reason. {FOREIGN_IDS}"),
        since: Some(failing.since),
    }
}

fn incomplete(facts: &AccountFacts, since: Timestamp) -> Finding {
    let name = &facts.name;
    Finding {
        severity: Severity::Warning,
        code: "incomplete",
        account: Some(name.clone()),
        what: format!("The last collection of account {name} did not read everything that was due"),
        cause: match facts.budget_left {
            Some(0) => "The collection used all requests of its budget.",
            _ => "A page of the list failed, a row could not be read, or more operations are due than the account's rate limit allows.",
        }
        .to_owned(),
        cure: "If the next collections are complete, do nothing. Otherwise raise max_requests_per_second, if Twilio's limit allows it, and see the log.".to_owned(),
        since: Some(since),
    }
}

fn series(facts: &AccountFacts, hidden: &Ongoing<u64>) -> Finding {
    let (name, limit) = (&facts.name, facts.most_series);
    let operations = match hidden.what {
        1 => "one operation".to_owned(),
        count => format!("{count} operations"),
    };
    Finding {
        severity: Severity::Notice,
        code: "series_limit",
        account: Some(name.clone()),
        what: format!("The series limit hides {operations} of account {name}"),
        cause: format!("Series and this page have the configured and the newest operations that are large enough, at most {limit}. Totals and counters include all of them."),
        cure: "Raise --series.max-operations, or lower series.min_size, if you need series of the others.".to_owned(),
        since: Some(hidden.since),
    }
}

/// The finding that one operation of account `name` cannot be read, because of `error`.
#[must_use]
pub fn unreadable_operation(name: &Arc<str>, operation: OperationId, error: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "unreadable_operations",
        account: Some(Arc::clone(name)),
        what: format!("Operation {operation} of account {name} cannot be read"),
        cause: sentence(error),
        cure: FOREIGN_IDS.to_owned(),
        since: None,
    }
}

/// `text` as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}
