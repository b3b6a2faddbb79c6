//! Collections: what to request from Twilio, when, and for which account. A scrape begins one collection per account, or joins the
//! current one, and shows the values that are known at its deadline; no account waits for another. A collection that takes longer
//! continues in the background, and the next scrape shows its results.
//!
//! [`Account`] composes the parts. From the lowest to the highest: `settings` (what a reload may change), `ledger` (registry
//! and store), the parts beside it (`list_health`, `shared_reads`, `source_sync`, `registrations`, `runner`), and what uses
//! them: `collection` (by way of `plan`, `window_reader`, `list_parts` and `single_reads`), `probe` and
//! `first_emails`.

mod account;
mod account_status;
mod account_store;
mod budget;
mod collection;
mod current_failures;
mod email_probe;
mod emails;
mod exchangers;
mod failure_log;
mod first_emails;
mod history;
mod large_work;
mod ledger;
mod list_backoff;
mod list_behavior;
mod list_health;
mod list_log;
mod list_parts;
mod plan;
mod probe;
mod progress;
mod registrations;
mod registry_slices;
mod restore;
mod runner;
mod saved_lookup;
mod settings;
mod shared_reads;
mod single_reads;
mod source_sync;
mod window_reader;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::RwLock;

pub use self::account::Account;
pub use self::account_status::AccountOverview;
pub use self::email_probe::ProbedEmails;
use self::emails::Emails;
use self::exchangers::CurrentExchangers;
use self::ledger::Ledger;
pub use self::probe::Probed;
pub use self::registrations::{MOST_REGISTERED, Registered, Unregistered};
use self::settings::AccountSettings;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::exposition::{Endpoint, Instruments};
use crate::mx::NameServerError;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use crate::twilio::TransportError;

/// Collects all accounts.
#[derive(Debug)]
pub struct Collector {
    accounts: RwLock<Vec<Arc<Account>>>,
    store: Arc<Store>,
    instruments: Instruments,
    clock: Clock,
    exchangers: CurrentExchangers,
}

