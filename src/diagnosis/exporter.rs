//! The findings about the exporter itself.

use std::fmt::Write;

use super::facts::ExporterFacts;
use super::finding::{Finding, Severity};

/// A rejected configuration may have any number of problems; a page shows the first ones.
const MOST_PROBLEMS: usize = 5;

/// What is wrong with the exporter itself, the worst first.
#[must_use]
pub fn exporter(facts: &ExporterFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(failed) = &facts.failed_reload {
        let more = failed.problems.len().saturating_sub(MOST_PROBLEMS);
        let mut cause = failed.problems[..failed.problems.len().min(MOST_PROBLEMS)].join("; ");
        if more > 0 {
            let _ = write!(cause, "; and {more} more in the log");
        }
        cause.push('.');
        findings.push(Finding {
            since: Some(failed.since),
            ..finding(
                Severity::Error,
                "reload_failed",
                "The new configuration is not loaded; the old one stays active",
                &cause,
                "Correct the configuration and reload it again.",
            )
        });
    }
    if facts.rebuilds > 0 {
        findings.push(finding(
            Severity::Warning,
            "registry_rebuilt",
            "The registry of operations panicked and was rebuilt from the saved state",
            "This is a bug of the exporter. Counters went on from what was saved.",
            "Report it with the lines of the log.",
        ));
    }
    if facts.files_lost > 0 {
        findings.push(finding(
            Severity::Warning,
            "state_file_lost",
            "The state file was removed or replaced while the exporter ran",
            "Something deleted the file, or another disk was mounted over it. The exporter began a new one from its memory.",
            "Make sure that nothing else writes to the state directory (--storage.path).",
        ));
    }
    if !facts.is_durable {
        findings.push(finding(
            Severity::Notice,
            "memory_only",
            "Counters are in memory alone",
            "The state directory is switched off (--storage.path \"\"), so counters begin anew after each restart.",
            "Give --storage.path a directory, unless this is a test.",
        ));
    }
    findings
}

fn finding(severity: Severity, code: &'static str, what: &str, cause: &str, cure: &str) -> Finding {
    Finding {
        severity,
        code,
        account: None,
        what: what.to_owned(),
        cause: cause.to_owned(),
        cure: cure.to_owned(),
        since: None,
    }
}
