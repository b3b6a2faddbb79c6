//! All operations of an account in memory, in the order of their ids, in chunks of a page's size.
//!
//! A map of single operations would need half as much memory again, and would have no windows. With chunks, the exporter finds
//! the due operations in a thousand summaries instead of a million records.

mod later;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use super::chunk::{CHUNK_SIZE, Chunk, ChunkPolicy};
use super::pending_changes::{PendingChanges, WholeChange};
use super::record::Record;
use super::records::Records;
use super::slice::{Cost, Slice};
use crate::operation::{Operation, OperationId};
use crate::timestamp::Timestamp;

/// Accounts with more operations than this are polled by age. If such an account sends emails one by one, emails are opened all the
/// time; following each would take one request per second.
const MANY: usize = 20_000;

/// The most chunks that are not packed: 7 MB, and more operations than most accounts have. Changing a packed chunk takes ten times as
/// long.
const MOST_OPEN: usize = 64;

/// Operations in chunks; each id is in at most one.
#[derive(Debug)]
pub(super) struct Chunks {
    /// By the id of the first record.
    by_first: BTreeMap<OperationId, Chunk>,
    size: usize,
    policy: ChunkPolicy,
    /// The keys of all chunks that are not packed, in the order of unpacking. It may also have keys of removed chunks.
    open: VecDeque<OperationId>,
    pending: PendingChanges,
}

impl Chunks {
    pub(super) const fn new(policy: ChunkPolicy) -> Self {
        Self {
            by_first: BTreeMap::new(),
            size: 0,
            policy,
            open: VecDeque::new(),
            pending: PendingChanges::new(),
        }
    }

    /// Changes the fewest emails for series, once all chunks have [caught up](Self::catch_up).
    pub(super) fn set_min_size(&mut self, min_size: u32) {
        if self.policy.min_size != min_size {
            self.policy.min_size = min_size;
            self.change_later(WholeChange::Resize);
        }
    }

