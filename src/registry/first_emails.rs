//! The operations whose first email is to be read, and what it contains: tags, and the time for which the operation is scheduled.
//! One request returns both.

use std::collections::HashSet;

use super::Registry;
use crate::operation::OperationId;
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

impl Registry {
    /// At most `most` operations whose tags are wanted and unknown, newest first.
    #[must_use]
    pub fn untagged(&self, most: usize) -> Vec<OperationId> {
        self.tables.labels.untagged(most)
    }

    /// At most `most` operations whose first email is to be read: first those that are scheduled and have series, because there are few of
    /// them, then those whose tags are wanted.
    #[must_use]
    pub fn without_first_email(&self, most: usize) -> Vec<OperationId> {
        let mut ids: Vec<_> = self.scheduled_at_unknown_time().take(most).collect();
        let scheduled: HashSet<_> = ids.iter().copied().collect();
        let untagged = self.untagged(most).into_iter();
        ids.extend(untagged.filter(|id| !scheduled.contains(id)));
        ids.truncate(most);
        ids
    }

    /// Notes the tags of an operation's first email; `None`: there is no email yet, or it may be another operation's.
    pub fn tagged(&mut self, id: OperationId, tags: Option<&Labels>) {
        if self.chunks.get(id).is_some() {
            self.tables.labels.tagged(id, tags);
            self.relabel(id);
            self.tables.unsaved.changed(id);
        }
    }

    /// Notes the `scheduledFor` of an operation's first email.
    pub fn scheduled_for(&mut self, id: OperationId, time: Option<Timestamp>) {
        let Some(is_scheduled) = self.chunks.get(id).map(|record| record.is_scheduled()) else {
            return;
        };
        if self.tables.scheduled.read(id, time, is_scheduled) {
            self.tables.unsaved.changed(id);
        }
    }

    /// Notes that an operation has no first email yet, or that the email may be another operation's.
    pub fn first_email_not_found(&mut self, id: OperationId) {
        self.tagged(id, None);
        if self
            .chunks
            .get(id)
            .is_some_and(|record| record.is_scheduled())
        {
            self.tables.scheduled.not_found(id);
        }
    }

    fn scheduled_at_unknown_time(&self) -> impl Iterator<Item = OperationId> {
        let shown = self.presenter().with_series();
        shown
            .filter_map(|shown| shown.record)
            .filter(|record| record.is_scheduled() && self.tables.scheduled.is_wanted(record.id))
            .map(|record| record.id)
    }
}
