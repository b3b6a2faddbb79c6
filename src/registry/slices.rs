//! Changes all operations of an account in slices, so that a caller waits for the registry for one slice at most.
//!
//! Between two slices a scrape shows some operations as they were before the change, and the others as they are after it. Counters are
//! exposed as saved, and a save waits for the recount of all operations. Groups of a label that the configuration has named since the
//! last reload are not shown before all operations are in them.

use std::collections::BTreeSet;
use std::time::Instant;

use super::Registry;
use super::new_lists::Difference;
use super::pending_changes::WholeChange;
use super::record::Record;
use super::save_draft::SaveDraft;
use super::slice::{Cost, Slice};
use super::unsaved_changes::ToSave;
use super::walks::{Dropping, Relabel};
use crate::config::Series;
use crate::operation::{CountingMode, OperationId};
use crate::timestamp::Timestamp;

impl Registry {
    /// Notes the time at the beginning of a collection, by this machine's clock and by the monotonic clock. If the former was set,
    /// intervals last as long as before, once the registry has [caught up](Self::catch_up).
    pub fn set_time(&mut self, now: Timestamp, instant: Instant) {
        let jump = self.clock_jumps.compare(now, instant);
        if let Some(jump) = jump {
            self.chunks.change_later(WholeChange::Shift(jump));
        }
        self.tables.set_time(now, jump);
        self.catch_up();
    }

    /// Does the next slice of work on all operations. Returns whether there is more. Release the registry between two calls.
    pub fn catch_up(&mut self) -> bool {
        let mut slice = Slice::default();
        let tables = &mut self.tables;
        self.chunks
            .catch_up(&mut slice, &mut |record| tables.recount(record))
            || self.list_next(&mut slice)
            || self.relabel_next(&mut slice)
            || self.drop_next(&mut slice)
            || self.tables.unsaved.forget_saved(&mut slice)
    }

    /// Does all work on all operations at once: for a registry that is not shared yet, or not any more.
    pub fn catch_up_at_once(&mut self) {
        while self.catch_up() {}
    }

    /// Whether there is no work on all operations.
    #[must_use]
    pub fn has_caught_up(&self) -> bool {
        let walks = &self.walks;
        self.chunks.has_caught_up()
            && self.tables.new_lists.is_empty()
            && walks.relabel.is_none()
            && walks.dropping == Dropping::No
            && self.tables.unsaved.has_forgotten_saved()
    }

    /// Applies changes to all operations to those of `ids` first, before they are changed in another way.
    pub(super) fn catch_up_for(&mut self, ids: impl Iterator<Item = OperationId>) {
        let tables = &mut self.tables;
        self.chunks
            .catch_up_for(ids, &mut |record| tables.recount(record));
    }

    /// Notes that the operations created in these windows (from the first time on, until the second one, if given) were to be read in the
    /// collection that began at `since`. Those that were not by `now` have failed, once the registry has
    /// [caught up](Self::catch_up).
    pub fn fail_windows(
        &mut self,
        windows: impl IntoIterator<Item = (Timestamp, Option<Timestamp>)>,
        since: Timestamp,
        now: Timestamp,
    ) {
        // A plan may have thousands of adjacent windows. They are merged, because each change is compared with each chunk.
        for (from, until) in merged(windows) {
            self.chunks.change_later(WholeChange::FailWindow {
                from,
                until,
                since,
                now,
            });
        }
        self.catch_up();
    }

    /// Applies another configuration, once the registry has [caught up](Self::catch_up) again. Catch up before it, too: it does the rest
    /// of other work at once. Counters stay as they are.
    pub fn reconfigure(&mut self, series: &Series, mode: Option<CountingMode>) {
        self.catch_up_at_once();
        self.most_shown = series.max_operations;
        self.chunks.set_min_size(series.min_size);
        self.tables.counters.set_mode(mode);
        self.walks.relabel = Some(Relabel {
            last: None,
            wants_tags_again: self.tables.labels.reconfigure(series),
        });
        self.catch_up();
    }

    /// Drops the operations that no source lists if discovery is off, and applies labels that changed while the exporter did not
    /// run, once the registry has [caught up](Self::catch_up). Call it once all sources have reported, and then after each change of a
    /// source.
    pub fn drop_unlisted(&mut self, discovers: bool) {
        if std::mem::take(&mut self.walks.is_restored) && self.presenter().has_groups() {
            self.walks.relabel.get_or_insert_default().last = None;
        }
        self.walks.dropping = Dropping::No;
        if !discovers {
            self.walks.dropping = Dropping::FromStart;
            for id in self.rejected.clear() {
                self.tables.failures.remove(id);
            }
        }
        self.catch_up();
    }

    /// Removes the operations that have expired at `now`, watched ones included, and returns the watched ones. Counters keep what
    /// they had. If very many expire at once, it removes the oldest of them; [`Self::has_expired`] tells whether there are more.
    pub fn expire(&mut self, now: Timestamp) -> Vec<OperationId> {
        let mut slice = Slice::default();
        let tables = &mut self.tables;
        let recount = &mut |record: &mut _| tables.recount(record);
        let expired = self.chunks.expire(now, &mut slice, recount);
        let mut gone = BTreeSet::new();
        for record in expired {
            gone.insert(record.id);
            self.tables.remove(&record);
        }
        self.tables.new_lists.expire(now);
        for id in self.rejected.expire(now) {
            self.tables.failures.remove(id);
        }
        self.tables.expire(gone, now)
    }

