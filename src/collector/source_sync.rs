//! Applies the lists of files and URLs to the registry. Operations that no source lists any more are dropped only once every
//! source has reported.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::ledger::Ledger;
use super::settings::AccountSettings;
use crate::diagnosis::{BrokenSource, Ongoing};
use crate::registry::{Registry, Source};
use crate::snapshot::ListedOperations;
use crate::sources::{News, Sources};
use crate::timestamp::Timestamp;

/// The sources of one account.
#[derive(Debug)]
pub(super) struct SourceSync {
    ledger: Arc<Ledger>,
    pending: Mutex<PendingSources>,
    /// Polls the URLs.
    poll_task: Mutex<Option<AbortHandle>>,
}

/// The sources that have not reported yet.
#[derive(Debug, Default)]
struct PendingSources {
    /// Sources that have not reported their lists.
    unreported: HashSet<Source>,
    /// Files that the current configuration may not name any more.
    maybe_removed: HashSet<Source>,
    /// No read of all files has finished.
    files_unread: bool,
    /// Whether operations are kept without a source.
    discovers: bool,
    /// The sources whose reports count. After a reload, reports of earlier sources may still arrive.
    current: Option<Arc<Sources>>,
    /// The current sources that cannot be used, and why.
    broken: BTreeMap<Arc<str>, Ongoing<String>>,
}

impl SourceSync {
    pub(super) fn new(ledger: Arc<Ledger>, settings: &AccountSettings) -> Self {
        Self {
            ledger,
            pending: Mutex::new(PendingSources {
                unreported: settings.url_sources().collect(),
                maybe_removed: HashSet::new(),
                files_unread: settings.has_files(),
                discovers: settings.discovers,
                current: Some(Arc::clone(&settings.sources)),
                broken: BTreeMap::new(),
            }),
            poll_task: Mutex::default(),
        }
    }

    /// Polls the URLs from now on, at their intervals.
    pub(super) fn poll(self: &Arc<Self>, settings: &AccountSettings) {
        let this = Arc::clone(self);
        let sources = Arc::clone(&settings.sources);
        let task = tokio::spawn(async move {
            let apply = |news| {
                this.apply_news(&sources, Source::Url, news);
                let ledger = Arc::clone(&this.ledger);
                tokio::spawn(async move { ledger.catch_up().await });
            };
            sources.run(apply).await;
        });
        self.replace_poll_task(Some(task.abort_handle()));
    }

    /// Stops polling URLs.
    pub(super) fn stop(&self) {
        self.replace_poll_task(None);
    }

    /// Polls each URL once.
    pub(super) async fn poll_once(&self, settings: &AccountSettings) {
        let sources = &settings.sources;
        let apply = |news| self.apply_news(sources, Source::Url, news);
        settings.sources.fetch(apply).await;
    }

    /// Reads the files that changed.
    pub(super) async fn reread_files(&self, settings: &AccountSettings) {
        let sources = &settings.sources;
        let apply = |news| self.apply_news(sources, Source::File, news);
        if !sources.reread(apply).await {
            return;
        }
        let mut pending = self.pending.lock();
        if !pending.is_current(sources) {
            return;
        }
        let removed = pending.files_read();
        self.drop_lists(&pending, removed);
    }

    /// Applies a reloaded configuration. `before` is the one until now.
    pub(super) fn apply_settings(
        self: &Arc<Self>,
        settings: &AccountSettings,
        before: &AccountSettings,
    ) {
        let mut pending = self.pending.lock();
        let configured = settings.operations.clone();
        let now = self.ledger.now();
        self.ledger
            .lock()
            .list(Source::Configuration, configured, now);
        pending.discovers = settings.discovers;
        pending.current = Some(Arc::clone(&settings.sources));
        let has_changed = !Arc::ptr_eq(&before.sources, &settings.sources);
        let mut removed = Vec::new();
        if has_changed {
            let urls: HashSet<_> = settings.url_sources().collect();
            for source in self.ledger.lock().presenter().sources() {
                match &source {
                    Source::Url(_) if !urls.contains(&source) => removed.push(source),
                    // The next read of the files shows whether a pattern still matches it.
                    Source::File(_) => {
                        pending.maybe_removed.insert(source);
                    }
                    _ => {}
                }
            }
            // The new sources report again.
            pending.broken.clear();
            pending.unreported = urls;
            pending.files_unread = settings.has_files();
            if !settings.has_files() {
                removed.extend(pending.files_read());
            }
        }
        self.drop_lists(&pending, removed);
        drop(pending);
        if has_changed {
            self.poll(settings);
        }
    }

    /// Replaces everything that a source lists.
    fn replace_list(&self, pending: &mut PendingSources, source: Source, listed: ListedOperations) {
        pending.reported(&source);
        let now = self.ledger.now();
        let mut registry = self.ledger.lock();
        registry.list(source, listed, now);
        pending.drop_unlisted(&mut registry);
    }

    /// Drops the operations that no source lists, unless discovery keeps them or a source has not reported yet.
    pub(super) fn drop_unlisted(&self) {
        let pending = self.pending.lock();
        pending.drop_unlisted(&mut self.ledger.lock());
    }

    fn drop_lists(&self, pending: &PendingSources, removed: Vec<Source>) {
        let now = self.ledger.now();
        let mut registry = self.ledger.lock();
        for source in removed {
            registry.list(source, ListedOperations::new(), now);
        }
        pending.drop_unlisted(&mut registry);
    }

