//! Collections: a scrape asks for one of every account, side by side, and gets what is known at its deadline.
//!
//! Scrapes that come meanwhile share the collection under way. One that outlives its scrape goes on, bounded, and the
//! next scrape finds what it found. No account waits for another.

mod account;
mod collection;
mod discovery;
mod fetch;
mod keeper;
mod plan;
mod reads;
mod registration;
mod restore;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use self::account::AccountCollector;
pub use self::reads::Probed;
pub use self::registration::{Forgotten, MOST_REGISTERED, Registered};
use crate::clock::Clock;
use crate::config::Config;
use crate::exposition::Instruments;
use crate::operation::OperationId;
use crate::registry::View;
use crate::snapshot::{Labels, Snapshot};
use crate::store::{Store, StoreError};
use crate::twilio::{Client, TransportError};

/// Collects all accounts.
#[derive(Debug)]
pub struct Collector {
    accounts: Vec<Arc<AccountCollector>>,
}

/// There can be no collector.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// No HTTP client is to be had.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// What was saved cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Collector {
    /// A collector for the accounts of `config` that takes up what `store` has of them. Asks nothing yet.
    pub fn new(
        config: &Config,
        store: &Arc<Store>,
        instruments: &Instruments,
        clock: &Clock,
    ) -> Result<Self, CollectorError> {
        let mut accounts = Vec::with_capacity(config.accounts.len());
        for account in &config.accounts {
            let client = Client::new(account, instruments.account(&account.name), clock.clone())?;
            let (registry, keeper) = restore::account(
                account,
                &config.series,
                store,
                &instruments.state(),
                clock.now(),
            )?;
            accounts.push(Arc::new(AccountCollector::new(
                account,
                client,
                registry,
                keeper,
                clock.clone(),
            )));
        }
        Ok(Self { accounts })
    }

    /// Collects every account, for at most `budget`, and returns what is known then.
    pub async fn collect(&self, budget: Duration) -> Snapshot {
        self.run(budget).await;
        self.snapshot().await
    }

    /// Collects every account, for at most `budget`.
    pub async fn run(&self, budget: Duration) {
        let ends = self.accounts.iter().map(|account| ended(account.begin()));
        // What is late shows in the next scrape; `collection_complete` says so in this one.
        let _ = tokio::time::timeout(budget, join_all(ends)).await;
    }

    /// What is known now.
    pub async fn snapshot(&self) -> Snapshot {
        let accounts = self.accounts.iter().map(|account| account.snapshot());
        Snapshot {
            accounts: join_all(accounts).await,
        }
    }

    /// The names of the accounts, in the order of the configuration.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.accounts.iter().map(|account| &account.name)
    }

    /// The account of this name; without a name, the only one.
    #[must_use]
    pub fn account(&self, name: Option<&str>) -> Option<Account> {
        let account = match name {
            Some(name) => self.accounts.iter().find(|account| &*account.name == name),
            None => self.accounts.first().filter(|_| self.accounts.len() == 1),
        };
        account.map(|account| Account(Arc::clone(account)))
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

/// One account, for those who deal with single operations of it.
#[derive(Debug, Clone)]
pub struct Account(Arc<AccountCollector>);

impl Account {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Registers operations, each with its labels; what is told as watched is on the disk then.
    ///
    /// # Errors
    /// When nothing could be kept; nothing is registered then.
    pub async fn register(
        &self,
        operations: Vec<(OperationId, Labels)>,
    ) -> Result<Vec<Registered>, StoreError> {
        self.0.register(operations).await
    }

    /// Forgets that an operation was registered.
    ///
    /// # Errors
    /// When that could not be kept; it stays registered then.
    pub async fn forget(&self, id: OperationId) -> Result<Forgotten, StoreError> {
        self.0.forget(id).await
    }

    /// Reads one operation now, for at most `budget`, together with whoever else reads it now.
    pub async fn probe(&self, id: OperationId, budget: Duration) -> Probed {
        self.0.probe(id, budget).await
    }

    /// Everything known of one operation.
    #[must_use]
    pub fn view(&self, id: OperationId) -> Option<View> {
        self.0.view(id)
    }

    /// At most `most` operations behind `after` that are `wanted`, in the order of their ids.
    #[must_use]
    pub fn views(
        &self,
        after: Option<OperationId>,
        most: usize,
        wanted: &dyn Fn(&View) -> bool,
    ) -> Vec<View> {
        self.0.views(after, most, wanted)
    }
}

/// Waits for the end of a collection; one whose task is gone has ended too.
async fn ended(mut finished: watch::Receiver<bool>) {
    let _ = finished.wait_for(|finished| *finished).await;
}
