//! The groups of an account: sums and counters by the values of the few labels that the configuration names.
//!
//! An operation counts in the group of its label's value, and in the account. What it has counted in one group of a label never
//! counts in another: if its label changes, only later growth counts in the new group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::clock_jumps::Jump;
use super::group::Group;
use crate::operation::{Marks, Operation, OperationId, RETENTION};
use crate::snapshot::{GroupSnapshot, Labels};
use crate::store::{GroupKey, SavedGroup};
use crate::timestamp::Timestamp;

/// The group of all values beyond the limit of values.
pub(super) const OTHER: &str = "other";

/// The groups of an account.
#[derive(Debug)]
pub(super) struct Groups {
    /// The labels that have groups.
    labels: Vec<Arc<str>>,
    /// The most values of one label that have groups of their own.
    most: usize,
    pub(super) by_key: BTreeMap<GroupKey, Group>,
    /// It may also have memberships in groups of labels that have no groups any more. In order, as all tables by operation: a hash table
    /// of millions takes half a second to grow.
    members: BTreeMap<OperationId, Vec<Membership>>,
    /// The labels that have groups only since the last reload, while not all operations are in them.
    incomplete: Vec<Arc<str>>,
    /// Removed groups that may still be in the store.
    removed: Vec<GroupKey>,
}

/// The membership of an operation in a group: the current one, or the last one while it had the label.
#[derive(Debug, Clone)]
struct Membership {
    key: GroupKey,
    /// Whether the operation has the label now.
    is_current: bool,
}

/// An operation that was read.
pub(super) struct Seen<'a> {
    pub(super) operation: &'a Operation,
    /// The marks that the account's counters include.
    pub(super) counted: Marks,
}

impl Groups {
    pub(super) fn new(labels: &[Arc<str>], most: usize) -> Self {
        Self {
            labels: labels.to_vec(),
            most,
            by_key: BTreeMap::new(),
            members: BTreeMap::new(),
            incomplete: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// Applies the labels and the limit of `other`. Groups of new labels are not shown until [`Self::complete`], which is to be called
    /// after [`Self::relabel`] of all operations: until then, each has some of its operations only.
    pub(super) fn reconfigure(&mut self, other: &Self) {
        self.most = other.most;
        let before = std::mem::replace(&mut self.labels, other.labels.clone());
        let labels = &self.labels;
        let new = labels.iter().filter(|label| !before.contains(label));
        self.incomplete.extend(new.cloned());
        let gone = self
            .by_key
            .keys()
            .filter(|key| !labels.contains(&key.label));
        self.removed.extend(gone.cloned());
        self.by_key.retain(|key, _| labels.contains(&key.label));
    }

    /// Notes that all operations are in the groups of their labels.
    pub(super) fn complete(&mut self) {
        self.incomplete.clear();
    }

    /// The labels that have groups.
    pub(super) fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }

    /// Loads a saved group.
    pub(super) fn restore(&mut self, saved: SavedGroup) {
        if self.labels.contains(&saved.key.label) {
            self.group(&saved.key, saved.until).restore(saved);
        }
    }

    /// Loads a saved operation, with the groups that it has counted in.
    pub(super) fn restore_member(&mut self, operation: &Operation, credited: &Labels) {
        let known = credited.iter().filter_map(|(label, value)| {
            let key = GroupKey::new(label, value);
            self.labels.contains(&key.label).then_some(Membership {
                key,
                is_current: true,
            })
        });
        let memberships: Vec<_> = known.collect();
        self.members.remove(&operation.id);
        for membership in &memberships {
            self.group(&membership.key, operation.expires())
                .add(operation);
        }
        self.remember(operation.id, memberships);
    }

    /// Applies the labels that an operation has now. Returns whether it counts in another group than before.
    pub(super) fn relabel(
        &mut self,
        id: OperationId,
        labels: &Labels,
        seen: Option<&Seen<'_>>,
    ) -> bool {
        let mut memberships = self.members.remove(&id).unwrap_or_default();
        memberships.retain(|membership| self.labels.contains(&membership.key.label));
        let mut is_news = false;
        for label in self.labels.clone() {
            let before = memberships
                .iter()
                .position(|membership| membership.key.label == label)
                .map(|at| memberships.swap_remove(at));
            let value = labels.get(&*label).filter(|value| !value.is_empty());
            let key = value.map(|value| self.place(&label, value));
            if let Some(key) = &key {
                self.group(key, id.created() + RETENTION);
            }
            is_news |= key.is_some() && before.as_ref().map(|before| &before.key) != key.as_ref();
            memberships.extend(self.moved(before, key, seen));
        }
        self.remember(id, memberships);
        is_news
    }

    /// Moves the current stats of an operation to its new group. Its very first group also gets its past counts; a later group gets only
    /// later growth.
    fn moved(
        &mut self,
        before: Option<Membership>,
        key: Option<GroupKey>,
        seen: Option<&Seen<'_>>,
    ) -> Option<Membership> {
        let current = before.as_ref().filter(|before| before.is_current);
        let current = current.map(|before| &before.key);
        if let Some(seen) = seen
            && current != key.as_ref()
        {
            let until = seen.operation.expires();
            if let Some(current) = current {
                self.group(current, until).remove(seen.operation);
            }
            if let Some(key) = &key {
                let group = self.group(key, until);
                group.add(seen.operation);
                if before.is_none() {
                    group.count(Marks::default(), seen.counted);
                }
            }
        }
        let is_current = key.is_some();
        let key = key.or_else(|| before.map(|before| before.key))?;
        Some(Membership { key, is_current })
    }

    /// Adds an operation that enters memory. `credited` are the groups it counted in before it left memory; `seen.counted` is what it
    /// had added to the counters then.
    pub(super) fn appeared(&mut self, seen: &Seen<'_>, credited: Option<&Labels>) {
        for membership in self.current(seen.operation.id) {
            let group = self.group(&membership.key, seen.operation.expires());
            group.add(seen.operation);
            if credited.is_some_and(|credited| !credited.contains_key(&*membership.key.label)) {
                group.count(Marks::default(), seen.counted);
            }
        }
    }

    /// Replaces the stats of an operation.
    pub(super) fn changed(&mut self, before: &Operation, now: &Operation) {
        for membership in self.current(now.id) {
            let group = self.group(&membership.key, now.expires());
            group.remove(before);
            group.add(now);
        }
    }

    /// Counts the growth of an operation's high-water marks.
    pub(super) fn count(&mut self, id: OperationId, from: Marks, to: Marks) {
        for membership in self.current(id) {
            if let Some(group) = self.by_key.get_mut(&membership.key) {
                group.count(from, to);
            }
        }
    }

    /// Removes an operation that leaves memory. Returns the groups that it has counted in.
    pub(super) fn left(&mut self, operation: &Operation) -> Labels {
        for membership in self.current(operation.id) {
            self.group(&membership.key, operation.expires())
                .remove(operation);
        }
        let credited = self.credited(operation.id);
        self.members.remove(&operation.id);
        credited
    }

    /// The groups that an operation has counted in, by label.
    pub(super) fn credited(&self, id: OperationId) -> Labels {
        if !self.is_member(id) {
            return Labels::default();
        }
        let own = |membership: &Membership| {
            let GroupKey { label, value } = &membership.key;
            (label.to_string(), value.to_string())
        };
        Arc::new(self.memberships(id).map(own).collect())
    }

    /// Whether an operation has or had a group.
    pub(super) fn is_member(&self, id: OperationId) -> bool {
        self.members.contains_key(&id)
    }

    /// The memberships of an operation in groups of the labels that have groups now.
    fn memberships(&self, id: OperationId) -> impl Iterator<Item = &Membership> {
        let memberships = self.members.get(&id).into_iter().flatten();
        memberships.filter(|membership| self.labels.contains(&membership.key.label))
    }

    /// Notes the time; see [`Group::begin`].
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.complete_ones().for_each(|group| group.begin(now));
    }

