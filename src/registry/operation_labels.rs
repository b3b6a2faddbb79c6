//! Which labels an operation has: those that users gave it, and the tags of its emails.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::groups::{Groups, Seen};
use super::label_pool::LabelPool;
use super::watched::{Watched, stronger_with};
use crate::config::Series;
use crate::operation::OperationId;
use crate::snapshot::Labels;

/// So often the tags of an operation are asked for in vain before that is left alone until the operation changes.
const MOST_TRIES: u8 = 3;

/// The labels of an account's operations, and the groups that follow from them.
#[derive(Debug)]
pub(super) struct OperationLabels {
    /// The names that are shown; `None`: every one.
    allowed: Option<BTreeSet<String>>,
    /// The tags that become labels; without any, none are asked for.
    wanted: BTreeSet<String>,
    /// What `operation_info` shows; only of operations that have such labels.
    shown: HashMap<OperationId, Labels>,
    tags: HashMap<OperationId, Labels>,
    /// Operations whose tags are to be asked for, and how often that was in vain.
    untagged: BTreeMap<OperationId, u8>,
    pool: LabelPool,
    pub(super) groups: Groups,
}

impl OperationLabels {
    pub(super) fn new(series: &Series) -> Self {
        Self {
            allowed: series
                .labels
                .as_ref()
                .map(|labels| labels.iter().cloned().collect()),
            wanted: series.tags.iter().cloned().collect(),
            shown: HashMap::new(),
            tags: HashMap::new(),
            untagged: BTreeMap::new(),
            pool: LabelPool::default(),
            groups: Groups::new(&series.aggregate_by, series.max_label_values),
        }
    }

    /// Goes by other rules from now on; `read` are the operations in memory. To be followed by [`Self::relabel`] for all that
    /// have labels.
    pub(super) fn reconfigure(&mut self, series: &Series, read: Vec<OperationId>) {
        let Self {
            allowed,
            wanted,
            groups,
            ..
        } = Self::new(series);
        self.allowed = allowed;
        if wanted != self.wanted {
            self.wanted = wanted;
            // Other tags than those that were kept: all are asked for again.
            self.tags.clear();
            self.untagged.clear();
            for id in read {
                self.know_tags(id, None);
            }
        }
        self.groups.reconfigure(&groups);
    }

    /// The operations that have labels, or had some.
    pub(super) fn labelled(&self, watched: &Watched) -> BTreeSet<OperationId> {
        let all = watched.from(std::ops::Bound::Unbounded);
        all.chain(self.tags.keys().copied())
            .chain(self.shown.keys().copied())
            .chain(self.groups.members())
            .collect()
    }

    /// Takes up an operation as it was saved.
    pub(super) fn restore(&mut self, saved: &crate::store::SavedOperation, watched: &Watched) {
        let id = saved.operation.id;
        self.groups
            .restore_member(&saved.operation, &saved.credited);
        self.know_tags(id, saved.tags.clone());
        self.show(id, &self.all(id, watched));
    }

    /// Takes in that an operation was read for the first time since it is in memory; `tags` as they were kept.
    pub(super) fn appeared(&mut self, id: OperationId, tags: Option<Labels>) {
        self.know_tags(id, tags);
    }

    /// Takes in that what users or tags say of an operation changed. Says whether what is to be saved of it did.
    pub(super) fn relabel(
        &mut self,
        id: OperationId,
        watched: &Watched,
        seen: Option<&Seen<'_>>,
    ) -> bool {
        let labels = self.all(id, watched);
        self.show(id, &labels);
        self.groups.relabel(id, &labels, seen)
    }

    /// Takes in that the figures of an operation changed: if it had no email to read tags from, it may have one now.
    pub(super) fn changed(&mut self, id: OperationId) {
        if !self.wanted.is_empty() && !self.tags.contains_key(&id) {
            self.untagged.entry(id).or_insert(MOST_TRIES - 1);
        }
    }

    /// What `operation_info` shows of an operation.
    pub(super) fn shown(&self, id: OperationId) -> Labels {
        self.shown.get(&id).cloned().unwrap_or_default()
    }

    pub(super) fn tags(&self, id: OperationId) -> Option<&Labels> {
        self.tags.get(&id)
    }

    /// At most so many of the newest operations whose tags are to be asked for.
    pub(super) fn untagged(&self, most: usize) -> Vec<OperationId> {
        self.untagged.keys().rev().take(most).copied().collect()
    }

    /// Takes in the tags of an operation's first email; `None`: it has no email yet, or they could not be read.
    pub(super) fn tagged(&mut self, id: OperationId, tags: Option<&Labels>) {
        match tags {
            Some(tags) => {
                let wanted = tags.iter().filter(|(name, _)| self.wanted.contains(*name));
                let wanted = wanted.map(|(name, value)| (name.clone(), value.clone()));
                let tags = Arc::new(wanted.collect());
                self.know_tags(id, Some(tags));
            }
            None => {
                if let Some(tries) = self.untagged.get_mut(&id) {
                    *tries += 1;
                    if *tries >= MOST_TRIES {
                        self.untagged.remove(&id);
                    }
                }
            }
        }
    }

    /// Forgets an operation that leaves memory.
    pub(super) fn remove(&mut self, id: OperationId) {
        self.shown.remove(&id);
        self.tags.remove(&id);
        self.untagged.remove(&id);
    }

    fn know_tags(&mut self, id: OperationId, tags: Option<Labels>) {
        match tags {
            Some(tags) => {
                self.untagged.remove(&id);
                self.tags.insert(id, self.pool.share(tags));
            }
            None if !self.wanted.is_empty() => {
                self.untagged.entry(id).or_default();
            }
            None => {}
        }
    }

    /// All labels; what users say is stronger than tags.
    pub(super) fn all(&self, id: OperationId, watched: &Watched) -> Labels {
        match (watched.labels(id), self.tags.get(&id)) {
            (Some(given), Some(tags)) => stronger_with(given, tags),
            (Some(labels), None) | (None, Some(labels)) => Arc::clone(labels),
            (None, None) => Labels::default(),
        }
    }

    fn show(&mut self, id: OperationId, labels: &Labels) {
        let is_allowed = |name: &String| {
            self.allowed
                .as_ref()
                .is_none_or(|allowed| allowed.contains(name))
        };
        let shown = if labels.keys().all(is_allowed) {
            Arc::clone(labels)
        } else {
            let allowed = labels.iter().filter(|(name, _)| is_allowed(name));
            let allowed = allowed.map(|(name, value)| (name.clone(), value.clone()));
            self.pool.share(Arc::new(allowed.collect()))
        };
        if shown.is_empty() {
            self.shown.remove(&id);
        } else {
            self.shown.insert(id, shown);
        }
    }
}
