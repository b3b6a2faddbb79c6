//! One operation and all that is known of it, for those who ask for it by its id.

use std::ops::Bound;

use super::Registry;
use super::watched::Source;
use crate::operation::OperationId;
use crate::snapshot::{Labels, ShownOperation};

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

    /// At most `most` of the operations behind `after` that are `wanted`, in the order of their ids.
    pub fn views(
        &self,
        after: Option<OperationId>,
        most: usize,
        wanted: impl Fn(&View) -> bool,
    ) -> Vec<View> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut watched = self.watched.from(first).peekable();
        let mut tracked = self.chunks.ids_from(first).peekable();
        let ids = std::iter::from_fn(|| match (watched.peek(), tracked.peek()) {
            (Some(one), Some(other)) if one == other => {
                watched.next();
                tracked.next()
            }
            (Some(one), Some(other)) if one > other => tracked.next(),
            (Some(_), _) => watched.next(),
            (None, _) => tracked.next(),
        });
        ids.filter_map(|id| self.view(id))
            .filter(wanted)
            .take(most)
            .collect()
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
