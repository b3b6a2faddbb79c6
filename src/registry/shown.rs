//! Who has series: the configured operations; as far as there is room, the others that users want watched, newest first;
//! then the newest that are large enough.

use super::Registry;
use super::record::Record;
use crate::operation::OperationId;
use crate::snapshot::ShownOperation;

impl Registry {
    pub(super) fn shown(&self) -> Vec<ShownOperation> {
        let mut shown: Vec<_> = self
            .watched
            .configured()
            .map(|id| self.show_watched(id))
            .collect();
        let room = self.most_shown.saturating_sub(shown.len());
        let others = self.watched.newest_others().take(room);
        shown.extend(others.map(|id| self.show_watched(id)));
        let room = self.most_shown.saturating_sub(shown.len());
        shown.reserve_exact(room.min(self.chunks.size()));
        let measure = self.chunks.measure();
        let newest = self.chunks.iter().rev();
        let newest = newest
            .flat_map(|chunk| chunk.large(measure))
            .filter(|record| !record.is_watched());
        shown.extend(
            newest
                .take(room)
                .map(|record| self.show_one(record.id, Some(record), None)),
        );
        let room = self.most_shown.saturating_sub(shown.len());
        let never_believed = self.never_believed.ids().take(room);
        shown.extend(never_believed.map(|id| self.show_one(id, None, Some(false))));
        shown
    }

    pub(super) fn show_watched(&self, id: OperationId) -> ShownOperation {
        let unread = self.failures.contains(id).then_some(false);
        self.show_one(id, self.chunks.get(id), unread)
    }

    fn show_one(
        &self,
        id: OperationId,
        record: Option<&Record>,
        unread: Option<bool>,
    ) -> ShownOperation {
        ShownOperation {
            id,
            seen: record.map(|record| record.operation(&self.oddities)),
            up: record.map_or(unread, |record| Some(!record.failed)),
            last_success: record.map(Record::last_success),
            labels: self.labelling.shown(id),
        }
    }
}
