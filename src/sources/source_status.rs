//! The status of one source: its last valid list and its current failure.
//!
//! A change is reported in the log and the metrics. A failure is logged when it begins, once an hour, and when it ends.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::time::Instant;

use super::error::SourceError;
use super::{ListedOperations, News};
use crate::clock::Clock;
use crate::exposition::SourceInstruments;
use crate::ongoing_failure::OngoingFailure;

/// Reports the status of the sources of one account; cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceReporter {
    account: Arc<str>,
    instruments: SourceInstruments,
    clock: Clock,
}

/// The status of one source.
#[derive(Debug)]
pub(super) struct SourceStatus {
    source: Arc<str>,
    /// The number of operations in the last valid list.
    operations: usize,
    /// The hash of the content that was parsed last, valid or not; `None`: the next content is always new.
    hash: Option<u64>,
    failure: OngoingFailure<SourceError>,
}

impl SourceReporter {
    /// A reporter for the sources of `account`.
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

    /// Whether `content` is the content that was parsed last.
    pub(super) fn has_seen(&self, content: &[u8]) -> bool {
        self.hash == Some(hash_of(content))
    }

    /// Notes that the content has not changed.
    pub(super) fn is_unchanged(&mut self, reporter: &SourceReporter) {
        // The list is still invalid.
        if let Some(error) = self.failure.error().cloned() {
            self.log(&error, reporter);
            return;
        }
        let now = reporter.clock.now();
        reporter
            .instruments
            .succeeded(&self.source, self.operations, now);
    }

    /// Logs a failure when it begins, and once an hour.
    fn log(&mut self, error: &SourceError, reporter: &SourceReporter) {
        if self.failure.failed(error.clone(), Instant::now()) {
            tracing::warn!(
                account = %reporter.account,
                source = %self.source,
                %error,
                "cannot use a source of operations; its last operations stay"
            );
        }
    }

    /// Applies the parsed list of `content`.
    pub(super) fn apply(
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

    /// Notes a failure. Returns news unless the previous failure was the same.
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

    /// Notes that the source no longer exists.
    pub(super) fn ends(self, reporter: &SourceReporter) -> News {
        reporter.instruments.removed(&self.source);
        tracing::info!(
            account = %reporter.account,
            source = %self.source,
            "a source of operations is gone; its operations are removed"
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

/// A hash is enough: two contents with one hash are rarer than memory errors.
fn hash_of(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