/// Why the collector cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// No mail exchanger can be looked up.
    #[error(transparent)]
    NameServer(#[from] NameServerError),
    /// The saved state cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Collector {
    /// A collector for the accounts of `config`, with what `store` holds of them. Makes no request yet.
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
            exchangers: CurrentExchangers::default(),
        };
        let accounts: Result<_, _> = config
            .accounts
            .iter()
            .map(|account| collector.build(account, config))
            .collect();
        *collector.accounts.write() = accounts?;
        Ok(collector)
    }

    /// Applies a reloaded configuration, or nothing of it if there is an error. Accounts that stay keep their operations and counters;
    /// a running collection finishes with the settings it began with. May read from the disk.
    pub fn reload(&self, config: &Config) -> Result<(), CollectorError> {
        let before = self.accounts();
        let mut next = Vec::with_capacity(config.accounts.len());
        let mut changed = Vec::new();
        let mut added = Vec::new();
        for account in &config.accounts {
            if let Some(known) = before.iter().find(|known| known.name() == &account.name) {
                let current = known.settings();
                let settings = self.settings(account, config, Some(&current))?;
                changed.push((Arc::clone(known), settings));
                next.push(Arc::clone(known));
            } else {
                let new = self.build(account, config)?;
                added.push(Arc::clone(&new));
                next.push(new);
            }
        }
        // From here on nothing can fail.
        for (known, settings) in changed {
            known.apply_settings(settings);
        }
        for account in &added {
            account.poll_urls();
        }
        let is_removed =
            |account: &&Arc<Account>| !next.iter().any(|next| next.name() == account.name());
        for account in before.iter().filter(is_removed) {
            account.stop();
            self.instruments.forget_account(account.name());
        }
        *self.accounts.write() = next;
        Ok(())
    }

    /// Polls the URLs that list operations, at their intervals, until [`Self::stop`].
    pub fn poll_urls(&self) {
        for account in self.accounts() {
            account.poll_urls();
        }
    }

    /// Polls each URL that lists operations once.
    pub async fn poll_urls_once(&self) {
        let accounts = self.accounts();
        join_all(accounts.iter().map(|account| account.poll_urls_once())).await;
    }

    fn settings(
        &self,
        account: &config::Account,
        config: &Config,
        before: Option<&AccountSettings>,
    ) -> Result<AccountSettings, CollectorError> {
        let mut settings =
            AccountSettings::new(account, config, before, &self.instruments, &self.clock)?;
        settings.exchangers = self
            .exchangers
            .of(&config.emails, &self.instruments, &self.clock)?;
        if settings.wants_first_emails() || settings.emails.enabled {
            // Emails will be requested, so their counters begin at 0.
            let instruments = self.instruments.account(&account.name);
            instruments.expect(Endpoint::Emails);
        }
        Ok(settings)
    }

    fn build(
        &self,
        account: &config::Account,
        config: &Config,
    ) -> Result<Arc<Account>, CollectorError> {
        let settings = self.settings(account, config, None)?;
        let state = self.instruments.state();
        let (registry, account_store) = restore::account(
            account,
            &config.series,
            &self.store,
            &state,
            self.clock.now(),
        )?;
        let ledger = Ledger::new(registry, account_store, self.clock.clone());
        let (ledger, store) = (Arc::new(ledger), Arc::clone(&self.store));
        let emails = Emails::new(Arc::clone(&ledger), store, state, self.clock.clone());
        Ok(Arc::new(Account::new(settings, ledger, emails)))
    }

    fn accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.read().clone()
    }

    /// Collects every account, for at most `budget`. Returns earlier for an account whose collection cannot finish in time.
    pub async fn collect(&self, budget: Duration) {
        let accounts = self.accounts();
        join_all(accounts.iter().map(|account| account.collect(budget))).await;
    }

    /// Collects every account for at most `budget`, emails included.
    pub async fn collect_fully(&self, budget: Duration) {
        let accounts = self.accounts();
        join_all(accounts.iter().map(|account| account.collect_fully(budget))).await;
    }

    /// Returns when the current collections have finished, emails included. Begins nothing.
    pub async fn finished(&self) {
        let accounts = self.accounts();
        join_all(accounts.iter().map(|account| account.finished())).await;
    }

    /// Collects, for at most `budget`, the accounts whose last collection finished longer than `age` ago.
    pub async fn refresh(&self, age: Duration, budget: Duration) {
        let mut accounts = self.accounts();
        accounts.retain(|account| !account.has_collected_within(age));
        join_all(accounts.iter().map(|account| account.collect(budget))).await;
    }

    /// What a scrape exposes now.
    pub async fn snapshot(&self) -> Snapshot {
        let accounts = self.accounts();
        let accounts = accounts.iter().map(|account| account.snapshot());
        Snapshot {
            accounts: join_all(accounts).await,
        }
    }

    /// The values of the last finished collections, for pages and target lists. They do not count as exposed by a scrape.
    pub async fn known(&self) -> Snapshot {
        let accounts = self.accounts();
        let accounts = accounts.iter().map(|account| account.known());
        Snapshot {
            accounts: join_all(accounts).await,
        }
    }

    /// The values known now, and the facts about each account's failures: for people.
    pub async fn overview(&self) -> Vec<AccountOverview> {
        let accounts = self.accounts();
        let accounts = accounts.iter().map(|account| account.overview());
        join_all(accounts).await
    }

    /// The names of the accounts, in the order of the configuration.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let accounts = self.accounts();
        accounts
            .iter()
            .map(|account| Arc::clone(account.name()))
            .collect()
    }

    /// The account of this name; without a name, the only one.
    #[must_use]
    pub fn account(&self, name: Option<&str>) -> Option<Arc<Account>> {
        let mut accounts = self.accounts();
        match name {
            Some(name) => accounts
                .into_iter()
                .find(|account| &**account.name() == name),
            None if accounts.len() == 1 => accounts.pop(),
            None => None,
        }
    }

    /// Whether a collection of every account has ever finished, successful or not.
    #[must_use]
    pub fn has_collected(&self) -> bool {
        self.accounts()
            .iter()
            .all(|account| account.has_collected())
    }

    /// Aborts everything that runs.
    pub fn stop(&self) {
        for account in self.accounts() {
            account.stop();
        }
    }
}
