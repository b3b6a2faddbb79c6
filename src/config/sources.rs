//! Other places that ids may come from: known by name, held to their shape, and not read by this version.

use std::time::Duration;

use super::problem::Findings;
use super::walk::{Mapping, Value};
use super::{base_url, duration};

/// Checks `operation_files` and `operation_urls` of an account.
pub(super) fn check(account: &mut Mapping, findings: &mut Findings) {
    if let Some(files) = account.take("operation_files") {
        for file in files.list(findings).unwrap_or_default() {
            if file.text(findings).is_some_and(str::is_empty) {
                findings.problem(&file.place, "empty; name a file");
            }
        }
        findings.notice(&files.place, "operation_files is not read by this version");
    }
    if let Some(urls) = account.take("operation_urls") {
        for url in urls.list(findings).unwrap_or_default() {
            check_url(&url, findings);
        }
        findings.notice(&urls.place, "operation_urls is not read by this version");
    }
}

fn check_url(value: &Value, findings: &mut Findings) {
    let Some(mut mapping) = value.mapping(findings) else {
        return;
    };
    if let Some(url) = mapping.require("url", findings)
        && let Some(text) = url.text(findings)
    {
        check_http(&url.place, text, findings);
    }
    if let Some(interval) = mapping.take("refresh_interval")
        && let Some(text) = interval.text(findings)
        && findings.take(&interval.place, duration::parse(text)) == Some(Duration::ZERO)
    {
        findings.problem(&interval.place, "expected more than 0");
    }
    mapping.finish(findings);
}

/// As for a base URL, but a query may select.
fn check_http(place: &str, text: &str, findings: &mut Findings) {
    let address = text.split('?').next().unwrap_or(text);
    let checked = base_url::parse(address);
    findings.take(
        place,
        checked.map_err(|_| "expected an http:// or https:// URL without a password"),
    );
}
