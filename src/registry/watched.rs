//! The operations that sources list, and the labels they list for them. An operation is watched while at least one source lists it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::label_pool::LabelPool;
use crate::operation::OperationId;
use crate::snapshot::{Labels, ListedOperations};

/// A place that lists an operation. If two sources give a label different values, the first one in this order takes precedence; of two
/// files or two URLs, the one whose name sorts first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The configuration file or the command line.
    Configuration,
    /// Registered over HTTP.
    Api,
    /// A file of `operation_files`, by its path.
    File(Arc<str>),
    /// One of `operation_urls`.
    Url(Arc<str>),
}

/// The listed operations. An operation is watched as long as any source lists it.
#[derive(Debug, Default)]
pub(super) struct Watched {
    sources: BTreeMap<Source, ListedOperations>,
    /// With the labels of all sources.
    merged: ListedOperations,
    /// The operations without a record, because they were never read.
    unread: BTreeSet<OperationId>,
    pool: LabelPool,
}

impl Watched {
    /// Sets the labels that `source` lists for `id`; `None`: it does not list `id` any more. Returns whether that changed anything.
    pub(super) fn set(&mut self, source: &Source, id: OperationId, labels: Option<Labels>) -> bool {
        match labels {
            Some(labels) => {
                let labels = self.pool.share(labels);
                let listed = self.sources.entry(source.clone()).or_default();
                listed.insert(id, labels);
            }
            None => {
                if let Some(listed) = self.sources.get_mut(source) {
                    listed.remove(&id);
                    if listed.is_empty() {
                        self.sources.remove(source);
                    }
                }
            }
        }
        self.merge(id)
    }

    /// Removes an expired operation from all sources.
    pub(super) fn remove(&mut self, id: OperationId) {
        self.unread.remove(&id);
        if self.merged.remove(&id).is_some() {
            self.sources.retain(|_, listed| {
                listed.remove(&id);
                !listed.is_empty()
            });
        }
    }

    pub(super) fn contains(&self, id: OperationId) -> bool {
        self.merged.contains_key(&id)
    }

    /// The labels of an operation, of all sources together.
    pub(super) fn labels(&self, id: OperationId) -> Option<&Labels> {
        self.merged.get(&id)
    }

    /// The operations in the configuration, which always have series.
    pub(super) fn configured(&self) -> impl Iterator<Item = OperationId> {
        let listed = self.sources.get(&Source::Configuration);
        listed.into_iter().flat_map(|listed| listed.keys().copied())
    }

    /// The others, newest first.
    pub(super) fn newest_others(&self) -> impl Iterator<Item = OperationId> {
        let configured = self.sources.get(&Source::Configuration);
        let is_configured = move |id| configured.is_some_and(|listed| listed.contains_key(id));
        let ids = self.merged.keys().rev();
        ids.filter(move |id| !is_configured(id)).copied()
    }

    /// All from `first` on, in order.
    pub(super) fn from(&self, first: Bound<OperationId>) -> impl Iterator<Item = OperationId> {
        self.merged
            .range((first, Bound::Unbounded))
            .map(|(id, _)| *id)
    }

    /// The operations that were never read, oldest first.
    pub(super) const fn unread(&self) -> &BTreeSet<OperationId> {
        &self.unread
    }

    /// Notes whether an operation has a record.
    pub(super) fn set_read(&mut self, id: OperationId, is_read: bool) {
        if self.contains(id) && !is_read {
            self.unread.insert(id);
        } else {
            self.unread.remove(&id);
        }
    }

    /// The sources that list an operation, in order of precedence.
    pub(super) fn sources_of(&self, id: OperationId) -> impl Iterator<Item = &Source> {
        let sources = self.sources.iter();
        sources
            .filter(move |(_, listed)| listed.contains_key(&id))
            .map(|(source, _)| source)
    }

    /// The labels that one source lists for an operation.
    pub(super) fn listed_by(&self, source: &Source, id: OperationId) -> Option<&Labels> {
        self.sources.get(source)?.get(&id)
    }

    /// The first operation that one source lists, from `from` on.
    pub(super) fn next_listed(
        &self,
        source: &Source,
        from: Bound<OperationId>,
    ) -> Option<OperationId> {
        let mut listed = self.sources.get(source)?.range((from, Bound::Unbounded));
        listed.next().map(|(id, _)| *id)
    }

