//! The registry as scrapes and the API show it. It only reads.
//!
//! These operations have series: all configured ones; then, up to the limit, the other watched ones, newest first; then the
//! newest that are large enough.

use std::ops::Bound;
use std::sync::Arc;

use super::chunk::Chunk;
use super::chunks::Chunks;
use super::record::Record;
use super::rejected_operations::RejectedOperations;
use super::tables::Tables;
use super::watched::Source;
use crate::operation::{CountingMode, OperationId};
use crate::snapshot::{
    AccountSnapshot, CollectionStatus, Labels, ListedOperations, ShownOperation,
};

/// The most operations that one page inspects: the account is locked meanwhile.
const MOST_INSPECTED: usize = 10_000;

/// Everything known of one operation.
#[derive(Debug, Clone)]
pub struct View {
    /// Its stats, and the labels that have series.
    pub shown: ShownOperation,
    /// All its labels.
    pub labels: Labels,
    /// The sources that list it, in order of precedence; none if only discovery found it.
    pub sources: Vec<Source>,
}

/// A page of operations.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The operations.
    pub views: Vec<View>,
    /// The last operation that was inspected, if more follow it.
    pub next: Option<OperationId>,
}

/// An operation that has series.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithSeries {
    id: OperationId,
    /// `None` if it was never read.
    pub(super) record: Option<Record>,
    /// Whether the last attempt to read an operation without a record worked; `None` before the first attempt.
    up_if_unread: Option<bool>,
}

/// The registry as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Presenter<'a> {
    pub(super) account: &'a Arc<str>,
    pub(super) most_shown: usize,
    pub(super) chunks: &'a Chunks,
    pub(super) rejected: &'a RejectedOperations,
    pub(super) tables: &'a Tables,
}

impl<'a> Presenter<'a> {
    /// The values for a scrape; `status` is that of the collections.
    #[must_use]
    pub fn snapshot(&self, status: CollectionStatus) -> AccountSnapshot {
        let operations = self.shown();
        let known = self.chunks.size() + self.tables.watched.unread().len() + self.rejected.len();
        AccountSnapshot {
            name: Arc::clone(self.account),
            status,
            collectors: Vec::new(),
            emails: None,
            counting_mode: self.tables.counters.mode(),
            totals: self.tables.totals.clone(),
            unconfirmed: None,
            counters: self.tables.counters.exposed(),
            origins: self.tables.counters.origins(),
            groups: self.tables.labels.groups.show(),
            without_series: (known - operations.len()) as u64,
            operations,
        }
    }

    /// The counting mode of the account, as detected so far.
    #[must_use]
    pub fn counting_mode(&self) -> CountingMode {
        self.tables.counters.mode()
    }

    /// Whether `id` is in memory: it was read, and has not left since.
    #[must_use]
    pub fn has(&self, id: OperationId) -> bool {
        self.chunks.get(id).is_some()
    }

    /// Everything known of `id`; `None` if nothing is, or it has expired.
    #[must_use]
    pub fn view(&self, id: OperationId) -> Option<View> {
        let is_known = self.tables.watched.contains(id) || self.chunks.get(id).is_some();
        is_known.then(|| View {
            shown: self.show(&self.watched(id)),
            labels: self.tables.labels.all(id, &self.tables.watched),
            sources: self.tables.watched.sources_of(id).cloned().collect(),
        })
    }

    /// At most `most` operations after `after` that are `wanted`, in the order of their ids. A page inspects a bounded number
    /// of operations, so it may have fewer and still not be the last.
    pub fn views(
        &self,
        after: Option<OperationId>,
        most: usize,
        wanted: impl Fn(&View) -> bool,
    ) -> Page {
        let mut page = Page::default();
        let mut ids = self.ids_after(after).peekable();
        let mut inspected = 0;
        while let Some(id) = ids.next() {
            page.views.extend(self.view(id).filter(&wanted));
            inspected += 1;
            if page.views.len() >= most || inspected == MOST_INSPECTED {
                page.next = ids.peek().map(|_| id);
                break;
            }
        }
        page
    }

    /// All sources that list operations now.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        let mut sources = self.tables.new_lists.sources();
        sources.extend(self.tables.watched.sources());
        sources.into_iter().cloned().collect()
    }

    /// Everything that `source` lists.
    #[must_use]
    pub fn all_listed_by(&self, source: &Source) -> ListedOperations {
        self.tables
            .watched
            .listed(source)
            .cloned()
            .unwrap_or_default()
    }

    /// The labels that `source` lists for `id`; `None` if it does not list `id`.
    #[must_use]
    pub fn listed_by(&self, source: &Source, id: OperationId) -> Option<&'a Labels> {
        self.tables.watched.listed_by(source, id)
    }

    /// The number of operations that `source` lists.
    #[must_use]
    pub fn size_of(&self, source: &Source) -> usize {
        self.tables.watched.size_of(source)
    }

    fn shown(&self) -> Vec<ShownOperation> {
        let mut shown = Vec::with_capacity(self.most_shown.min(self.chunks.size()));
        shown.extend(self.with_series().map(|each| self.show(&each)));
        shown
    }

    /// The operations that have series.
    pub(super) fn with_series(self) -> impl Iterator<Item = WithSeries> {
        let watched = &self.tables.watched;
        let configured: Vec<_> = watched.configured().collect();
        let room = self.most_shown.saturating_sub(configured.len());
        let others = watched.newest_others().map(move |id| self.watched(id));
        let newest = self.chunks.iter().rev();
        let newest = newest
            .flat_map(Chunk::large)
            .filter(|record| !record.is_watched())
            .map(|record| WithSeries {
                id: record.id,
                record: Some(record),
                up_if_unread: None,
            });
        let rejected = self.rejected.ids().map(|id| WithSeries {
            id,
            record: None,
            up_if_unread: Some(false),
        });
        let configured = configured.into_iter().map(move |id| self.watched(id));
        configured.chain(others.chain(newest).chain(rejected).take(room))
    }

    fn watched(&self, id: OperationId) -> WithSeries {
        WithSeries {
            id,
            record: self.chunks.get(id),
            up_if_unread: self.tables.failures.contains(id).then_some(false),
        }
    }

    fn show(&self, shown: &WithSeries) -> ShownOperation {
        let WithSeries {
            id,
            record,
            up_if_unread,
        } = *shown;
        ShownOperation {
            id,
            seen: record.map(|record| record.operation(&self.tables.undocumented)),
            up: record.map_or(up_if_unread, |record| Some(!record.failed)),
            last_success: record.map(|record| record.last_success()),
            scheduled_for: self.tables.scheduled.get(id),
            emails_mismatch: None,
            labels: self.tables.labels.shown(id),
        }
    }

    /// The ids of all operations that are watched or in memory, in order, each once.
    pub(super) fn ids_after(
        &self,
        after: Option<OperationId>,
    ) -> impl Iterator<Item = OperationId> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut watched = self.tables.watched.from(first).peekable();
        let read = self.chunks.records_from(first);
        let mut read = read.map(|record| record.id).peekable();
        std::iter::from_fn(move || match (watched.peek(), read.peek()) {
            (Some(one), Some(other)) if one == other => {
                watched.next();
                read.next()
            }
            (Some(one), Some(other)) if one > other => read.next(),
            (Some(_), _) => watched.next(),
            (None, _) => read.next(),
        })
    }
}
