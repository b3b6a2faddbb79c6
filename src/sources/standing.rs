//! How one source stands: told in the log and the figures when it changes, and never twice.

use std::sync::Arc;

use super::error::SourceError;
use super::{Listed, News};
use crate::clock::Clock;
use crate::exposition::SourceInstruments;

/// Tells how the sources of one account stand; cheap to clone.
#[derive(Debug, Clone)]
pub struct Teller {
    account: Arc<str>,
    instruments: SourceInstruments,
    clock: Clock,
}

/// How one source stands.
#[derive(Debug)]
pub(super) struct Standing {
    source: Arc<str>,
    /// How many operations it listed last.
    operations: usize,
    error: Option<SourceError>,
}

impl Teller {
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

impl Standing {
    pub(super) fn new(source: Arc<str>) -> Self {
        Self {
            source,
            operations: 0,
            error: None,
        }
    }

    /// Whether the last look worked.
    pub(super) fn is_well(&self) -> bool {
        self.error.is_none()
    }

    /// It lists `operations` from now on.
    pub(super) fn lists(&mut self, operations: Listed, teller: &Teller) -> News {
        self.operations = operations.len();
        let (account, source, operations_listed) =
            (&*teller.account, &*self.source, operations.len());
        if self.error.take().is_some() {
            tracing::info!(
                account,
                source,
                operations = operations_listed,
                "a source of operations works again"
            );
        } else {
            tracing::debug!(
                account,
                source,
                operations = operations_listed,
                "read a source of operations"
            );
        }
        self.lists_the_same(teller);
        News::Listed {
            source: Arc::clone(&self.source),
            operations,
        }
    }

    /// A look worked and found what is known.
    pub(super) fn lists_the_same(&self, teller: &Teller) {
        let now = teller.clock.now();
        teller
            .instruments
            .worked(&self.source, self.operations, now);
    }

    /// A look failed; news, unless it failed the same way before.
    pub(super) fn fails(&mut self, error: SourceError, teller: &Teller) -> Option<News> {
        teller.instruments.failed(&self.source);
        if self.error.as_ref() == Some(&error) {
            return None;
        }
        tracing::warn!(account = %teller.account, source = %self.source, %error, "a source of operations cannot be used; what it listed last stays");
        self.error = Some(error.clone());
        Some(News::Broken {
            source: Arc::clone(&self.source),
            error,
        })
    }

    /// It is no more.
    pub(super) fn ends(self, teller: &Teller) -> News {
        teller.instruments.gone(&self.source);
        tracing::info!(account = %teller.account, source = %self.source, "a source of operations is gone, and what it listed with it");
        News::Gone {
            source: self.source,
        }
    }
}