    /// Whether operations in memory have expired at `now`.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.chunks.has_expired(now)
    }

    /// Removes the next slice of saved operations from the unsaved ones. Returns whether there are more. Release the registry between two
    /// calls.
    pub fn forget_saved(&mut self) -> bool {
        self.tables.unsaved.forget_saved(&mut Slice::default())
    }

    /// Collects the next slice of the content of a save into `draft`. Returns the content after the last one. Release the registry between
    /// two calls.
    pub fn collect_unsaved(&mut self, draft: &mut SaveDraft) -> Option<ToSave> {
        if draft.waits_for_recount(&self.chunks) {
            self.catch_up();
            return None;
        }
        draft.step(&mut self.tables, &self.chunks)
    }

    /// Applies further differences between what sources listed and what they list now. Returns whether there are more.
    fn list_next(&mut self, slice: &mut Slice) -> bool {
        // The records of one chunk are changed together, because each change sums up the chunk.
        let mut changed = Vec::new();
        let mut chunk = None;
        while slice.has_room() && !self.tables.new_lists.is_empty() {
            slice.spend(1, Cost::Record);
            let Some(id) = self.set_next() else {
                continue;
            };
            let next = self.chunks.key_for(id);
            if chunk != Some(next) {
                self.rewatch(&changed);
                changed.clear();
                chunk = Some(next);
                slice.spend(1, Cost::Chunk);
            }
            slice.spend(1, Cost::Tables);
            changed.push(id);
        }
        self.rewatch(&changed);
        !self.tables.new_lists.is_empty()
    }

    /// Compares the next operation of a new list. Returns it if it has other labels now, for [`Self::rewatch`].
    fn set_next(&mut self) -> Option<OperationId> {
        let Difference {
            source,
            reported,
            id,
            labels,
        } = self.tables.new_lists.compare_next(&self.tables.watched)?;
        let labels = labels.filter(|_| !self.is_expired(id, reported));
        let is_changed = self.tables.watched.set(&source, id, labels);
        is_changed.then_some(id)
    }

    /// Applies their labels to further operations. Returns whether there are more.
    fn relabel_next(&mut self, slice: &mut Slice) -> bool {
        while let Some(walk) = self.walks.relabel {
            let most = slice.room(Cost::Tables);
            if most == 0 {
                return true;
            }
            let ids: Vec<_> = self.presenter().ids_after(walk.last).take(most).collect();
            slice.spend(ids.len(), Cost::Tables);
            for id in &ids {
                if walk.wants_tags_again && self.chunks.get(*id).is_some() {
                    self.tables.labels.want_tags_again(*id);
                }
                if self.tables.labels.has(*id) || self.tables.watched.contains(*id) {
                    self.relabel(*id);
                }
            }
            self.walks.relabel = ids
                .last()
                .filter(|_| ids.len() == most)
                .map(|last| Relabel {
                    last: Some(*last),
                    ..walk
                });
            if self.walks.relabel.is_none() {
                self.tables.labels.groups.complete();
            }
        }
        false
    }

    /// Drops further operations that no source lists. Returns whether there may be more.
    fn drop_next(&mut self, slice: &mut Slice) -> bool {
        let after = match self.walks.dropping {
            Dropping::No => return false,
            Dropping::FromStart => None,
            Dropping::After(id) => Some(id),
        };
        if !slice.has_room() {
            return true;
        }
        let tables = &mut self.tables;
        let recount = &mut |record: &mut _| tables.recount(record);
        let is_unlisted = |record: &Record| !record.is_watched();
        let (dropped, next) = self.chunks.remove_after(after, slice, recount, is_unlisted);
        for record in dropped {
            let saved = self.tables.to_saved(&record);
            self.tables.remove(&record);
            self.tables.unsaved.evict_early(saved);
        }
        self.walks.dropping = next.map_or(Dropping::No, Dropping::After);
        next.is_some()
    }
}

/// The same times in as few windows as possible, oldest first.
fn merged(
    windows: impl IntoIterator<Item = (Timestamp, Option<Timestamp>)>,
) -> Vec<(Timestamp, Option<Timestamp>)> {
    let mut windows: Vec<_> = windows.into_iter().collect();
    windows.sort_unstable();
    let mut merged: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
    for (from, until) in windows {
        match merged.last_mut() {
            Some((_, last)) if last.is_none_or(|last| from <= last) => {
                *last = last.zip(until).map(|(last, until)| last.max(until));
            }
            _ => merged.push((from, until)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_touch_are_one() {
        let at = Timestamp::from_millis;
        let window = |from, until: Option<i64>| (at(from), until.map(at));
        for (given, expected) in [
            (vec![], vec![]),
            (
                vec![window(7, Some(9)), window(1, Some(3)), window(3, Some(5))],
                vec![window(1, Some(5)), window(7, Some(9))],
            ),
            (
                vec![window(1, Some(9)), window(2, Some(3)), window(10, None)],
                vec![window(1, Some(9)), window(10, None)],
            ),
            (
                vec![window(4, None), window(4, Some(6)), window(5, Some(8))],
                vec![window(4, None)],
            ),
        ] {
            assert_eq!(merged(given), expected);
        }
    }
}