    /// Everything that one source lists.
    pub(super) fn listed(&self, source: &Source) -> Option<&ListedOperations> {
        self.sources.get(source)
    }

    /// All sources that list operations.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.keys()
    }

    /// The number of operations that one source lists.
    pub(super) fn size_of(&self, source: &Source) -> usize {
        self.sources.get(source).map_or(0, BTreeMap::len)
    }

    /// Merges the labels of all sources for one operation. Returns whether they changed.
    fn merge(&mut self, id: OperationId) -> bool {
        let mut all = self.sources.values().filter_map(|listed| listed.get(&id));
        let Some(first) = all.next() else {
            return self.merged.remove(&id).is_some();
        };
        let merged = all.fold(Arc::clone(first), |stronger, weaker| {
            stronger_with(&stronger, weaker)
        });
        let merged = self.pool.share(merged);
        let before = self.merged.insert(id, Arc::clone(&merged));
        before != Some(merged)
    }
}

/// The labels of both. If both have a label, the value of `stronger` counts.
pub(super) fn stronger_with(stronger: &Labels, weaker: &Labels) -> Labels {
    if weaker.keys().all(|name| stronger.contains_key(name)) {
        return Arc::clone(stronger);
    }
    let mut labels = BTreeMap::clone(weaker);
    labels.extend(
        stronger
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Arc::new(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::new_lists::NewLists;
    use crate::timestamp::Timestamp;

    fn id(n: u32) -> OperationId {
        format!("comms_operation_01h2xcejqt{n:016}")
            .parse()
            .unwrap()
    }

    fn labels(given: &[(&str, &str)]) -> Labels {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Arc::new(given.iter().map(own).collect())
    }

    fn file(name: &str) -> Source {
        Source::File(Arc::from(name))
    }

    /// Returns the operations that are new or gone or have other labels.
    fn replace(
        watched: &mut Watched,
        source: Source,
        listed: ListedOperations,
    ) -> Vec<OperationId> {
        let mut lists = NewLists::default();
        lists.push(source, listed, Timestamp::from_millis(0));
        lists.apply_all(watched)
    }

    #[test]
    fn labels_of_all_sources_are_merged_and_the_stronger_source_has_priority() {
        let mut watched = Watched::default();
        let weak = ListedOperations::from([(
            id(1),
            labels(&[("team", "growth"), ("campaign", "autumn")]),
        )]);
        assert_eq!(replace(&mut watched, file("b.yml"), weak.clone()), [id(1)]);
        let strong = ListedOperations::from([(id(1), labels(&[("campaign", "spring")]))]);
        assert_eq!(
            replace(&mut watched, file("a.yml"), strong.clone()),
            [id(1)]
        );
        let both = labels(&[("campaign", "spring"), ("team", "growth")]);
        assert_eq!(watched.labels(id(1)), Some(&both));
        assert_eq!(replace(&mut watched, file("a.yml"), strong), []);
        assert!(watched.set(&Source::Api, id(1), Some(labels(&[("team", "sales")]))));
        let with_api = labels(&[("campaign", "spring"), ("team", "sales")]);
        assert_eq!(watched.labels(id(1)), Some(&with_api));
        assert_eq!(
            replace(&mut watched, file("a.yml"), ListedOperations::new()),
            [id(1)]
        );
        assert_eq!(watched.labels(id(1)).unwrap()["campaign"], "autumn");
    }

    #[test]
    fn an_operation_is_watched_until_its_last_source_removes_it() {
        let mut watched = Watched::default();
        let listed = ListedOperations::from([(id(1), labels(&[])), (id(2), labels(&[]))]);
        replace(&mut watched, Source::Configuration, listed);
        replace(
            &mut watched,
            file("a.yml"),
            ListedOperations::from([(id(1), labels(&[]))]),
        );
        assert_eq!(
            replace(&mut watched, Source::Configuration, ListedOperations::new()),
            [id(2)]
        );
        assert!(watched.contains(id(1)) && !watched.contains(id(2)));
        assert_eq!(
            watched.sources_of(id(1)).collect::<Vec<_>>(),
            [&file("a.yml")]
        );
        watched.remove(id(1));
        assert_eq!(
            (
                watched.from(Bound::Unbounded).count(),
                watched.sources_of(id(1)).count()
            ),
            (0, 0)
        );
        let sources: Vec<_> = watched.sources().collect();
        assert!(sources.is_empty(), "{sources:?}");
    }
}
