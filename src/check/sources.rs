//! The files and the URLs that list operations, each read once. They are read with the code of the exporter, so the problems have
//! the same texts.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::result::{CheckResult, Status};
use super::settings::Settings;
use crate::config::Account;
use crate::diagnosis::{self, AccountFacts, BrokenSource};
use crate::sources::{FILE_MISSING, NO_FILE_YET, News, Sources};

/// The names of the checks.
const FILES: &str = "operation_files";
const URLS: &str = "operation_urls";

/// The results about the sources of `account`: the files, then the URLs, each sorted by name.
pub(super) async fn check(account: &Account, settings: &Settings<'_>) -> Vec<CheckResult> {
    if account.operation_files.is_empty() && account.operation_urls.is_empty() {
        return Vec::new();
    }
    let instruments = settings.instruments.sources(&account.name);
    let sources = Sources::new(account, instruments, settings.clock.clone());
    let (mut results, urls) = tokio::join!(
        files(account, &sources, settings),
        urls(account, &sources, settings)
    );
    results.extend(urls);
    results
}

async fn files(account: &Account, sources: &Sources, settings: &Settings<'_>) -> Vec<CheckResult> {
    let news = Mutex::new(Vec::new());
    let is_complete = sources.reread(|each| news.lock().push(each)).await;
    let news = news.into_inner();
    let named: BTreeSet<Arc<str>> = news.iter().map(name).cloned().collect();
    let mut results = judge(FILES, account, settings, news);
    for pattern in &account.operation_files {
        if named.iter().any(|name| pattern.names(Path::new(&**name))) {
            continue;
        }
        let what = match (is_complete, pattern.is_glob()) {
            (false, _) => {
                "Reading the files that list operations takes too long, or their directory cannot be read"
            }
            (true, true) => NO_FILE_YET,
            (true, false) => FILE_MISSING,
        };
        let what = format!("{pattern}: {what}");
        results.push(if is_complete {
            CheckResult::warning(FILES, what)
        } else {
            CheckResult::failed(FILES, what)
        });
    }
    results
}

async fn urls(account: &Account, sources: &Sources, settings: &Settings<'_>) -> Vec<CheckResult> {
    if account.operation_urls.is_empty() {
        return Vec::new();
    }
    if settings.offline {
        let why = "With --offline, URLs that list operations are not requested";
        return vec![CheckResult::skipped(URLS, why)];
    }
    let news = Mutex::new(Vec::new());
    sources.fetch(|each| news.lock().push(each)).await;
    judge(URLS, account, settings, news.into_inner())
}

/// One result per source.
fn judge(
    check: &'static str,
    account: &Account,
    settings: &Settings<'_>,
    mut news: Vec<News>,
) -> Vec<CheckResult> {
    news.sort_by(|one, other| name(one).cmp(name(other)));
    let mut results = Vec::new();
    for each in news {
        match each {
            News::Listed { source, operations } => {
                let operations = match operations.len() {
                    1 => "1 operation".to_owned(),
                    many => format!("{many} operations"),
                };
                let what = format!("{source} lists {operations}");
                results.push(CheckResult::ok(check, what));
            }
            News::Broken { source, error } => {
                let facts = AccountFacts {
                    name: Arc::clone(&account.name),
                    broken_sources: vec![BrokenSource {
                        source,
                        error: error.to_string(),
                        since: settings.clock.now(),
                    }],
                    ..AccountFacts::default()
                };
                for finding in diagnosis::account(&facts) {
                    // The exporter has an older list; a check has none.
                    results.push(CheckResult {
                        status: Status::Failed,
                        ..CheckResult::finding(check, finding)
                    });
                }
            }
            // A check reads each source for the first time.
            News::Gone { .. } => {}
        }
    }
    results
}

const fn name(news: &News) -> &Arc<str> {
    match news {
        News::Listed { source, .. } | News::Gone { source } | News::Broken { source, .. } => source,
    }
}
