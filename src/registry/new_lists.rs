//! The lists that sources have reported and that are not applied yet. A list may have 100,000 operations, so it is compared with the
//! source's previous one in steps of one operation.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Bound;

use super::watched::{Source, Watched};
use crate::operation::OperationId;
use crate::snapshot::{Labels, ListedOperations};
use crate::timestamp::Timestamp;

/// New lists, in the order in which they were reported; of each source the newest one.
#[derive(Debug, Default)]
pub(super) struct NewLists {
    lists: VecDeque<NewList>,
}

#[derive(Debug)]
struct NewList {
    source: Source,
    reported: Timestamp,
    /// Where the comparison continues in the source's previous list; `None`: all of that list was compared.
    from: Option<Bound<OperationId>>,
    /// The rest of the new list. It is complete until the previous list was compared.
    listed: ListedOperations,
}

/// A difference between the previous list of a source and its new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) source: Source,
    /// When the source reported the new list, or later: operations that expired by then are ignored.
    pub(super) reported: Timestamp,
    pub(super) id: OperationId,
    /// `None`: the new list does not have the operation.
    pub(super) labels: Option<Labels>,
}

impl NewLists {
    /// Adds a list. An earlier one of the same source is forgotten.
    pub(super) fn push(&mut self, source: Source, listed: ListedOperations, reported: Timestamp) {
        self.lists.retain(|list| list.source != source);
        self.lists.push_back(NewList {
            source,
            reported,
            from: Some(Bound::Unbounded),
            listed,
        });
    }

    /// Notes the time: what has expired at `now` must not be watched again.
    pub(super) fn expire(&mut self, now: Timestamp) {
        for list in &mut self.lists {
            list.reported = list.reported.max(now);
        }
    }

    /// Whether all lists were applied.
    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The sources whose new lists have operations that were not compared yet.
    pub(super) fn sources(&self) -> BTreeSet<&Source> {
        let lists = self.lists.iter().filter(|list| !list.listed.is_empty());
        lists.map(|list| &list.source).collect()
    }

    /// Compares the next operation. Returns the difference, if there is one, for [`Watched::set`].
    pub(super) fn compare_next(&mut self, watched: &Watched) -> Option<Difference> {
        let list = self.lists.front_mut()?;
        let difference = |id, labels| Difference {
            source: list.source.clone(),
            reported: list.reported,
            id,
            labels,
        };
        if let Some(from) = list.from {
            let next = watched.next_listed(&list.source, from);
            list.from = next.map(Bound::Excluded);
            let gone = next.filter(|id| !list.listed.contains_key(id));
            return gone.map(|id| difference(id, None));
        }
        let Some((id, labels)) = list.listed.pop_first() else {
            self.lists.pop_front();
            return None;
        };
        let is_same = watched.listed_by(&list.source, id) == Some(&labels);
        (!is_same).then(|| difference(id, Some(labels)))
    }

    /// Applies all lists. Returns the operations whose labels changed.
    #[cfg(test)]
    pub(super) fn apply_all(&mut self, watched: &mut Watched) -> Vec<OperationId> {
        let mut changed = Vec::new();
        while !self.is_empty() {
            if let Some(each) = self.compare_next(watched)
                && watched.set(&each.source, each.id, each.labels)
            {
                changed.push(each.id);
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    fn id(n: u32) -> OperationId {
        crate::simulator::operation_id(NOW, u128::from(n))
    }

    fn list<const N: usize>(operations: [(u32, &str); N]) -> ListedOperations {
        let labels = |team: &str| Arc::new([("team".to_owned(), team.to_owned())].into());
        let operations = operations.into_iter();
        operations.map(|(n, team)| (id(n), labels(team))).collect()
    }

    #[test]
    fn a_list_differs_where_operations_are_new_or_gone_or_have_other_labels() {
        let (mut lists, mut watched) = (NewLists::default(), Watched::default());
        let file = Source::File(Arc::from("a.yml"));
        let first = list([(1, "shop"), (2, "shop"), (3, "shop")]);
        lists.push(file.clone(), first.clone(), NOW);
        assert_eq!(lists.sources(), [&file].into());
        assert_eq!(lists.apply_all(&mut watched), [id(1), id(2), id(3)]);
        lists.push(file.clone(), first, NOW);
        assert_eq!(lists.apply_all(&mut watched), []);
        let second = list([(2, "shop"), (3, "growth"), (4, "shop")]);
        lists.push(file.clone(), second.clone(), NOW);
        assert_eq!(lists.apply_all(&mut watched), [id(1), id(3), id(4)]);
        assert_eq!(watched.listed(&file), Some(&second));
    }

    #[test]
    fn the_newest_time_decides_what_has_expired() {
        let (mut lists, watched) = (NewLists::default(), Watched::default());
        let later = NOW + std::time::Duration::from_hours(1);
        lists.push(Source::Api, list([(1, "shop"), (2, "shop")]), NOW);
        lists.compare_next(&watched);
        assert_eq!(lists.compare_next(&watched).unwrap().reported, NOW);
        lists.expire(later);
        lists.expire(NOW);
        assert_eq!(lists.compare_next(&watched).unwrap().reported, later);
    }

    #[test]
    fn only_the_newest_list_of_a_source_is_applied() {
        let (mut lists, mut watched) = (NewLists::default(), Watched::default());
        let file = |name: &str| Source::File(Arc::from(name));
        lists.push(file("a.yml"), list([(1, "shop"), (2, "shop")]), NOW);
        // Half of it is applied.
        while watched.size_of(&file("a.yml")) == 0 {
            if let Some(each) = lists.compare_next(&watched) {
                watched.set(&each.source, each.id, each.labels);
            }
        }
        lists.push(file("b.yml"), list([(9, "shop")]), NOW);
        lists.push(file("a.yml"), list([(2, "growth")]), NOW);
        lists.apply_all(&mut watched);
        assert_eq!(watched.listed(&file("a.yml")), Some(&list([(2, "growth")])));
        assert_eq!(watched.size_of(&file("b.yml")), 1);
        lists.push(file("a.yml"), list([]), NOW);
        lists.apply_all(&mut watched);
        assert_eq!(watched.sources().collect::<Vec<_>>(), [&file("b.yml")]);
    }
}
