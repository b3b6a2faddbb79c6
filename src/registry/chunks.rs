//! All operations of an account, in the order of their ids, in chunks of a page's size.
//!
//! A map of single operations would cost half again their size in memory and give no windows; in chunks, what is due is
//! found by looking at a thousand summaries instead of a million operations.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::chunk::{Chunk, MOST, Measure};
use super::record::Record;
use crate::operation::{Operation, OperationId};
use crate::timestamp::Timestamp;

/// From so many operations on, an account that sends one by one sees one opened every moment, and to follow each would
/// take a request a second for news of single emails.
const MANY: usize = 20_000;

/// Operations in chunks; every id is in one of them at most.
#[derive(Debug)]
pub(super) struct Chunks {
    /// By the smallest id that belongs there.
    by_first: BTreeMap<OperationId, Chunk>,
    size: usize,
    measure: Measure,
}

impl Chunks {
    pub(super) const fn new(measure: Measure) -> Self {
        Self {
            by_first: BTreeMap::new(),
            size: 0,
            measure,
        }
    }

    /// Measures by another size from now on.
    pub(super) fn set_min_size(&mut self, min_size: u32) {
        if self.measure.min_size != min_size {
            self.measure.min_size = min_size;
            for chunk in self.by_first.values_mut() {
                chunk.sum_up(self.measure);
            }
        }
    }

    /// How many operations there are.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    pub(super) const fn measure(&self) -> Measure {
        self.measure
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        self.by_first.values()
    }

    pub(super) fn get(&self, id: OperationId) -> Option<&Record> {
        self.by_first.range(..=id).next_back()?.1.get(id)
    }

    /// Changes one operation; says whether it is there.
    pub(super) fn change(&mut self, id: OperationId, change: impl FnOnce(&mut Record)) -> bool {
        let Some((_, chunk)) = self.by_first.range_mut(..=id).next_back() else {
            return false;
        };
        let found = chunk.get_mut(id).map(change).is_some();
        if found {
            chunk.sum_up(self.measure);
        }
        found
    }

    /// Changes the operations of the chunks that `wanted` accepts.
    pub(super) fn change_where(
        &mut self,
        wanted: impl Fn(&Chunk) -> bool,
        mut change: impl FnMut(&mut Record),
    ) {
        for chunk in self.by_first.values_mut().filter(|chunk| wanted(chunk)) {
            chunk.records_mut().iter_mut().for_each(&mut change);
            chunk.sum_up(self.measure);
        }
    }

    /// Takes in `operations`, sorted by id, each id once: `merge` makes the new record of each from the one there was.
    pub(super) fn absorb(
        &mut self,
        operations: &[Operation],
        mut merge: impl FnMut(Option<&Record>, &Operation) -> Record,
    ) {
        let mut rest = operations;
        while let Some(first) = rest.first() {
            let key = self
                .by_first
                .range(..=first.id)
                .next_back()
                .or_else(|| self.by_first.iter().next())
                .map(|(key, _)| *key);
            let next = key.and_then(|key| {
                self.by_first
                    .range((Bound::Excluded(key.max(first.id)), Bound::Unbounded))
                    .next()
            });
            let end = next.map_or(rest.len(), |(next, _)| {
                rest.partition_point(|operation| operation.id < *next)
            });
            let (run, later) = rest.split_at(end.max(1));
            rest = later;
            let known = key.and_then(|key| self.by_first.get_mut(&key));
            if let Some(chunk) = known.filter(|chunk| in_both(chunk.records(), run) == run.len()) {
                // Most answers hold nothing new. A chunk that was made anew for each would leave holes in the heap.
                replace(chunk.records_mut(), run, &mut merge);
                chunk.sum_up(self.measure);
                continue;
            }
            let old = key
                .and_then(|key| self.by_first.remove(&key))
                .map_or_else(Vec::new, Chunk::into_records);
            self.size -= old.len();
            let size = old.len() + run.len() - in_both(&old, run);
            self.insert(size, weave(&old, run, &mut merge));
        }
    }

    /// Adds records as they were saved, in the order of ids, after all that are there.
    pub(super) fn append(&mut self, records: Vec<Record>) {
        self.insert(records.len(), records.into_iter());
    }

    /// Removes the operations that expire at `now` or before, and returns them.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Record> {
        let due: Vec<_> = self
            .by_first
            .iter()
            .filter(|(_, chunk)| chunk.summary.expires <= now)
            .map(|(key, _)| *key)
            .collect();
        let mut gone = Vec::new();
        for key in due {
            let expires = |record: &Record| record.created() + crate::operation::RETENTION <= now;
            gone.extend(self.take(key, expires));
        }
        gone
    }

    /// Removes one operation, if it is there.
    pub(super) fn remove(&mut self, id: OperationId) -> Option<Record> {
        let (key, _) = self.by_first.range(..=id).next_back()?;
        self.take(*key, |record| record.id == id).pop()
    }

    /// All ids from `first` on, in order.
    pub(super) fn ids_from(&self, first: Bound<OperationId>) -> impl Iterator<Item = OperationId> {
        let from = match first {
            Bound::Included(id) | Bound::Excluded(id) => {
                let chunk = self.by_first.range(..=id).next_back();
                chunk.map_or(Bound::Unbounded, |(key, _)| Bound::Included(*key))
            }
            Bound::Unbounded => Bound::Unbounded,
        };
        let chunks = self.by_first.range((from, Bound::Unbounded));
        let ids = chunks.flat_map(|(_, chunk)| chunk.records().iter().map(|record| record.id));
        ids.skip_while(move |id| match first {
            Bound::Included(first) => *id < first,
            Bound::Excluded(first) => *id <= first,
            Bound::Unbounded => false,
        })
    }

    /// The operations that are `wanted`.
    pub(super) fn ids(&self, wanted: impl Fn(&Record) -> bool) -> Vec<OperationId> {
        let records = self.iter().flat_map(Chunk::records);
        records
            .filter(|record| wanted(record))
            .map(|record| record.id)
            .collect()
    }

    /// Removes what is `unwanted` from one chunk, and returns it.
    fn take(&mut self, key: OperationId, unwanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let Some(chunk) = self.by_first.remove(&key) else {
            return Vec::new();
        };
        let records = chunk.into_records();
        self.size -= records.len();
        let (gone, kept): (Vec<_>, Vec<_>) = records.into_iter().partition(unwanted);
        self.insert(kept.len(), kept.into_iter());
        gone
    }

    /// Cuts `records`, of which there are `size`, into chunks, and takes them in. Each goes straight to its place: a row of
    /// them all in between would leave holes in the heap, which are a seventh of what a million operations take.
    ///
    /// All chunks but one are full. The other is where operations are added: at the end, where time goes on, or at the
    /// beginning, where a list that tells the newest first arrives.
    fn insert(&mut self, size: usize, records: impl Iterator<Item = Record>) {
        let mut records = records.peekable();
        self.size += size;
        self.measure.by_age = self.size > MANY;
        let at_end = self
            .by_first
            .last_key_value()
            .zip(records.peek())
            .is_none_or(|((last, _), first)| *last < first.id);
        let odd = size % MOST;
        let (before, after) = if at_end { (0, odd) } else { (odd, 0) };
        let full = std::iter::repeat_n(MOST, size / MOST);
        for size in std::iter::once(before).chain(full).chain([after]) {
            let mut piece = Vec::with_capacity(size);
            piece.extend(records.by_ref().take(size));
            if let Some(first) = piece.first().map(|record: &Record| record.id) {
                let chunk = Chunk::new(piece.into_boxed_slice(), self.measure);
                self.by_first.insert(first, chunk);
            }
        }
    }
}

