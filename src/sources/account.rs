//! All sources of one account: files looked at when somebody asks, URLs at intervals of their own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::News;
use super::files::{Files, Looked};
use super::source_status::{SourceReporter, SourceStatus};
use super::url::{self, Url};
use crate::clock::Clock;
use crate::config::Account;
use crate::exposition::SourceInstruments;
use crate::ongoing_failure::OngoingFailure;

/// How long a collection waits for files, many or large. A look that takes longer goes on, and the next collection finds what
/// it found. A read that hangs is given up before.
const LOOK: Duration = Duration::from_secs(2);

/// The sources of one account.
///
/// Nothing runs by itself: call [`Self::look`] before each collection, and let [`Self::run`] run beside them.
#[derive(Debug)]
pub struct Sources {
    files: Option<FileSources>,
    urls: Vec<UrlSource>,
}

/// Files, looked at by a task of its own: whoever asked may go away meanwhile.
#[derive(Debug)]
struct FileSources {
    files: Arc<Mutex<Files>>,
    /// A look that nobody has the news of yet.
    under_way: Mutex<Option<JoinHandle<Looked>>>,
    /// Looks that take too long, or fail.
    failure: parking_lot::Mutex<OngoingFailure<LookFailure>>,
    reporter: SourceReporter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookFailure {
    /// It takes longer than [`LOOK`].
    Slow,
    /// Its task was broken off.
    Broken,
}

/// A URL and how it stands.
#[derive(Debug)]
struct UrlSource {
    url: Url,
    status: Mutex<SourceStatus>,
    reporter: SourceReporter,
}

impl Sources {
    /// The sources of `account`. Reads nothing and asks nothing yet.
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
                under_way: Mutex::default(),
                failure: parking_lot::Mutex::new(OngoingFailure::new()),
                reporter,
            }),
        }
    }

    /// Looks at the files and delivers what became of them since the last look. Says whether every file is known now: not
    /// while a look takes long, nor while a directory cannot be read.
    ///
    /// Cut off, it loses nothing: the next look delivers what this one found.
    pub async fn look(&self, deliver: impl Fn(News)) -> bool {
        let Some(files) = &self.files else {
            return true;
        };
        let Some(looked) = files.look().await else {
            return false;
        };
        looked.news.into_iter().for_each(deliver);
        !looked.incomplete
    }

    /// Asks each URL once, side by side, and delivers what became of them; for those who collect once.
    pub async fn fetch(&self, deliver: impl Fn(News)) {
        join_all(self.urls.iter().map(|url| url.once(&deliver))).await;
    }

    /// Asks each URL now and then at its interval, side by side, and delivers what becomes of them. Ends only where there are
    /// no URLs.
    pub async fn run(&self, deliver: impl Fn(News)) {
        join_all(self.urls.iter().map(|url| url.keep(&deliver))).await;
    }
}

impl FileSources {
    /// `None`: it takes too long.
    async fn look(&self) -> Option<Looked> {
        let mut under_way = self.under_way.lock().await;
        let look = under_way.get_or_insert_with(|| {
            let files = Arc::clone(&self.files);
            tokio::spawn(async move { files.lock().await.look().await })
        });
        let Ok(looked) = timeout(LOOK, look).await else {
            if self.fails(LookFailure::Slow) {
                let seconds = LOOK.as_secs();
                tracing::warn!(
                    account = self.reporter.account(),
                    seconds,
                    "looking at the files that list operations takes long; collections go on without"
                );
            }
            return None;
        };
        *under_way = None;
        match looked {
            Ok(looked) => {
                if self.failure.lock().recovered() {
                    tracing::info!(
                        account = self.reporter.account(),
                        "files that list operations are looked at in time again"
                    );
                }
                Some(looked)
            }
            Err(error) => {
                if self.fails(LookFailure::Broken) {
                    tracing::error!(account = self.reporter.account(), %error, "a look at the files that list operations failed");
                }
                Some(Looked {
                    news: Vec::new(),
                    incomplete: true,
                })
            }
        }
    }

    /// Whether to log that.
    fn fails(&self, failure: LookFailure) -> bool {
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
        self.ask().await.into_iter().for_each(deliver);
    }

    async fn ask(&self) -> Option<News> {
        let mut status = self.status.lock().await;
        let body = match self.url.body().await {
            Err(error) => return status.fails(error, &self.reporter),
            Ok(body) if status.knows(&body) => {
                status.is_unchanged(&self.reporter);
                return None;
            }
            Ok(body) => body,
        };
        let (body, judged) = url::judge(body).await;
        status.takes_in(&body, judged, &self.reporter)
    }
}