    /// The number of operations.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    pub(super) const fn policy(&self) -> ChunkPolicy {
        self.policy
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        self.by_first.values()
    }

    /// The chunks after the one that begins with `first`; all chunks if there is none.
    pub(super) fn iter_after(&self, first: Option<OperationId>) -> impl Iterator<Item = &Chunk> {
        let after = first.map_or(Bound::Unbounded, Bound::Excluded);
        let chunks = self.by_first.range((after, Bound::Unbounded));
        chunks.map(|(_, chunk)| chunk)
    }

    pub(super) fn get(&self, id: OperationId) -> Option<Record> {
        let (_, record) = self.by_first.range(..=id).next_back()?.1.find(id)?;
        Some(record)
    }

    /// Notes that the last attempt to read an operation failed. Returns whether it is in memory.
    pub(super) fn set_failed(&mut self, id: OperationId) -> bool {
        let chunk = self.by_first.range_mut(..=id).next_back();
        chunk.is_some_and(|(_, chunk)| chunk.set_failed(id))
    }

    /// Unpacks the chunks of `ids`, which the caller is about to look up and change.
    pub(super) fn open(&mut self, ids: impl Iterator<Item = OperationId>) {
        let mut current = None;
        for id in ids {
            let chunk = self.by_first.range_mut(..=id).next_back();
            let Some((key, chunk)) = chunk.filter(|(key, _)| current != Some(**key)) else {
                continue;
            };
            let key = *key;
            current = Some(key);
            if chunk.is_packed() && chunk.may_have(id) {
                chunk.open();
                self.opened(key);
            }
        }
    }

    /// Changes these operations, for which [`Self::catch_up_for`] was called. Returns those that are in memory.
    pub(super) fn change(
        &mut self,
        ids: &[OperationId],
        mut change: impl FnMut(&mut Record),
    ) -> BTreeSet<OperationId> {
        let mut known = BTreeSet::new();
        let mut places = BTreeMap::<OperationId, Vec<usize>>::new();
        for id in ids {
            let chunk = self.by_first.range(..=id).next_back();
            if let Some((key, (place, _))) =
                chunk.and_then(|(key, chunk)| Some((*key, chunk.find(*id)?)))
            {
                places.entry(key).or_default().push(place);
                known.insert(*id);
            }
        }
        for (key, places) in places {
            self.update(key, |records| {
                for place in places {
                    change(&mut records[place]);
                }
            });
        }
        known
    }

    /// Changes the records of one chunk.
    fn update(&mut self, key: OperationId, change: impl FnOnce(&mut [Record])) {
        if let Some(chunk) = self.by_first.get_mut(&key) {
            let was_packed = chunk.is_packed();
            chunk.update(self.policy, change);
            if was_packed {
                self.opened(key);
            }
        }
    }

    /// Notes that the chunk at `key` is not packed, and packs the one that was opened first if there are too many.
    fn opened(&mut self, key: OperationId) {
        self.open.push_back(key);
        while self.open.len() > MOST_OPEN {
            let first = self.open.pop_front();
            if let Some(chunk) = first.and_then(|key| self.by_first.get_mut(&key)) {
                chunk.pack();
            }
        }
    }

    /// Ingests `operations`, sorted by id, each id once: `merge` returns the new record of each from the previous one. Call
    /// [`Self::catch_up_for`] first.
    ///
    /// A panic in `merge` loses no record: each chunk stays until the chunks that replace it are complete.
    pub(super) fn ingest(
        &mut self,
        operations: &[Operation],
        mut merge: impl FnMut(Option<&Record>, &Operation) -> Record,
    ) {
        let mut rest = operations;
        while let Some(first) = rest.first() {
            let key = self.key_for(first.id);
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
            let old = key.and_then(|key| self.by_first.get(&key));
            let known = old.map_or(0, |old| in_both(old.records(), run));
            if let Some(key) = key.filter(|_| known == run.len()) {
                // Most responses hold nothing new. A new chunk for each would fragment the heap.
                self.update(key, |records| replace(records, run, &mut merge));
                continue;
            }
            let size = old.map_or(0, |old| old.records().len()) + run.len() - known;
            let old = old.into_iter().flat_map(|old| old.records().iter());
            let new = self.cut(key, size, weave(old, run, &mut merge));
            self.replace(key, new);
        }
    }

    /// Adds saved records, in the order of their ids, after all that are in memory.
    pub(super) fn append(&mut self, records: Vec<Record>) {
        let new = self.cut(None, records.len(), records.into_iter());
        self.replace(None, new);
    }

    /// Whether any operation expires at `now` or before.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expired(now).next().is_some()
    }

    /// Removes operations that expire at `now` or before, oldest first, and returns them.
    pub(super) fn expire(
        &mut self,
        now: Timestamp,
        slice: &mut Slice,
        recount: &mut impl FnMut(&mut Record),
    ) -> Vec<Record> {
        let mut gone = Vec::new();
        while slice.has_room() {
            let Some(key) = self.expired(now).next() else {
                break;
            };
            slice.spend(self.size_of(Some(key)), Cost::Record);
            let expires = |record: &Record| record.created() + crate::operation::RETENTION <= now;
            gone.extend(self.take(key, slice, recount, expires));
        }
        gone
    }

    /// The keys of the chunks with operations that expire at `now` or before, oldest first.
    fn expired(&self, now: Timestamp) -> impl Iterator<Item = OperationId> {
        let chunks = self.by_first.iter();
        let expired = chunks.filter(move |(_, chunk)| chunk.summary.expires <= now);
        expired.map(|(key, _)| *key)
    }

    /// Removes what is `unwanted` from the chunks after the one that begins with `first`, or from all chunks. Returns the removed
    /// records and where to continue; `None`: at the end.
    pub(super) fn remove_after(
        &mut self,
        mut first: Option<OperationId>,
        slice: &mut Slice,
        recount: &mut impl FnMut(&mut Record),
        unwanted: impl Fn(&Record) -> bool,
    ) -> (Vec<Record>, Option<OperationId>) {
        let mut gone = Vec::new();
        while slice.has_room() {
            let Some(chunk) = self.iter_after(first).next() else {
                return (gone, None);
            };
            first = chunk.summary.ids.map(|(first, _)| first);
            slice.spend(chunk.records().len(), Cost::Record);
            let has_unwanted = chunk.records().iter().any(|record| unwanted(&record));
            if let Some(key) = first.filter(|_| has_unwanted) {
                gone.extend(self.take(key, slice, recount, &unwanted));
            }
        }
        (gone, first)
    }

    /// All records from `first` on, in the order of their ids.
    pub(super) fn records_from(&self, first: Bound<OperationId>) -> impl Iterator<Item = Record> {
        let from = match first {
            Bound::Included(id) | Bound::Excluded(id) => {
                let chunk = self.by_first.range(..=id).next_back();
                chunk.map_or(Bound::Unbounded, |(key, _)| Bound::Included(*key))
            }
            Bound::Unbounded => Bound::Unbounded,
        };
        let chunks = self.by_first.range((from, Bound::Unbounded));
        let records = chunks.flat_map(|(_, chunk)| chunk.records().iter());
        records.skip_while(move |record| match first {
            Bound::Included(first) => record.id < first,
            Bound::Excluded(first) => record.id <= first,
            Bound::Unbounded => false,
        })
    }

    /// Removes what is `unwanted` from one chunk, and returns it.
    fn take(
        &mut self,
        key: OperationId,
        slice: &mut Slice,
        recount: &mut impl FnMut(&mut Record),
        unwanted: impl Fn(&Record) -> bool,
    ) -> Vec<Record> {
        self.catch_up_at(key, recount);
        let chunk = self.by_first.get(&key);
        let records = chunk.into_iter().flat_map(|chunk| chunk.records().iter());
        let (gone, kept): (Vec<_>, Vec<_>) = records.partition(unwanted);
        let new = self.cut(Some(key), kept.len(), kept.into_iter());
        slice.spend(gone.len(), Cost::Tables);
        self.replace(Some(key), new);
        gone
    }

    /// Cuts `size` records into chunks, which replace the chunk at `replaced`. Each record goes straight to its place: another copy of
    /// all of them would fragment the heap, by a seventh of the memory of a million operations.
    ///
    /// All new chunks but one are full. The other one gets new operations: the last chunk gets newer ones, or the first chunk gets
    /// older ones while a list arrives newest first.
    fn cut(
        &self,
        replaced: Option<OperationId>,
        size: usize,
        records: impl Iterator<Item = Record>,
    ) -> Vec<Chunk> {
        let mut records = records.peekable();
        let mut newest = self.by_first.keys().rev();
        let last = newest.find(|key| Some(**key) != replaced);
        let at_end = last
            .zip(records.peek())
            .is_none_or(|(last, first)| *last < first.id);
        let odd = size % CHUNK_SIZE;
        let (before, after) = if at_end { (0, odd) } else { (odd, 0) };
        let full = std::iter::repeat_n(CHUNK_SIZE, size / CHUNK_SIZE);
        let sizes = std::iter::once(before).chain(full).chain([after]);
        let policy = self.policy_for(self.size - self.size_of(replaced) + size);
        sizes
            .filter(|size| *size > 0)
            .map(|size| {
                let mut piece = Vec::with_capacity(size);
                piece.extend(records.by_ref().take(size));
                Chunk::new(piece.into_boxed_slice(), policy, self.pending.count())
            })
            .collect()
    }

    /// Puts `new` chunks into the place of the one at `replaced`.
    fn replace(&mut self, replaced: Option<OperationId>, new: Vec<Chunk>) {
        self.size -= self.size_of(replaced);
        if let Some(key) = replaced {
            self.by_first.remove(&key);
        }
        for chunk in new {
            if let Some(first) = chunk.records().first() {
                self.size += chunk.records().len();
                self.by_first.insert(first.id, chunk);
                self.opened(first.id);
            }
        }
        self.policy = self.policy_for(self.size);
    }

    /// The chunk that has or gets the operation `id`.
    pub(super) fn key_for(&self, id: OperationId) -> Option<OperationId> {
        let before = self.by_first.range(..=id).next_back();
        let chunk = before.or_else(|| self.by_first.iter().next());
        chunk.map(|(key, _)| *key)
    }

    fn size_of(&self, key: Option<OperationId>) -> usize {
        let chunk = key.and_then(|key| self.by_first.get(&key));
        chunk.map_or(0, |chunk| chunk.records().len())
    }

    /// The policy for an account of `size` operations.
    const fn policy_for(&self, size: usize) -> ChunkPolicy {
        ChunkPolicy {
            by_age: size > MANY,
            ..self.policy
        }
    }
}

/// How many of `new` are also in `old`; both are in order.
fn in_both(old: &Records, new: &[Operation]) -> usize {
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

/// Old records and new operations, both in order, as one sequence.
fn weave(
    old: impl Iterator<Item = Record>,
    new: &[Operation],
    mut merge: impl FnMut(Option<&Record>, &Operation) -> Record,
) -> impl Iterator<Item = Record> {
    let mut old = old.peekable();
    let mut new = new.iter().peekable();
    std::iter::from_fn(move || {
        let Some(operation) = new.peek() else {
            return old.next();
        };
        if let Some(before) = old.next_if(|record| record.id < operation.id) {
            return Some(before);
        }
        let known = old.next_if(|record| record.id == operation.id);
        new.next().map(|operation| merge(known.as_ref(), operation))
    })
}
