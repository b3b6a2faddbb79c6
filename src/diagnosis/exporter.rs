//! The findings about the exporter itself: its configuration, its saves, its restarts of accounts, and whether it is scraped. They
//! are about no single account.

use std::fmt::Write;

use super::facts::ExporterFacts;
use super::finding::{Finding, Severity};
use crate::timestamp::Timestamp;

/// A rejected configuration may have any number of problems; a page shows the first ones.
const MOST_PROBLEMS: usize = 5;

/// What is wrong with the exporter itself, the worst first.
#[must_use]
pub fn exporter(facts: &ExporterFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(failed) = &facts.failed_reload {
        let shown = &failed.problems[..failed.problems.len().min(MOST_PROBLEMS)];
        let mut cause = match failed.problems.len() {
            1 => "The configuration has 1 problem:".to_owned(),
            count => format!("The configuration has {count} problems:"),
        };
        for problem in shown {
            let _ = write!(cause, "\n{problem}");
        }
        if failed.problems.len() > shown.len() {
            let more = failed.problems.len() - shown.len();
            let _ = write!(cause, "\nThe log has the other {more}.");
        }
        findings.push(finding(
            failed.since,
            Severity::Error,
            "reload_failed",
            "The new configuration is not loaded; the old one stays active",
            &cause,
            "Correct the configuration and reload it again.",
        ));
    }
    findings.extend(facts.not_scraped_since.map(not_scraped));
    if let Some(since) = facts.rebuilt_since {
        findings.push(finding(
            since,
            Severity::Warning,
            "registry_rebuilt",
            "The registry of operations panicked and was rebuilt from the saved state",
            "This is a bug of the exporter. Counters continue from the saved values.",
            "Report it with the lines of the log.",
        ));
    }
    if let Some(since) = facts.file_lost_since {
        findings.push(finding(
            since,
            Severity::Warning,
            "state_file_lost",
            "The state file was removed or replaced while the exporter ran",
            "Something deleted the file, or another disk was mounted over it. The exporter began a new one from its memory.",
            "Make sure that nothing else writes to the state directory (--storage.path).",
        ));
    }
    if let Some(since) = facts.memory_only_since {
        findings.push(finding(
            since,
            Severity::Notice,
            "memory_only",
            "Counters are in memory alone",
            "The state directory is switched off (--storage.path \"\"), so counters begin anew after each restart.",
            "Give --storage.path a directory, unless this is a test.",
        ));
    }
    findings
}

fn not_scraped(since: Timestamp) -> Finding {
    finding(
        since,
        Severity::Warning,
        "not_scraped",
        "Prometheus no longer scrapes this exporter",
        "Prometheus does not run, no longer has this target, or cannot reach this exporter. Values grow old, because a scrape starts each collection.",
        "Look at this target on the page /targets of Prometheus, and check its scrape configuration.",
    )
}

fn finding(
    since: Timestamp,
    severity: Severity,
    code: &'static str,
    what: &str,
    cause: &str,
    cure: &str,
) -> Finding {
    Finding {
        severity,
        code,
        account: None,
        what: what.to_owned(),
        cause: cause.to_owned(),
        cure: cure.to_owned(),
        since: Some(since),
    }
}
