//! Applies changes to all operations later, one chunk after another; see [`pending_changes`]. A chunk gets the changes that it lacks in
//! its turn, or before one of its operations changes in another way.

use super::Chunks;
use crate::operation::OperationId;
use crate::registry::chunk::Chunk;
use crate::registry::pending_changes::{self, WholeChange};
use crate::registry::record::Record;
use crate::registry::slice::Slice;

impl Chunks {
    /// Notes a change to all operations, for [`Self::catch_up`].
    pub(in crate::registry) fn change_later(&mut self, change: WholeChange) {
        self.pending.push(change);
    }

    /// Whether a chunk may still have to be counted in another counting mode.
    pub(in crate::registry) fn is_recounting(&self) -> bool {
        self.pending.has_recount()
    }

    /// Whether all chunks have had all changes.
    pub(in crate::registry) const fn has_caught_up(&self) -> bool {
        self.pending.is_empty()
    }

    /// Applies what [`Self::change_later`] noted to further chunks, as many as `slice` has room for. Returns whether there are more.
    /// `recount` counts an operation in the current counting mode.
    pub(in crate::registry) fn catch_up(
        &mut self,
        slice: &mut Slice,
        recount: &mut impl FnMut(&mut Record),
    ) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let count = self.pending.count();
        let behind = |chunk: &&mut Chunk| chunk.changes < count;
        for chunk in self.by_first.values_mut().filter(behind) {
            let missing = self.pending.missing(chunk);
            if !missing.is_empty() {
                if !slice.has_room() {
                    return true;
                }
                pending_changes::spend(slice, &missing, chunk.records().len());
                let was_packed = chunk.is_packed();
                chunk.update(self.policy, |records| {
                    pending_changes::apply(&missing, records, recount);
                });
                if was_packed {
                    chunk.pack();
                }
            }
            chunk.changes = count;
        }
        self.pending.finish();
        false
    }

    /// Applies to the chunks of `ids` what [`Self::change_later`] noted, before these operations are changed or their records move to
    /// other chunks.
    pub(in crate::registry) fn catch_up_for(
        &mut self,
        ids: impl Iterator<Item = OperationId>,
        recount: &mut impl FnMut(&mut Record),
    ) {
        if self.pending.is_empty() {
            return;
        }
        for id in ids {
            if let Some(key) = self.key_for(id) {
                self.catch_up_at(key, recount);
            }
        }
    }

    /// Applies to one chunk what [`Self::change_later`] noted.
    pub(super) fn catch_up_at(&mut self, key: OperationId, recount: &mut impl FnMut(&mut Record)) {
        let count = self.pending.count();
        let chunk = self.by_first.get_mut(&key);
        let Some(chunk) = chunk.filter(|chunk| chunk.changes < count) else {
            return;
        };
        let missing = self.pending.missing(chunk);
        chunk.changes = count;
        if !missing.is_empty() {
            self.update(key, |records| {
                pending_changes::apply(&missing, records, recount);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::operation::{Marks, Operation, OperationState, Stats};
    use crate::registry::chunk::{CHUNK_SIZE, ChunkPolicy};
    use crate::registry::clock_jumps::Jump;
    use crate::registry::undocumented_values::UndocumentedValues;
    use crate::simulator::operation_id;
    use crate::timestamp::Timestamp;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);
    const POLICY: ChunkPolicy = ChunkPolicy {
        min_size: 1,
        by_age: false,
    };
    /// The seconds from one operation to the next.
    const APART: u32 = 10;
    /// The operations at the beginning: four chunks.
    const KNOWN: u32 = 3500;

    /// Every second id is of an operation that is not known at the beginning.
    fn operation(place: u32) -> Operation {
        let created = START + Duration::from_secs(u64::from(place * APART / 2));
        Operation {
            id: operation_id(created, u128::from(place)),
            state: OperationState::Completed,
            stats: Stats {
                size: Some(place),
                ..Stats::default()
            },
            created,
            updated: None,
        }
    }

    /// The record after a read of an operation at `now`. Its last change stays, so an old time remains in the record.
    fn read(before: Option<&Record>, operation: &Operation, now: Timestamp) -> Record {
        let change = before.map_or(operation.created, Record::last_change);
        let mut undocumented = UndocumentedValues::default();
        Record::new(operation, &mut undocumented, Marks::default(), change, now)
    }

    /// Raises the marks, as a recount does. A merge resets them, so it shows whether a recount came before it.
    fn recount(record: &mut Record) {
        record.marks.accepted = record.marks.accepted.max(record.size().unwrap_or_default());
    }

    /// Applies pending changes to this many chunks of [`CHUNK_SIZE`], or to all of them.
    fn catch_up(chunks: &mut Chunks, most: usize) -> bool {
        let mut slice = Slice::new(most.saturating_mul(CHUNK_SIZE));
        chunks.catch_up(&mut slice, &mut recount)
    }

    fn known() -> Chunks {
        let mut chunks = Chunks::new(POLICY);
        let operations: Vec<_> = (0..KNOWN).map(|n| operation(2 * n)).collect();
        chunks.ingest(&operations, |before, operation| {
            read(
                before,
                operation,
                operation.created + Duration::from_mins(1),
            )
        });
        chunks
    }

    #[derive(Debug, Clone)]
    enum Event {
        Later(WholeChange),
        /// The next slice, of one chunk.
        Slice,
        /// A page with this many operations from this place on.
        Page(u32, u32),
        Remove(u32),
        Pack,
    }

    fn event() -> impl Strategy<Value = Event> {
        let place = 0..2 * KNOWN;
        let time = (0..KNOWN * APART).prop_map(|second| START + Duration::from_secs(second.into()));
        let span = (1..100_000_u64).prop_map(Duration::from_secs);
        prop_oneof![
            span.clone()
                .prop_map(|span| Event::Later(WholeChange::Shift(Jump::Forward(span)))),
            span.prop_map(|span| Event::Later(WholeChange::Shift(Jump::Back(span)))),
            (time.clone(), prop::option::of(time.clone()), time).prop_map(
                |(from, until, since)| {
                    let now = since + Duration::from_mins(1);
                    Event::Later(WholeChange::FailWindow {
                        from,
                        until,
                        since,
                        now,
                    })
                }
            ),
            Just(Event::Later(WholeChange::Recount)),
            Just(Event::Later(WholeChange::Resize)),
            Just(Event::Slice),
            Just(Event::Slice),
            (place.clone(), 1..1500_u32).prop_map(|(from, size)| Event::Page(from, size)),
            place.prop_map(Event::Remove),
            Just(Event::Pack),
        ]
    }

    fn apply(chunks: &mut Chunks, event: &Event, now: Timestamp) {
        match *event {
            Event::Later(change) => chunks.change_later(change),
            Event::Slice => {
                chunks.catch_up(&mut Slice::new(1), &mut recount);
            }
            Event::Page(from, size) => {
                let page: Vec<_> = (from..from + size).map(operation).collect();
                let ids = page.iter().map(|operation| operation.id);
                chunks.catch_up_for(ids, &mut recount);
                chunks.ingest(&page, |before, operation| read(before, operation, now));
            }
            Event::Remove(place) => {
                let id = operation(place).id;
                let all = &mut Slice::new(usize::MAX);
                chunks.remove_after(None, all, &mut recount, |record| record.id == id);
            }
            Event::Pack => chunks.by_first.values_mut().for_each(Chunk::pack),
        }
    }

    fn records(chunks: &Chunks) -> Vec<Record> {
        let all = chunks.iter().flat_map(|chunk| chunk.records().iter());
        all.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn changes_to_all_operations_in_slices_are_as_if_they_were_made_at_once(
            events in prop::collection::vec(event(), 1..12)
        ) {
            let (mut in_slices, mut at_once) = (known(), known());
            for (second, event) in (0..).zip(&events) {
                let now = START + Duration::from_secs(u64::from(KNOWN * APART) + second);
                apply(&mut in_slices, event, now);
                apply(&mut at_once, event, now);
                prop_assert!(!catch_up(&mut at_once, usize::MAX));
            }
            while in_slices.catch_up(&mut Slice::new(1), &mut recount) {}
            prop_assert!(records(&in_slices) == records(&at_once));
            let summaries = |chunks: &Chunks| -> Vec<_> {
                chunks.iter().map(|chunk| chunk.summary).collect()
            };
            prop_assert_eq!(summaries(&in_slices), summaries(&at_once));
        }
    }

    #[test]
    fn a_slice_changes_no_more_chunks_than_it_may_and_packed_ones_stay_packed() {
        let mut chunks = known();
        chunks.by_first.values_mut().for_each(Chunk::pack);
        let before = records(&chunks);
        let hour = Duration::from_hours(1);
        chunks.change_later(WholeChange::Shift(Jump::Back(hour)));
        let changed = |chunks: &Chunks| {
            let now = records(chunks);
            let pairs = before.iter().zip(&now);
            pairs.filter(|(before, now)| before != now).count()
        };
        let mut slices = 0;
        loop {
            let earlier = changed(&chunks);
            let has_more = chunks.catch_up(&mut Slice::new(1), &mut recount);
            assert!(changed(&chunks) - earlier <= CHUNK_SIZE);
            slices += 1;
            if !has_more {
                break;
            }
        }
        assert_eq!(
            (slices, changed(&chunks)),
            (chunks.by_first.len(), KNOWN as usize)
        );
        assert!(chunks.iter().all(Chunk::is_packed));
        let last = chunks.get(operation(0).id).unwrap();
        assert_eq!(last.last_success(), before[0].last_success() - hour);
        assert!(!catch_up(&mut chunks, 1), "nothing is left");
        // Chunks beside a window are not unpacked for it.
        let end = operation(2 * (KNOWN - 1)).created;
        chunks.change_later(WholeChange::FailWindow {
            from: end,
            until: None,
            since: end,
            now: end,
        });
        assert!(!catch_up(&mut chunks, 1));
        let failed = records(&chunks)
            .iter()
            .filter(|record| record.failed)
            .count();
        assert_eq!(failed, 1);
    }
}
