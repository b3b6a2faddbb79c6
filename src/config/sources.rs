//! The files and URLs that list an account's operations, in the formats of Prometheus' service discovery. Each URL has a name that
//! is unique in the account, because the name is a label.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::file_pattern::FilePattern;
use super::operation_url::{self, OperationUrl};
use super::problem::Findings;
use super::walk::Mapping;

/// Reads `operation_files` of an account. Relative paths start at `directory`, where the configuration is.
pub(super) fn files(
    account: &mut Mapping,
    directory: &Path,
    findings: &mut Findings,
) -> Vec<FilePattern> {
    let list = account.take("operation_files");
    let items = list.and_then(|value| value.list(findings));
    let mut patterns = Vec::new();
    for item in items.unwrap_or_default() {
        if let Some(text) = item.text(findings) {
            let pattern = FilePattern::parse(text, directory);
            patterns.extend(findings.take(&item.place, pattern));
        }
    }
    patterns
}

/// Reads `operation_urls` of an account.
pub(super) fn urls(
    account: &mut Mapping,
    directory: &Path,
    findings: &mut Findings,
) -> Vec<OperationUrl> {
    let list = account.take("operation_urls");
    let items = list.and_then(|value| value.list(findings));
    let mut urls: Vec<OperationUrl> = Vec::new();
    let mut places: Vec<String> = Vec::new();
    let mut called: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for item in items.unwrap_or_default() {
        let Some(mut url) = operation_url::read(&item, directory, findings) else {
            continue;
        };
        if let Some(first) = urls.iter().position(|each| each.url == url.url) {
            let message = format_args!("the same URL as {}", places[first]);
            findings.problem(&format!("{}.url", item.place), message);
            continue;
        }
        let times = called.entry(Arc::clone(&url.source)).or_default();
        *times += 1;
        if *times > 1 && url.is_named() {
            let message = "another source of this account has this name; give each one its own";
            findings.problem(&format!("{}.name", item.place), message);
            continue;
        }
        // Two URLs of one host that have the same fingerprint, which is rare.
        if *times > 1 {
            url.source = Arc::from(format!("{}#{times}", url.source));
        }
        places.push(format!("{}.url", item.place));
        urls.push(url);
    }
    urls
}