    /// Notes that this machine's clock was set.
    pub(super) fn shift(&mut self, jump: Jump) {
        self.by_key.values_mut().for_each(|group| group.shift(jump));
    }

    /// Notes that a scrape exposed what [`Self::show`] returned.
    pub(super) fn shown(&mut self) {
        self.complete_ones().for_each(Group::shown);
    }

    fn complete_ones(&mut self) -> impl Iterator<Item = &mut Group> {
        let incomplete = &self.incomplete;
        let groups = self.by_key.iter_mut();
        let complete = groups.filter(|(key, _)| !incomplete.contains(&key.label));
        complete.map(|(_, group)| group)
    }

    /// Whether there is nothing to save.
    pub(super) fn is_saved(&self) -> bool {
        let mut groups = self.by_key.iter();
        self.removed.is_empty() && groups.all(|(key, group)| group.unsaved(key).is_none())
    }

    /// Removes groups without operations.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let removed = &mut self.removed;
        self.by_key.retain(|key, group| {
            let has_ended = group.has_ended(now);
            if has_ended {
                removed.push(key.clone());
            }
            !has_ended
        });
    }

    /// Notes that the store lost all of them.
    pub(super) fn lost(&mut self) {
        self.by_key.values_mut().for_each(Group::lost);
    }

    /// The groups to save: those that changed, and those that were removed.
    pub(super) fn unsaved(&self) -> (Vec<SavedGroup>, Vec<GroupKey>) {
        let groups = self.by_key.iter();
        let changed = groups.filter_map(|(key, group)| group.unsaved(key));
        (changed.collect(), self.removed.clone())
    }

    pub(super) fn saved(&mut self, saved: &[SavedGroup], removed: &[GroupKey]) {
        for saved in saved {
            if let Some(group) = self.by_key.get_mut(&saved.key) {
                group.saved(saved);
            }
        }
        self.removed.retain(|key| !removed.contains(key));
    }

    /// The values for a scrape.
    pub(super) fn show(&self) -> Vec<GroupSnapshot> {
        let groups = self.by_key.iter();
        let complete = groups.filter(|(key, _)| !self.incomplete.contains(&key.label));
        complete.map(|(key, group)| group.snapshot(key)).collect()
    }

    /// The group of a value: its own, or [`OTHER`] beyond the limit.
    fn place(&self, label: &Arc<str>, value: &str) -> GroupKey {
        let key = GroupKey {
            label: Arc::clone(label),
            value: Arc::from(value),
        };
        let of_label = GroupKey::new(label, "");
        let is_new = !self.by_key.contains_key(&key);
        let others = || {
            let groups = self.by_key.range(of_label..);
            groups
                .take_while(|(each, _)| each.label == *label)
                .filter(|(each, _)| &*each.value != OTHER)
                .count()
        };
        if is_new && others() >= self.most {
            return GroupKey::new(label, OTHER);
        }
        key
    }

    /// The group, which is kept at least until seven days after `until`.
    fn group(&mut self, key: &GroupKey, until: Timestamp) -> &mut Group {
        let group = self.by_key.entry(key.clone());
        let group = group.or_insert_with(|| Group::new(until));
        group.extend(until);
        group
    }

    fn current(&self, id: OperationId) -> Vec<Membership> {
        let memberships = self.memberships(id);
        memberships
            .filter(|membership| membership.is_current)
            .cloned()
            .collect()
    }

    fn remember(&mut self, id: OperationId, memberships: Vec<Membership>) {
        if !memberships.is_empty() {
            self.members.insert(id, memberships);
        }
    }
}
