//! The labels of operations: those that sources list, and the tags of their emails. A source's label takes precedence over a tag of
//! the same name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::groups::{Groups, Seen};
use super::label_pool::LabelPool;
use super::watched::{Watched, stronger_with};
use crate::config::Series;
use crate::email::Tags;
use crate::operation::OperationId;
use crate::snapshot::Labels;

/// The most requests for the tags of an operation without an email. After that, the exporter waits for the operation to change.
const MOST_TRIES: u8 = 3;

/// The labels of an account's operations, and their groups.
#[derive(Debug)]
pub(super) struct OperationLabels {
    /// The names that have series; `None`: all of them.
    allowed: Option<BTreeSet<String>>,
    /// The tags that become labels. Without any, none are requested.
    wanted: BTreeSet<String>,
    /// The labels in `operation_info`, for operations that have any.
    shown: BTreeMap<OperationId, Labels>,
    tags: BTreeMap<OperationId, Labels>,
    /// Operations whose tags are to be requested, with the number of requests that found no email.
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
            shown: BTreeMap::new(),
            tags: BTreeMap::new(),
            untagged: BTreeMap::new(),
            pool: LabelPool::default(),
            groups: Groups::new(&series.aggregate_by, series.max_label_values),
        }
    }

    /// Applies another configuration. Call [`Self::relabel`] for all operations with labels afterwards. Returns whether other tags are
    /// wanted; then [`Self::want_tags_again`] is to be called for all operations in memory.
    pub(super) fn reconfigure(&mut self, series: &Series) -> bool {
        let Self {
            allowed,
            wanted,
            groups,
            ..
        } = Self::new(series);
        self.allowed = allowed;
        self.groups.reconfigure(&groups);
        let are_others_wanted = wanted != self.wanted;
        self.wanted = wanted;
        are_others_wanted
    }

    /// Requests the tags of an operation in memory again, because other tags are wanted now.
    pub(super) fn want_tags_again(&mut self, id: OperationId) {
        self.tags.remove(&id);
        self.untagged.remove(&id);
        self.know_tags(id, None);
    }

    /// Whether an operation has or had labels that no source lists.
    pub(super) fn has(&self, id: OperationId) -> bool {
        self.tags.contains_key(&id) || self.shown.contains_key(&id) || self.groups.is_member(id)
    }

    /// Loads a saved operation.
    pub(super) fn restore(&mut self, saved: &crate::store::SavedOperation, watched: &Watched) {
        let id = saved.operation.id;
        self.groups
            .restore_member(&saved.operation, &saved.credited);
        self.know_tags(id, saved.tags.clone());
        self.show(id, &self.all(id, watched));
    }

    /// Adds an operation that enters memory, with its saved tags.
    pub(super) fn appeared(&mut self, id: OperationId, tags: Option<Labels>) {
        self.know_tags(id, tags);
    }

    /// Applies the labels and tags that an operation has now. Returns whether it counts in another group than before.
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

    /// Notes that the stats of an operation changed: it may have a first email now, from which to read tags.
    pub(super) fn changed(&mut self, id: OperationId) {
        if !self.wanted.is_empty() && !self.tags.contains_key(&id) {
            self.untagged.entry(id).or_insert(MOST_TRIES - 1);
        }
    }

    /// The labels in `operation_info` of an operation.
    pub(super) fn shown(&self, id: OperationId) -> Labels {
        self.shown.get(&id).cloned().unwrap_or_default()
    }

    /// The value of a tag, if the tag becomes a label.
    pub(super) fn wanted_tag<'t>(&self, tags: &'t Tags, name: &str) -> Option<&'t str> {
        tags.get(name).filter(|_| self.wanted.contains(name))
    }

    pub(super) fn tags(&self, id: OperationId) -> Option<&Labels> {
        self.tags.get(&id)
    }

    /// At most `most` operations whose tags are to be requested, newest first.
    pub(super) fn untagged(&self, most: usize) -> Vec<OperationId> {
        self.untagged.keys().rev().take(most).copied().collect()
    }

    /// Notes the tags of an operation's first email; `None`: it has no email yet, or its tags could not be read.
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

    /// Removes an operation that leaves memory.
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

    /// All labels of an operation. A label that a source lists takes precedence over a tag.
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
