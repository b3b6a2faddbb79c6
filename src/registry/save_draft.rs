//! Collects the content of a save in slices: after the store lost its file, or after days in which saves failed, all operations are
//! unsaved, and no caller may wait for the registry until millions are copied.
//!
//! Operations that change or leave memory between two slices are collected again. The last slice has the rest of them and the counters,
//! so a save has the operations and the counters of one moment.

use std::ops::Bound;

use super::chunks::Chunks;
use super::slice::{Cost, Slice};
use super::tables::Tables;
use super::unsaved_changes::ToSave;
use crate::operation::OperationId;
use crate::store::SavedOperation;

/// The content of the next save, as far as it was collected.
#[derive(Debug, Default)]
pub struct SaveDraft {
    operations: Vec<SavedOperation>,
    stage: Stage,
}

/// What is collected next.
#[derive(Debug, Clone, Copy, Default)]
enum Stage {
    #[default]
    Begin,
    /// Operations in memory, from here on.
    InMemory(Bound<OperationId>),
    /// Operations that left memory, from here on.
    Removed(Bound<OperationId>),
    /// What changed since the draft began.
    Changed,
}

impl SaveDraft {
    /// Whether the draft cannot be begun or finished before all operations are counted in the current counting mode: what is saved must have
    /// the recount of all operations or of none.
    pub(super) fn waits_for_recount(&self, chunks: &Chunks) -> bool {
        matches!(self.stage, Stage::Begin | Stage::Changed) && chunks.is_recounting()
    }

    /// Collects the next slice. Returns the content of the save after the last one.
    pub(super) fn step(&mut self, tables: &mut Tables, chunks: &Chunks) -> Option<ToSave> {
        let mut slice = Slice::default();
        if !tables.unsaved.has_begun() {
            // A registry that replaced the last one has other changes.
            *self = Self::default();
            if tables.unsaved.forget_saved(&mut slice) {
                return None;
            }
            tables.unsaved.begin();
        }
        while slice.has_room() && !self.waits_for_recount(chunks) {
            if !matches!(self.stage, Stage::Changed) {
                self.collect(tables, chunks, &mut slice);
                continue;
            }
            let ids = tables.unsaved.take_since_begun(slice.room(Cost::Tables));
            slice.spend(ids.len(), Cost::Tables);
            let saved = ids.into_iter().filter_map(|id| match chunks.get(id) {
                Some(record) => Some(tables.to_saved(&record)),
                None => tables.unsaved.removed(id).cloned(),
            });
            self.operations.extend(saved);
            if tables.unsaved.end() {
                let operations = std::mem::take(&mut self.operations);
                return Some(tables.to_save(operations));
            }
        }
        None
    }

    /// All unsaved operations at once.
    pub(super) fn all(tables: &Tables, chunks: &Chunks) -> Vec<SavedOperation> {
        let mut draft = Self::default();
        while !matches!(draft.stage, Stage::Changed) {
            draft.collect(tables, chunks, &mut Slice::new(usize::MAX));
        }
        draft.operations
    }

    /// Collects operations of any stage but the last one.
    fn collect(&mut self, tables: &Tables, chunks: &Chunks, slice: &mut Slice) {
        let most = slice.room(Cost::Tables);
        let unsaved = &tables.unsaved;
        let operations = &mut self.operations;
        let mut last = None;
        let mut inspected = 0;
        let mut note = |id| {
            last = Some(id);
            inspected += 1;
        };
        match self.stage {
            Stage::Begin => {
                let changed = unsaved.number_of_changed();
                let all = if unsaved.is_all() {
                    chunks.size()
                } else {
                    changed
                };
                // To grow it later would copy gigabytes in one step.
                operations.reserve_exact(all);
                self.stage = Stage::InMemory(Bound::Unbounded);
                return;
            }
            Stage::InMemory(from) if unsaved.is_all() => {
                let records = chunks.records_from(from).take(most);
                let records = records.inspect(|record| note(record.id));
                operations.extend(records.map(|record| tables.to_saved(&record)));
            }
            Stage::InMemory(from) => {
                let ids = unsaved
                    .changed_from(from)
                    .take(most)
                    .inspect(|id| note(*id));
                let records = ids.filter_map(|id| chunks.get(id));
                operations.extend(records.map(|record| tables.to_saved(&record)));
            }
            Stage::Removed(from) => {
                let saved = unsaved.removed_from(from).take(most);
                let saved = saved.inspect(|saved| note(saved.operation.id));
                operations.extend(saved.cloned());
            }
            Stage::Changed => return,
        }
        slice.spend(inspected, Cost::Tables);
        let next = last.filter(|_| inspected == most).map(Bound::Excluded);
        self.stage = match (self.stage, next) {
            (Stage::InMemory(_), Some(next)) => Stage::InMemory(next),
            (Stage::InMemory(_), None) => Stage::Removed(Bound::Unbounded),
            (_, Some(next)) => Stage::Removed(next),
            (_, None) => Stage::Changed,
        };
    }
}
