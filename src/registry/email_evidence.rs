//! The stats that the collector of emails compares with emails, and the effect of a comparison. A comparison can prove the counting
//! mode.

use std::sync::Arc;

use super::Registry;
use super::pending_changes::WholeChange;
use super::presenter::Presenter;
use super::record::Record;
use super::tables::Tables;
use crate::email::Tags;
use crate::operation::{CountingMode, Evidence, OperationId, Stats};
use crate::snapshot::LabelValue;
use crate::timestamp::Timestamp;

/// The stats of an operation, and when they last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedStats {
    /// The stats.
    pub stats: Stats,
    /// When they last changed: `updatedAt`, else the time of the read that found it.
    pub changed: Timestamp,
    /// When they were last read, by this machine's clock.
    pub read: Timestamp,
}

impl Presenter<'_> {
    /// The operations that were read and have series, at most `most`.
    #[must_use]
    pub fn ids_with_stats(&self, most: usize) -> Vec<OperationId> {
        let shown = self.with_series().filter_map(|shown| shown.record);
        shown.map(|record| record.id).take(most).collect()
    }

    /// The values under which an email of `id` with these tags counts by label. A label that a source lists takes precedence over a tag.
    #[must_use]
    pub fn label_values(&self, id: OperationId, tags: &Tags) -> Vec<LabelValue> {
        let tables = self.tables;
        let known = tables.labels.all(id, &tables.watched);
        let value = |label: &Arc<str>| {
            let known = known.get(&**label).map(String::as_str);
            let value = known.or_else(|| tables.labels.wanted_tag(tags, label))?;
            (!value.is_empty()).then(|| (Arc::clone(label), Arc::from(value)))
        };
        tables
            .labels
            .groups
            .labels()
            .iter()
            .filter_map(value)
            .collect()
    }

    /// Whether any label has groups.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        !self.tables.labels.groups.labels().is_empty()
    }

    /// The stats of an operation, if it is in memory.
    #[must_use]
    pub fn dated_stats(&self, id: OperationId) -> Option<DatedStats> {
        let record = self.chunks.get(id)?;
        Some(DatedStats {
            stats: record.operation(&self.tables.undocumented).stats,
            changed: record.last_change(),
            read: record.last_success(),
        })
    }
}

impl Registry {
    /// Notes that the emails of an operation agree with its stats in this counting mode only. Returns whether the account's mode has
    /// changed. Then the registry has to [catch up](Self::catch_up); a [`SaveDraft`](super::SaveDraft) waits for that, so counters
    /// are exposed as before until all operations are counted in the new mode.
    pub fn note_emails(&mut self, id: OperationId, mode: CountingMode, evidence: Evidence) -> bool {
        let is_changed = self.tables.counters.note_emails(id, mode, evidence);
        self.recount_if(is_changed)
    }

    /// Restores the counting mode that emails proved before a restart.
    pub fn restore_email_proof(&mut self, mode: CountingMode) {
        let is_changed = self.tables.counters.restore_email_proof(mode);
        self.recount_if(is_changed);
    }

    /// The counting mode that emails have proven.
    #[must_use]
    pub const fn proven_by_emails(&self) -> Option<CountingMode> {
        self.tables.counters.proven_by_emails()
    }

    /// If the counting mode changed, counts all operations in the new one, in slices. Counters grow or stay.
    fn recount_if(&mut self, is_changed: bool) -> bool {
        if is_changed {
            self.chunks.change_later(WholeChange::Recount);
            self.catch_up();
        }
        is_changed
    }
}

impl Tables {
    /// Counts an operation in the current counting mode.
    pub(super) fn recount(&mut self, record: &mut Record) {
        let operation = record.operation(&self.undocumented);
        let (from, to) = self.counters.recount(&operation, record.marks);
        if record.marks != to {
            record.marks = to;
            self.labels.groups.count(record.id, from, to);
            let read = record.last_success();
            self.counters.contributed(record.id, (from, to), read);
            self.unsaved.changed(record.id);
        }
    }
}
