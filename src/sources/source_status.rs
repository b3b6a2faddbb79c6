//! How one source stands: told in the log and the figures when it changes, and never twice.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::time::Instant;

use super::error::SourceError;
use super::{ListedOperations, News};
use crate::clock::Clock;
use crate::exposition::SourceInstruments;
use crate::ongoing_failure::OngoingFailure;

/// Tells how the sources of one account stand; cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceReporter {
    account: Arc<str>,
    instruments: SourceInstruments,
    clock: Clock,
}

/// How one source stands.
#[derive(Debug)]
pub(super) struct SourceStatus {
    source: Arc<str>,
    /// How many operations it listed last.
    operations: usize,
    /// Of the content that was judged last, well or not; `None` when whatever comes next is new.
    hash: Option<u64>,
    failure: OngoingFailure<SourceError>,
}

impl SourceReporter {
    /// For the sources of `account`.
    #[must_use]
    pub fn new(account: Arc<str>, instruments: SourceInstruments, clock: Clock) -> Self {
        Self {
            account,
            instruments,
            clock,
        }
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl SourceStatus {
    pub(super) fn new(source: Arc<str>) -> Self {
        Self {
            source,
            operations: 0,
            hash: None,
            failure: OngoingFailure::new(),
        }
    }

    /// Whether `content` is what was judged last.
    pub(super) fn knows(&self, content: &[u8]) -> bool {
        self.hash == Some(hash_of(content))
    }

    /// A look found what is known.
    pub(super) fn is_unchanged(&mut self, reporter: &SourceReporter) {
        // What was wrong with it still is.
        if let Some(error) = self.failure.error().cloned() {
            self.log(&error, reporter);
            return;
        }
        let now = reporter.clock.now();
        reporter
            .instruments
            .succeeded(&self.source, self.operations, now);
    }

    /// Logs a failure that begins, and once an hour that it lasts.
    fn log(&mut self, error: &SourceError, reporter: &SourceReporter) {
        if self.failure.failed(error.clone(), Instant::now()) {
            tracing::warn!(
                account = %reporter.account,
                source = %self.source,
                %error,
                "a source of operations cannot be used; what it listed last stays"
            );
        }
    }

    /// A look found `content`, and it was judged.
    pub(super) fn takes_in(
        &mut self,
        content: &[u8],
        judged: Result<ListedOperations, SourceError>,
        reporter: &SourceReporter,
    ) -> Option<News> {
        let news = match judged {
            Ok(operations) => Some(self.lists(operations, reporter)),
            Err(error) => self.fails(error, reporter),
        };
        self.hash = Some(hash_of(content));
        news
    }

    /// A look failed; news, unless it failed in the same way before.
    pub(super) fn fails(&mut self, error: SourceError, reporter: &SourceReporter) -> Option<News> {
        self.hash = None;
        reporter.instruments.failed(&self.source);
        let is_new = self.failure.error() != Some(&error);
        self.log(&error, reporter);
        is_new.then(|| News::Broken {
            source: Arc::clone(&self.source),
            error,
        })
    }

    /// It is no more.
    pub(super) fn ends(self, reporter: &SourceReporter) -> News {
        reporter.instruments.removed(&self.source);
        tracing::info!(
            account = %reporter.account,
            source = %self.source,
            "a source of operations is gone, and what it listed with it"
        );
        News::Gone {
            source: self.source,
        }
    }

    fn lists(&mut self, operations: ListedOperations, reporter: &SourceReporter) -> News {
        self.operations = operations.len();
        let (account, source) = (&*reporter.account, &*self.source);
        if self.failure.recovered() {
            tracing::info!(
                account,
                source,
                operations = self.operations,
                "a source of operations works again"
            );
        } else {
            tracing::debug!(
                account,
                source,
                operations = self.operations,
                "read a source of operations"
            );
        }
        self.is_unchanged(reporter);
        News::Listed {
            source: Arc::clone(&self.source),
            operations,
        }
    }
}

/// Two contents with one hash are rarer than broken memory.
fn hash_of(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
