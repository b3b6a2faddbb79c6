//! Collections: a scrape asks for one of every account, side by side, and gets what is known at its deadline.
//!
//! Scrapes that come meanwhile share the collection under way. One that outlives its scrape goes on, bounded, and the
//! next scrape finds what it found. No account waits for another.

mod account;
mod collection;
mod discovery;
mod fetch;
mod keeper;
mod list_behavior;
mod listing;
mod plan;
mod reads;
mod registration;
mod restore;
mod settings;
mod tagging;
mod trouble;

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use self::account::AccountCollector;
pub use self::reads::Probed;
pub use self::registration::{Forgotten, MOST_REGISTERED, Registered};
use self::settings::Settings;
use crate::clock::Clock;
use crate::config::{self, Config, Series};
use crate::exposition::{Endpoint, Instruments};
use crate::operation::OperationId;
use crate::registry::{Page, View};
use crate::snapshot::{Labels, Snapshot};
use crate::store::{Store, StoreError};
use crate::twilio::TransportError;

/// Collects all accounts.
#[derive(Debug)]
pub struct Collector {
    accounts: RwLock<Vec<Arc<AccountCollector>>>,
    store: Arc<Store>,
    instruments: Instruments,
    clock: Clock,
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
        let collector = Self {
            accounts: RwLock::default(),
            store: Arc::clone(store),
            instruments: instruments.clone(),
            clock: clock.clone(),
        };
        let accounts: Result<_, _> = config
            .accounts
            .iter()
            .map(|account| collector.build(account, &config.series))
            .collect();
        *collector.write() = accounts?;
        Ok(collector)
    }

    /// Goes by another configuration from now on, or by none of it if there is an error. Accounts that stay keep everything
    /// that is known of them; collections under way end as they began. May read from the disk.
    pub fn reload(&self, config: &Config) -> Result<(), CollectorError> {
        let before = self.accounts();
        let mut next = Vec::with_capacity(config.accounts.len());
        let mut adopted = Vec::new();
        let mut added = Vec::new();
        for account in &config.accounts {
            if let Some(known) = before.iter().find(|known| known.name == account.name) {
                let settings = known.settings();
                let settings =
                    Settings::new(account, Some(&settings), &self.instruments, &self.clock)?;
                self.expect_tags(account, &config.series);
                adopted.push((Arc::clone(known), account, settings));
                next.push(Arc::clone(known));
            } else {
                let new = self.build(account, &config.series)?;
                added.push(Arc::clone(&new));
                next.push(new);
            }
        }
        // From here on nothing can fail.
        for (known, account, settings) in adopted {
            known.adopt(account, &config.series, settings);
        }
        for account in &added {
            account.watch();
        }
        let is_gone =
            |account: &&Arc<AccountCollector>| !next.iter().any(|next| next.name == account.name);
        for account in before.iter().filter(is_gone) {
            account.stop();
            self.instruments.forget_account(&account.name);
        }
        *self.write() = next;
        Ok(())
    }

    /// Asks the URLs that list operations, at their intervals, until [`Self::stop`].
    pub fn watch(&self) {
        for account in self.accounts() {
            account.watch();
        }
    }

    /// Asks each URL that lists operations once.
    pub async fn fetch_urls(&self) {
        let accounts = self.accounts();
        join_all(accounts.iter().map(|account| account.fetch_urls())).await;
    }

    /// Where tags are wanted, emails will be asked for: their counters begin at 0.
    fn expect_tags(&self, account: &config::Account, series: &Series) {
        if !series.tags.is_empty() {
            let instruments = self.instruments.account(&account.name);
            instruments.expect(Endpoint::Emails);
        }
    }

    fn build(
        &self,
        account: &config::Account,
        series: &Series,
    ) -> Result<Arc<AccountCollector>, CollectorError> {
        let settings = Settings::new(account, None, &self.instruments, &self.clock)?;
        self.expect_tags(account, series);
        let state = self.instruments.state();
        let (registry, keeper) =
            restore::account(account, series, &self.store, &state, self.clock.now())?;
        let clock = self.clock.clone();
        let account = AccountCollector::new(account, settings, registry, keeper, clock);
        Ok(Arc::new(account))
    }

    fn accounts(&self) -> Vec<Arc<AccountCollector>> {
        let accounts = self.accounts.read();
        accounts.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Arc<AccountCollector>>> {
        self.accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Collects every account, for at most `budget`, and returns what is known then.
    pub async fn collect(&self, budget: Duration) -> Snapshot {
        self.run(budget).await;
        self.snapshot().await
    }

    /// Collects every account, for at most `budget`.
    pub async fn run(&self, budget: Duration) {
        collect_each(&self.accounts(), budget).await;
    }

    /// Collects, for at most `budget`, the accounts whose last collection ended longer than `age` ago.
    pub async fn refresh(&self, age: Duration, budget: Duration) {
        let mut accounts = self.accounts();
        accounts.retain(|account| !account.has_collected_within(age));
        collect_each(&accounts, budget).await;
    }

    /// What is known now.
    pub async fn snapshot(&self) -> Snapshot {
        let accounts = self.accounts();
        let accounts = accounts.iter().map(|account| account.snapshot());
        Snapshot {
            accounts: join_all(accounts).await,
        }
    }

    /// The names of the accounts, in the order of the configuration.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let accounts = self.accounts();
        let names = accounts.iter().map(|account| Arc::clone(&account.name));
        names.collect()
    }

    /// The account of this name; without a name, the only one.
    #[must_use]
    pub fn account(&self, name: Option<&str>) -> Option<Account> {
        let accounts = self.accounts();
        let account = match name {
            Some(name) => accounts.iter().find(|account| &*account.name == name),
            None => accounts.first().filter(|_| accounts.len() == 1),
        };
        account.map(|account| Account(Arc::clone(account)))
    }

    /// Whether a collection of every account has ever ended, well or not.
    #[must_use]
    pub fn has_collected(&self) -> bool {
        self.accounts()
            .iter()
            .all(|account| account.has_collected())
    }

    /// Ends the collections under way.
    pub fn stop(&self) {
        for account in self.accounts() {
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
    ) -> Page {
        self.0.views(after, most, wanted)
    }
}

/// Collects these accounts, for at most `budget`.
async fn collect_each(accounts: &[Arc<AccountCollector>], budget: Duration) {
    let ends = accounts.iter().map(|account| {
        let budget = account.patience(budget);
        tokio::time::timeout(budget, ended(account.begin()))
    });
    // What is late shows in the next scrape; `collection_complete` says so in this one.
    join_all(ends).await;
}

/// Waits for the end of a collection; one whose task is gone has ended too.
async fn ended(mut finished: watch::Receiver<bool>) {
    let _ = finished.wait_for(|finished| *finished).await;
}