    fn apply_news(&self, sources: &Arc<Sources>, kind: impl Fn(Arc<str>) -> Source, news: News) {
        let mut pending = self.pending.lock();
        if !pending.is_current(sources) {
            return;
        }
        match news {
            News::Listed { source, operations } => {
                pending.broken.remove(&source);
                self.replace_list(&mut pending, kind(source), operations);
            }
            News::Gone { source } => {
                pending.broken.remove(&source);
                self.replace_list(&mut pending, kind(source), ListedOperations::new());
            }
            News::Broken { source, error } => {
                pending.note_broken(&source, error.to_string(), self.ledger.now());
                let source = kind(source);
                let sources = self.ledger.lock().presenter().sources();
                let lists_nothing = !sources.contains(&source);
                pending.broken(source, lists_nothing);
            }
        }
    }

    /// The sources that cannot be used now.
    pub(super) fn broken(&self) -> Vec<BrokenSource> {
        let pending = self.pending.lock();
        let broken = pending.broken.iter();
        broken
            .map(|(source, failure)| BrokenSource {
                source: Arc::clone(source),
                error: failure.what.clone(),
                since: failure.since,
            })
            .collect()
    }

    fn replace_poll_task(&self, task: Option<AbortHandle>) {
        if let Some(before) = std::mem::replace(&mut *self.poll_task.lock(), task) {
            before.abort();
        }
    }
}

impl PendingSources {
    fn is_current(&self, sources: &Arc<Sources>) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| Arc::ptr_eq(current, sources))
    }

    /// A source that fails for another reason than before still fails since the same time.
    fn note_broken(&mut self, source: &Arc<str>, error: String, now: Timestamp) {
        let before = self.broken.get(source);
        let since = before.map_or(now, |before| before.since);
        let what = error;
        self.broken
            .insert(Arc::clone(source), Ongoing { what, since });
    }

    fn reported(&mut self, source: &Source) {
        self.unreported.remove(source);
        self.maybe_removed.remove(source);
    }

    /// A source cannot be read. If it lists nothing so far, its operations may be in the registry from before a restart.
    fn broken(&mut self, source: Source, lists_nothing: bool) {
        self.maybe_removed.remove(&source);
        if lists_nothing {
            self.unreported.insert(source);
        }
    }

    /// All files were read. Returns those that are gone.
    fn files_read(&mut self) -> Vec<Source> {
        self.files_unread = false;
        self.maybe_removed.drain().collect()
    }

    fn drop_unlisted(&self, registry: &mut Registry) {
        if self.unreported.is_empty() && !self.files_unread {
            registry.drop_unlisted(self.discovers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::collector::account_store::AccountStore;
    use crate::config::{Config, Overrides, Series};
    use crate::exposition::{Build, Instruments};
    use crate::snapshot::Labels;
    use crate::store::Store;

    /// Settings of an account without sources; each call makes other `Sources`.
    fn settings() -> AccountSettings {
        let variables = |name: &str| match name {
            "TWILIO_ACCOUNT_SID" => Some("AC00000000000000000000000000000000".into()),
            "TWILIO_AUTH_TOKEN" => Some("made-up".into()),
            _ => None,
        };
        let config = Config::load(&Overrides::default(), &variables).unwrap();
        let build = Build {
            version: "0",
            revision: "0",
        };
        let instruments = Instruments::new(build).unwrap();
        let (account, clock) = (&config.accounts[0], Clock::System);
        AccountSettings::new(account, &config, None, &instruments, &clock).unwrap()
    }

    fn sync(settings: &AccountSettings) -> Arc<SourceSync> {
        let build = Build {
            version: "0",
            revision: "0",
        };
        let (name, now) = (Arc::from("default"), Clock::System.now());
        let state = Instruments::new(build).unwrap().state();
        let store = Arc::new(Store::open(None, now).unwrap());
        let store = AccountStore::new(Arc::clone(&name), store, state);
        let registry = Registry::new(name, &Series::default(), None, now);
        let ledger = Arc::new(Ledger::new(registry, store, Clock::System));
        Arc::new(SourceSync::new(ledger, settings))
    }

    #[tokio::test]
    async fn news_of_sources_before_a_reload_are_ignored() {
        let (before, after) = (settings(), settings());
        let sync = sync(&before);
        let id = crate::simulator::operation_id(Clock::System.now(), 1);
        let news = || News::Listed {
            source: Arc::from("spring.yml"),
            operations: [(id, Labels::default())].into(),
        };
        sync.apply_settings(&after, &before);
        let listed = || {
            let registry = sync.ledger.lock();
            registry
                .presenter()
                .size_of(&Source::File(Arc::from("spring.yml")))
        };
        sync.apply_news(&before.sources, Source::File, news());
        assert_eq!(listed(), 0);
        sync.apply_news(&after.sources, Source::File, news());
        assert_eq!(listed(), 1);
        sync.stop();
    }

    fn url(name: &str) -> Source {
        Source::Url(Arc::from(name))
    }

    #[test]
    fn a_broken_source_that_lists_nothing_has_yet_to_report() {
        let mut pending = PendingSources::default();
        pending.broken(url("a"), false);
        assert!(pending.unreported.is_empty());
        pending.broken(url("a"), true);
        assert_eq!(pending.unreported, HashSet::from([url("a")]));
        pending.reported(&url("a"));
        assert!(pending.unreported.is_empty());
    }

    #[test]
    fn files_that_no_read_reported_are_gone() {
        let file = |name: &str| Source::File(Arc::from(name));
        let mut pending = PendingSources {
            maybe_removed: HashSet::from([file("a"), file("b"), file("c")]),
            files_unread: true,
            ..PendingSources::default()
        };
        pending.reported(&file("a"));
        pending.broken(file("b"), false);
        assert_eq!(pending.files_read(), [file("c")]);
        assert!(!pending.files_unread && pending.maybe_removed.is_empty());
    }
}
