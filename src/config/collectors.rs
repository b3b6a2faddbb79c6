//! The section `collectors`. The collector of single emails is not part of this version; its keys are checked all the same, and probes of
//! emails use the table of mailbox providers.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use super::Overrides;
use super::problem::Findings;
use super::providers_file;
use super::walk::Value;
use crate::email::Providers;

/// The most domains with series of their own; each has about ten.
const DOMAINS: RangeInclusive<usize> = 1..=10_000;

/// Reads the section `collectors`; the command line has priority. Returns the table of mailbox providers, if the section names one.
pub(super) fn read(
    value: Option<&Value>,
    overrides: &Overrides,
    directory: &Path,
    findings: &mut Findings,
) -> Option<Arc<Providers>> {
    let mut providers = None;
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
            if let Some(value) = emails.take("providers_file") {
                providers = providers_file::read(&value, directory, findings);
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
    providers
}
