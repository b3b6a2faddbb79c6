//! All sources of one account: files are read before each collection, URLs at their own intervals.
//!
//! No source waits for another. The module starts no task of its own: the caller runs both loops.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::News;
use super::files::{Files, RereadFiles};
use super::source_status::{SourceReporter, SourceStatus};
use super::url::{self, Url};
use crate::clock::Clock;
use crate::config::Account;
use crate::exposition::SourceInstruments;
use crate::ongoing_failure::OngoingFailure;

/// How long a collection waits for files. A check that takes longer continues, and the next collection gets its result. A read that hangs
/// is given up before that.
const REREAD_WAIT: Duration = Duration::from_secs(2);

/// The sources of one account.
///
/// Call [`Self::reread`] before each collection, and run [`Self::run`] at the same time.
#[derive(Debug)]
pub struct Sources {
    files: Option<FileSources>,
    urls: Vec<UrlSource>,
}

/// The files. A task of its own checks them, because the collection may be cancelled meanwhile.
#[derive(Debug)]
struct FileSources {
    files: Arc<Mutex<Files>>,
    /// A check whose changes have not been delivered yet.
    in_progress: Mutex<Option<JoinHandle<RereadFiles>>>,
    /// The failure of checks that take too long or panic.
    failure: parking_lot::Mutex<OngoingFailure<CheckFailure>>,
    reporter: SourceReporter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckFailure {
    /// It takes longer than [`REREAD_WAIT`].
    Slow,
    /// Its task panicked or was cancelled.
    Broken,
}

/// A URL and its status.
#[derive(Debug)]
struct UrlSource {
    url: Url,
    status: Mutex<SourceStatus>,
    reporter: SourceReporter,
}

impl Sources {
    /// The sources of `account`. Reads nothing and makes no request yet.
    #[must_use]
    pub fn new(account: &Account, instruments: SourceInstruments, clock: Clock) -> Self {
        let reporter = SourceReporter::new(Arc::clone(&account.name), instruments, clock);
        let patterns = account.operation_files.clone();
        let source = |url: &crate::config::OperationUrl| UrlSource {
            status: Mutex::new(SourceStatus::new(Arc::clone(&url.source))),
            url: Url::new(&account.name, url.clone()),
            reporter: reporter.clone(),
        };
        Self {
            urls: account.operation_urls.iter().map(source).collect(),
            files: (!patterns.is_empty()).then(|| FileSources {
                files: Arc::new(Mutex::new(Files::new(patterns, reporter.clone()))),
                in_progress: Mutex::default(),
                failure: parking_lot::Mutex::new(OngoingFailure::new()),
                reporter,
            }),
        }
    }

    /// Checks the files and delivers their changes since the last check. Returns whether every file is known: false while a check
    /// takes too long, and while a directory cannot be read.
    ///
    /// If it is cancelled, nothing is lost: the next check delivers the same changes.
    pub async fn reread(&self, deliver: impl Fn(News)) -> bool {
        let Some(files) = &self.files else {
            return true;
        };
        let Some(reread) = files.reread().await else {
            return false;
        };
        reread.news.into_iter().for_each(deliver);
        !reread.incomplete
    }

    /// Requests each URL once, all at the same time, and delivers their changes; for `once`.
    pub async fn fetch(&self, deliver: impl Fn(News)) {
        join_all(self.urls.iter().map(|url| url.once(&deliver))).await;
    }

    /// Requests each URL immediately and then at its interval, all in parallel, and delivers their changes. Returns only without URLs.
    pub async fn run(&self, deliver: impl Fn(News)) {
        join_all(self.urls.iter().map(|url| url.keep(&deliver))).await;
    }
}

impl FileSources {
    /// `None` if it takes too long.
    async fn reread(&self) -> Option<RereadFiles> {
        let mut in_progress = self.in_progress.lock().await;
        let task = in_progress.get_or_insert_with(|| {
            let files = Arc::clone(&self.files);
            tokio::spawn(async move { files.lock().await.reread().await })
        });
        let Ok(reread) = timeout(REREAD_WAIT, task).await else {
            if self.fails(CheckFailure::Slow) {
                let seconds = REREAD_WAIT.as_secs();
                tracing::warn!(
                    account = self.reporter.account(),
                    seconds,
                    "checking the operation files takes too long; collections continue without it"
                );
            }
            return None;
        };
        *in_progress = None;
        match reread {
            Ok(reread) => {
                if self.failure.lock().recovered() {
                    tracing::info!(
                        account = self.reporter.account(),
                        "checking the operation files works again"
                    );
                }
                Some(reread)
            }
            Err(error) => {
                if self.fails(CheckFailure::Broken) {
                    tracing::error!(account = self.reporter.account(), %error, "cannot check the operation files");
                }
                Some(RereadFiles {
                    news: Vec::new(),
                    incomplete: true,
                })
            }
        }
    }

    /// Notes a failure. Returns whether to log it.
    fn fails(&self, failure: CheckFailure) -> bool {
        self.failure.lock().failed(failure, Instant::now())
    }
}

impl UrlSource {
    async fn keep(&self, deliver: &impl Fn(News)) {
        let mut ticks = interval(self.url.settings().refresh_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.once(deliver).await;
        }
    }

    async fn once(&self, deliver: &impl Fn(News)) {
        self.poll().await.into_iter().for_each(deliver);
    }

    async fn poll(&self) -> Option<News> {
        let mut status = self.status.lock().await;
        let body = match self.url.body().await {
            Err(error) => return status.fails(error, &self.reporter),
            Ok(body) if status.has_seen(&body) => {
                status.is_unchanged(&self.reporter);
                return None;
            }
            Ok(body) => body,
        };
        let (body, judged) = url::classify(body).await;
        status.apply(&body, judged, &self.reporter)
    }
}
