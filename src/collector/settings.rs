//! What a reload may change of an account, and how it comes into force.

use std::sync::Arc;

use super::account::AccountCollector;
use crate::clock::Clock;
use crate::config::{Account, FilePattern, Limits, OperationUrl, Series};
use crate::exposition::Instruments;
use crate::registry::{Listed, Source};
use crate::sources::{News, Sources};
use crate::twilio::{Client, TransportError};

/// What a collection goes by from its beginning to its end.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) client: Client,
    pub(super) limits: Limits,
    pub(super) discovers: bool,
    pub(super) sources: Arc<Sources>,
    files: Vec<FilePattern>,
    urls: Vec<OperationUrl>,
}

impl Settings {
    /// The settings that `account` asks for; where there were some `before`, pauses and sources that stay are theirs.
    pub(super) fn new(
        account: &Account,
        before: Option<&Self>,
        instruments: &Instruments,
        clock: &Clock,
    ) -> Result<Self, TransportError> {
        let requests = instruments.account(&account.name);
        let client = match before {
            Some(before) => before
                .client
                .followed_by(account, requests, clock.clone())?,
            None => Client::new(account, requests, clock.clone())?,
        };
        let kept = before.filter(|before| {
            before.files == account.operation_files && before.urls == account.operation_urls
        });
        let sources = kept.map_or_else(
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
}

impl AccountCollector {
    /// Goes by another configuration from the next collection on; the one under way ends as it began.
    pub(super) fn adopt(self: &Arc<Self>, account: &Account, series: &Series, settings: Settings) {
        let settings = Arc::new(settings);
        let before = self.exchange_settings(Arc::clone(&settings));
        let others = !Arc::ptr_eq(&before.sources, &settings.sources);
        self.keeper.set_rules(series, account.stats_reading);
        let mut state = self.lock();
        let now = self.clock.now();
        state.registry.reconfigure(series, account.stats_reading);
        state
            .registry
            .list(Source::Configuration, account.operations.clone(), now);
        if others {
            let urls: Vec<_> = settings.url_sources().collect();
            for source in state.registry.sources() {
                match &source {
                    Source::Url(_) if !urls.contains(&source) => {
                        state.registry.list(source, Listed::new(), now);
                    }
                    // Whether a pattern still matches it shows when the files are looked at.
                    Source::File(_) => {
                        state.in_question.insert(source);
                    }
                    _ => {}
                }
            }
            state.unheard = urls.into_iter().collect();
            state.files_unseen = settings.has_files();
            if !settings.has_files() {
                for source in std::mem::take(&mut state.in_question) {
                    state.registry.list(source, Listed::new(), now);
                }
            }
        }
        if before.discovers != settings.discovers {
            state.discovery = super::discovery::Discovery::default();
        }
        self.settle(&mut state);
        drop(state);
        if others {
            self.watch();
        }
    }

    /// Asks the account's URLs from now on, at their intervals.
    pub(super) fn watch(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let sources = Arc::clone(&self.settings().sources);
        let task = tokio::spawn(async move {
            sources.run(|news| this.take_news(Source::Url, news)).await;
        });
        self.watches_by(Some(task.abort_handle()));
    }

    /// Asks each URL once.
    pub(super) async fn fetch_urls(&self) {
        let sources = Arc::clone(&self.settings().sources);
        sources
            .fetch(|news| self.take_news(Source::Url, news))
            .await;
    }

    /// Looks at the account's files.
    pub(super) async fn look(&self) {
        let sources = Arc::clone(&self.settings().sources);
        let take = |news| self.take_news(Source::File, news);
        if !sources.look(take).await {
            return;
        }
        let mut state = self.lock();
        let now = self.clock.now();
        state.files_unseen = false;
        for source in std::mem::take(&mut state.in_question) {
            state.registry.list(source, Listed::new(), now);
        }
        self.settle(&mut state);
    }

    fn take_news(&self, kind: impl Fn(Arc<str>) -> Source, news: News) {
        match news {
            News::Listed { source, operations } => self.hear(kind(source), operations),
            News::Gone { source } => self.hear(kind(source), Listed::new()),
            News::Broken { source, .. } => {
                let source = kind(source);
                let mut state = self.lock();
                state.in_question.remove(&source);
                if state.registry.size_of(&source) == 0 {
                    // What it would list may be here from before a restart.
                    state.unheard.insert(source);
                }
            }
        }
    }
}
