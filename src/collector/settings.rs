//! One account's settings: everything that a reload may change.
//!
//! A collection uses one instance from its start to its end. A reload replaces it.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Account, Config, EmailsCollector, FilePattern, Limits, OperationUrl, Series};
use crate::email::Providers;
use crate::exposition::Instruments;
use crate::mx::MxProviders;
use crate::operation::CountingMode;
use crate::registry::Source;
use crate::snapshot::ListedOperations;
use crate::sources::Sources;
use crate::twilio::{Client, TransportError};

/// The settings of one account.
#[derive(Debug)]
pub(super) struct AccountSettings {
    pub(super) client: Client,
    pub(super) limits: Limits,
    /// Whether operations are discovered by listing them.
    pub(super) discovers: bool,
    pub(super) sources: Arc<Sources>,
    pub(super) series: Series,
    pub(super) counting_mode: Option<CountingMode>,
    /// The collector of emails.
    pub(super) emails: EmailsCollector,
    /// The table of mailbox providers.
    pub(super) providers: Arc<Providers>,
    /// The providers of domains that the table does not have, if they are looked up.
    pub(super) exchangers: Option<Arc<MxProviders>>,
    /// The operations that the configuration lists.
    pub(super) operations: ListedOperations,
    files: Vec<FilePattern>,
    urls: Vec<OperationUrl>,
}

impl AccountSettings {
    /// The settings of `account`. After `before`, the client keeps its pauses, and unchanged sources stay as they are.
    pub(super) fn new(
        account: &Account,
        config: &Config,
        before: Option<&Self>,
        instruments: &Instruments,
        clock: &Clock,
    ) -> Result<Self, TransportError> {
        instruments.start_account(&account.name, clock.now());
        let requests = instruments.account(&account.name);
        let client = match before {
            Some(before) => before
                .client
                .followed_by(account, requests, clock.clone())?,
            None => Client::new(account, requests, clock.clone())?,
        };
        let unchanged = before.filter(|before| {
            before.files == account.operation_files && before.urls == account.operation_urls
        });
        let sources = unchanged.map_or_else(
            || {
                let instruments = instruments.sources(&account.name);
                Arc::new(Sources::new(account, instruments, clock.clone()))
            },
            |before| Arc::clone(&before.sources),
        );
        Ok(Self {
            client,
            limits: account.limits,
            discovers: account.discovery,
            sources,
            series: config.series.clone(),
            counting_mode: account.stats_reading,
            emails: config.emails.clone(),
            providers: Arc::clone(&config.emails.providers),
            exchangers: None,
            operations: account.operations.clone(),
            files: account.operation_files.clone(),
            urls: account.operation_urls.clone(),
        })
    }

    pub(super) fn url_sources(&self) -> impl Iterator<Item = Source> {
        self.urls
            .iter()
            .map(|url| Source::Url(Arc::clone(&url.source)))
    }

    pub(super) const fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Whether the first emails of operations are read, for labels from their tags and for `scheduledFor`. With the collector of emails,
    /// that is worth a request for each scheduled operation.
    pub(super) fn wants_first_emails(&self) -> bool {
        !self.series.tags.is_empty() || self.emails.enabled
    }
}
