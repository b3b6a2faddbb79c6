//! The section `collectors`. The collector of single emails is not part of this version; its keys are still checked.

use std::ops::RangeInclusive;

use super::Overrides;
use super::problem::Findings;
use super::walk::Value;

/// The most domains with series of their own; each has about ten.
const DOMAINS: RangeInclusive<usize> = 1..=10_000;

/// Checks the section `collectors`. The command line has priority.
pub(super) fn check(value: Option<&Value>, overrides: &Overrides, findings: &mut Findings) {
    let mut place = "--collector.emails".to_owned();
    let mut enabled = overrides.emails_collector;
    if let Some(mut collectors) = value.and_then(|value| value.mapping(findings)) {
        let emails = collectors.take("emails");
        if let Some(mut emails) = emails.and_then(|value| value.mapping(findings)) {
            let flag = emails.take("enabled");
            if let Some(flag) = flag
                && let Some(written) = flag.boolean(findings)
                && enabled.is_none()
            {
                enabled = Some(written);
                place = flag.place;
            }
            if let Some(value) = emails.take("max_domains") {
                value.whole(&DOMAINS, findings);
            }
            emails.finish(findings);
        }
        collectors.finish(findings);
    }
    if enabled == Some(true) {
        findings.notice(
            &place,
            "the emails collector is not part of this version: nothing is collected",
        );
    }
}