/// How many operations are in both rows, which are in order.
fn in_both(old: &[Record], new: &[Operation]) -> usize {
    let mut old = old.iter().map(|record| record.id).peekable();
    let is_known = |operation: &&Operation| {
        while old.next_if(|id| *id < operation.id).is_some() {}
        old.peek() == Some(&operation.id)
    };
    new.iter().filter(is_known).count()
}

/// Replaces the records of `new`, all of which are among `old`; both are in order.
fn replace(
    old: &mut [Record],
    new: &[Operation],
    mut merge: impl FnMut(Option<&Record>, &Operation) -> Record,
) {
    let mut new = new.iter().peekable();
    for record in old {
        if let Some(operation) = new.next_if(|operation| operation.id == record.id) {
            *record = merge(Some(record), operation);
        }
    }
}

/// Old records and new operations, both in order, as one row.
fn weave(
    old: &[Record],
    new: &[Operation],
    mut merge: impl FnMut(Option<&Record>, &Operation) -> Record,
) -> impl Iterator<Item = Record> {
    let mut old = old.iter().peekable();
    let mut new = new.iter().peekable();
    std::iter::from_fn(move || {
        let Some(operation) = new.peek() else {
            return old.next().copied();
        };
        if let Some(before) = old.next_if(|record| record.id < operation.id) {
            return Some(*before);
        }
        let known = old.next_if(|record| record.id == operation.id);
        new.next().map(|operation| merge(known, operation))
    })
}
