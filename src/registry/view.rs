//! One operation and all that is known of it, for those who ask for it by its id.

use std::ops::Bound;

use super::Registry;
use super::watched::Source;
use crate::operation::OperationId;
use crate::snapshot::{Labels, ListedOperations, ShownOperation};

/// How many operations one page looks at; nobody else can use the registry meanwhile.
const LOOKED_AT: usize = 10_000;

/// What is known of an operation.
#[derive(Debug, Clone)]
pub struct View {
    /// Its figures, and the labels that are shown.
    pub shown: ShownOperation,
    /// Its labels, those that are not shown included.
    pub labels: Labels,
    /// Who wants it watched, the strongest first; nobody: it was found in the account's list.
    pub sources: Vec<Source>,
}

/// A page of operations.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The operations.
    pub views: Vec<View>,
    /// The last operation that was looked at, where more come behind it.
    pub next: Option<OperationId>,
}

impl Registry {
    /// What is known of `id`; `None` if it was never heard of, or its time is over.
    #[must_use]
    pub fn view(&self, id: OperationId) -> Option<View> {
        let is_known = self.watched.contains(id) || self.chunks.get(id).is_some();
        is_known.then(|| View {
            shown: self.show_watched(id),
            labels: self.labelling.all(id, &self.watched),
            sources: self.watched.sources_of(id).cloned().collect(),
        })
    }

    /// At most `most` of the operations behind `after` that are `wanted`, in the order of their ids. It looks at a bounded
    /// number of them, so a page may have less, and still not be the last.
    pub fn views(
        &self,
        after: Option<OperationId>,
        most: usize,
        wanted: impl Fn(&View) -> bool,
    ) -> Page {
        let mut page = Page::default();
        let mut ids = self.ids_behind(after).peekable();
        let mut looked_at = 0;
        while let Some(id) = ids.next() {
            page.views.extend(self.view(id).filter(&wanted));
            looked_at += 1;
            if page.views.len() >= most || looked_at == LOOKED_AT {
                page.next = ids.peek().map(|_| id);
                break;
            }
        }
        page
    }

    /// All that is watched or tracked, in order, each once.
    fn ids_behind(&self, after: Option<OperationId>) -> impl Iterator<Item = OperationId> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut watched = self.watched.from(first).peekable();
        let mut tracked = self.chunks.ids_from(first).peekable();
        std::iter::from_fn(move || match (watched.peek(), tracked.peek()) {
            (Some(one), Some(other)) if one == other => {
                watched.next();
                tracked.next()
            }
            (Some(one), Some(other)) if one > other => tracked.next(),
            (Some(_), _) => watched.next(),
            (None, _) => tracked.next(),
        })
    }

    /// Everything that `source` lists.
    #[must_use]
    pub fn all_listed_by(&self, source: &Source) -> ListedOperations {
        self.watched.listed(source).cloned().unwrap_or_default()
    }

    /// What `source` lists of `id`.
    #[must_use]
    pub fn listed_by(&self, source: &Source, id: OperationId) -> Option<&Labels> {
        self.watched.listed_by(source, id)
    }

    /// How many operations `source` lists.
    #[must_use]
    pub fn size_of(&self, source: &Source) -> usize {
        self.watched.size_of(source)
    }
}
