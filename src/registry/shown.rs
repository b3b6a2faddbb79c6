//! Who has series: the configured operations, then the newest that are large enough.

use std::sync::Arc;

use super::Registry;
use super::record::Record;
use crate::operation::OperationId;
use crate::snapshot::{Labels, ShownOperation};

impl Registry {
    pub(super) fn shown(&self) -> Vec<ShownOperation> {
        let mut shown: Vec<_> = self
            .configured
            .iter()
            .map(|(id, labels)| {
                let record = self.chunks.get(*id);
                let unread = self.failures.contains(*id).then_some(false);
                self.show_one(*id, record, unread, labels)
            })
            .collect();
        let room = self.limit.operations.saturating_sub(shown.len());
        shown.reserve_exact(room.min(self.chunks.size()));
        let measure = self.chunks.measure();
        let none = Labels::default();
        let newest = self.chunks.iter().rev();
        let newest = newest
            .flat_map(|chunk| chunk.large(measure))
            .filter(|record| !self.configured.contains_key(&record.id));
        shown.extend(
            newest
                .take(room)
                .map(|record| self.show_one(record.id, Some(record), None, &none)),
        );
        shown
    }

    fn show_one(
        &self,
        id: OperationId,
        record: Option<&Record>,
        unread: Option<bool>,
        labels: &Labels,
    ) -> ShownOperation {
        ShownOperation {
            id,
            seen: record.map(|record| record.operation(&self.oddities)),
            up: record.map_or(unread, |record| Some(!record.failed)),
            last_success: record.map(Record::last_success),
            labels: Arc::clone(labels),
        }
    }
}
