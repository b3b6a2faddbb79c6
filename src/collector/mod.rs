//! Collections: a scrape asks for one of every account, side by side, and gets what is known at its deadline.
//!
//! Scrapes that come meanwhile share the collection under way. One that outlives its scrape goes on, bounded, and the
//! next scrape finds what it found. No account waits for another.

mod account;
mod discovery;
mod fetch;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use self::account::AccountCollector;
use crate::clock::Clock;
use crate::config::Config;
use crate::exposition::Instruments;
use crate::registry::{Registry, SeriesLimit};
use crate::snapshot::Snapshot;
use crate::twilio::{Client, TransportError};

/// Collects all accounts.
#[derive(Debug)]
pub struct Collector {
    accounts: Vec<Arc<AccountCollector>>,
}

impl Collector {
    /// A collector for the accounts of `config`. Asks nothing yet.
    ///
    /// # Errors
    /// When there is no HTTP client to be had.
    pub fn new(
        config: &Config,
        instruments: &Instruments,
        clock: &Clock,
    ) -> Result<Self, TransportError> {
        let limit = SeriesLimit {
            operations: config.series.max_operations,
            min_size: config.series.min_size,
        };
        let account = |account: &crate::config::Account| {
            let client = Client::new(account, instruments.account(&account.name), clock.clone())?;
            let registry = Registry::new(
                Arc::clone(&account.name),
                account.operations.clone(),
                limit,
                account.stats_reading,
            );
            let at_once = account.limits.concurrent_requests;
            let name = Arc::clone(&account.name);
            let collector = AccountCollector::new(
                name,
                client,
                registry,
                at_once,
                account.discovery,
                clock.clone(),
            );
            Ok::<_, TransportError>(Arc::new(collector))
        };
        Ok(Self {
            accounts: config
                .accounts
                .iter()
                .map(account)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Collects every account, for at most `budget`, and returns what is known then.
    pub async fn collect(&self, budget: Duration) -> Snapshot {
        let ends = self.accounts.iter().map(|account| ended(account.begin()));
        // What is late shows in the next scrape; `collection_complete` says so in this one.
        let _ = tokio::time::timeout(budget, join_all(ends)).await;
        self.snapshot()
    }

    /// What is known now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            accounts: self
                .accounts
                .iter()
                .map(|account| account.snapshot())
                .collect(),
        }
    }

    /// Whether a collection of every account has ever ended, well or not.
    #[must_use]
    pub fn has_collected(&self) -> bool {
        self.accounts.iter().all(|account| account.has_collected())
    }

    /// Ends the collections under way.
    pub fn stop(&self) {
        for account in &self.accounts {
            account.stop();
        }
    }
}

/// Waits for the end of a collection; one whose task is gone has ended too.
async fn ended(mut finished: watch::Receiver<bool>) {
    let _ = finished.wait_for(|finished| *finished).await;
}
