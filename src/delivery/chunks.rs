//! A sorted list of records of a fixed size, for millions of them: in chunks, with little unused space.
//!
//! A hash table leaves up to half of its slots empty, and a tree of single records has a pointer for each. A chunk has room for a few
//! more records than it holds.

use std::collections::BTreeMap;

/// A chunk with more records is split. Each insertion moves half of a chunk.
const MOST: usize = 512;
/// A chunk with fewer records is joined with the next one, if there is room.
const LEAST: usize = 128;
/// The room for new records in a full chunk: this many, or this fraction of a large chunk.
const ROOM: usize = 16;
const SHARE_OF_ROOM: usize = 32;

/// A record of `N` bytes, which begin with the `K` bytes of its key. Records sort by their keys.
pub(super) type Bytes<const N: usize> = [u8; N];

/// Sorted records. Several records may have one key.
#[derive(Debug)]
pub(super) struct SortedChunks<const N: usize, const K: usize> {
    /// By a key that is not above the keys of the chunk, and above those of the previous chunk. Records of one key are in one chunk.
    chunks: BTreeMap<[u8; K], Vec<Bytes<N>>>,
    length: usize,
}

impl<const N: usize, const K: usize> Default for SortedChunks<N, K> {
    fn default() -> Self {
        Self {
            chunks: BTreeMap::new(),
            length: 0,
        }
    }
}

impl<const N: usize, const K: usize> SortedChunks<N, K> {
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// The first record with this key.
    pub(super) fn get(&self, key: &[u8; K]) -> Option<Bytes<N>> {
        let (_, chunk) = self.chunks.range::<[u8; K], _>(..=key).next_back()?;
        let at = first_at(chunk, key);
        chunk
            .get(at)
            .filter(|record| key_of(record) == *key)
            .copied()
    }

    /// Adds a record after those with the same key.
    pub(super) fn insert(&mut self, record: Bytes<N>) {
        self.length += 1;
        let key = key_of(&record);
        let place = self
            .chunks
            .range::<[u8; K], _>(..=&key)
            .next_back()
            .map(|(place, _)| *place);
        let Some(place) = place.or_else(|| self.lower_first(key)) else {
            let mut chunk = Vec::new();
            chunk.reserve_exact(ROOM);
            chunk.push(record);
            self.chunks.insert(key, chunk);
            return;
        };
        let Some(chunk) = self.chunks.get_mut(&place) else {
            return;
        };
        if chunk.len() == chunk.capacity() {
            chunk.reserve_exact(ROOM.max(chunk.len() / SHARE_OF_ROOM));
        }
        let at = chunk.partition_point(|each| key_of::<N, K>(each) <= key);
        chunk.insert(at, record);
        if chunk.len() > MOST {
            self.split(place);
        }
    }

    /// Replaces the first record with the same key; returns whether there is one.
    pub(super) fn replace(&mut self, record: Bytes<N>) -> bool {
        let key = key_of(&record);
        let found = self.chunks.range_mut::<[u8; K], _>(..=&key).next_back();
        let found = found.and_then(|(_, chunk)| {
            let at = first_at(chunk, &key);
            chunk.get_mut(at).filter(|each| key_of(each) == key)
        });
        found.map(|each| *each = record).is_some()
    }

    /// Removes the first record with this key.
    pub(super) fn remove(&mut self, key: &[u8; K]) -> Option<Bytes<N>> {
        let (place, chunk) = self.chunks.range_mut::<[u8; K], _>(..=key).next_back()?;
        let place = *place;
        let at = first_at(chunk, key);
        if chunk.get(at).map(key_of) != Some(*key) {
            return None;
        }
        let removed = chunk.remove(at);
        self.length -= 1;
        self.tidy(place);
        Some(removed)
    }

    /// Removes the first record, if it is `wanted`.
    pub(super) fn pop_first_if(&mut self, wanted: impl Fn(&Bytes<N>) -> bool) -> Option<Bytes<N>> {
        let first = self.chunks.values().next()?.first().copied()?;
        wanted(&first).then(|| self.remove(&key_of(&first)))?
    }

    /// All records in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Bytes<N>> {
        self.chunks.values().flatten()
    }

    /// The records whose keys are at least `from` and below `behind`, in order.
    pub(super) fn range<'a>(
        &'a self,
        from: &[u8; K],
        behind: &[u8; K],
    ) -> impl Iterator<Item = &'a Bytes<N>> + use<'a, N, K> {
        let (from, behind) = (*from, *behind);
        let before = self.chunks.range::<[u8; K], _>(..=&from).next_back();
        let start = before.map_or(from, |(place, _)| *place);
        let chunks = self.chunks.range(start..).map(|(_, chunk)| chunk);
        let from_first = chunks.flat_map(move |chunk| &chunk[first_at(chunk, &from)..]);
        from_first.take_while(move |record| key_of::<N, K>(record) < behind)
    }

    /// The number of records whose keys are at most `key`.
    pub(super) fn count_to(&self, key: &[u8; K]) -> usize {
        let mut chunks = self.chunks.range::<[u8; K], _>(..=key);
        let last = chunks.next_back().map_or(0, |(_, chunk)| {
            chunk.partition_point(|each| key_of::<N, K>(each) <= *key)
        });
        last + chunks.map(|(_, chunk)| chunk.len()).sum::<usize>()
    }

    /// Makes the place of the first chunk low enough for `key`; returns it.
    fn lower_first(&mut self, key: [u8; K]) -> Option<[u8; K]> {
        let (_, chunk) = self.chunks.pop_first()?;
        self.chunks.insert(key, chunk);
        Some(key)
    }

    /// Splits a chunk near its middle, between two keys.
    fn split(&mut self, place: [u8; K]) {
        let Some(chunk) = self.chunks.get_mut(&place) else {
            return;
        };
        let middle = key_of(&chunk[chunk.len() / 2]);
        let before = first_at(chunk, &middle);
        let at = if before > 0 {
            before
        } else {
            chunk.partition_point(|each| key_of::<N, K>(each) <= middle)
        };
        if at == chunk.len() {
            return;
        }
        // Without room: emails are mostly read in the order of their creation, so few are inserted into full chunks.
        let rest = chunk[at..].to_vec();
        chunk.truncate(at);
        chunk.shrink_to_fit();
        self.chunks.insert(key_of(&rest[0]), rest);
    }

    /// Releases room that removed records left, and joins a small chunk with the next one.
    fn tidy(&mut self, place: [u8; K]) {
        let Some(chunk) = self.chunks.get_mut(&place) else {
            return;
        };
        if chunk.capacity() - chunk.len() > 2 * ROOM.max(chunk.len() / SHARE_OF_ROOM) {
            chunk.shrink_to(chunk.len() + ROOM);
        }
        let length = chunk.len();
        if length == 0 {
            self.chunks.remove(&place);
            return;
        }
        let above = (std::ops::Bound::Excluded(place), std::ops::Bound::Unbounded);
        let next = self.chunks.range(above).next();
        let next = next.filter(|(_, next)| length < LEAST && length + next.len() <= MOST);
        if let Some(next) = next.map(|(next, _)| *next)
            && let Some(rest) = self.chunks.remove(&next)
            && let Some(chunk) = self.chunks.get_mut(&place)
        {
            chunk.reserve_exact(rest.len() + ROOM);
            chunk.extend_from_slice(&rest);
        }
    }
}

/// The key of a record.
fn key_of<const N: usize, const K: usize>(record: &Bytes<N>) -> [u8; K] {
    let mut key = [0; K];
    key.copy_from_slice(&record[..K]);
    key
}

/// The place of the first record whose key is at least `key`.
fn first_at<const N: usize, const K: usize>(chunk: &[Bytes<N>], key: &[u8; K]) -> usize {
    chunk.partition_point(|each| key_of::<N, K>(each) < *key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Sorted = SortedChunks<3, 2>;

    fn record(key: u16, value: u8) -> Bytes<3> {
        let [high, low] = key.to_be_bytes();
        [high, low, value]
    }

    /// The chunks are in order, each has its place, none is empty, and few have much unused room.
    fn check(sorted: &Sorted) {
        let records: Vec<_> = sorted.iter().copied().collect();
        assert_eq!(records.len(), sorted.len());
        assert!(records.is_sorted_by_key(key_of::<3, 2>));
        let mut above = None;
        for (place, chunk) in &sorted.chunks {
            let keys = [chunk[0], chunk[chunk.len() - 1]].map(|each| key_of::<3, 2>(&each));
            assert!(*place <= keys[0] && above.is_none_or(|above| above < *place));
            assert!(chunk.capacity() - chunk.len() <= 2 * ROOM.max(chunk.len() / SHARE_OF_ROOM));
            above = Some(keys[1]);
        }
    }

    #[test]
    fn many_records_of_one_key_stay_together() {
        let mut sorted = Sorted::default();
        for at in 0..2000_u16 {
            sorted.insert(record(7, 0));
            sorted.insert(record(at, 1));
        }
        check(&sorted);
        assert_eq!(sorted.count_to(&7_u16.to_be_bytes()), 2008);
        assert_eq!(sorted.count_to(&6_u16.to_be_bytes()), 7);
        for _ in 0..2001 {
            assert!(sorted.remove(&7_u16.to_be_bytes()).is_some());
        }
        assert_eq!(sorted.remove(&7_u16.to_be_bytes()), None);
        check(&sorted);
        assert_eq!(sorted.len(), 1999);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_holds_what_a_sorted_list_holds(
            operations in prop::collection::vec((any::<u8>(), 0_u16..3000, any::<u8>()), 0..4000),
        ) {
            let mut sorted = Sorted::default();
            let mut model: BTreeMap<u16, Bytes<3>> = BTreeMap::new();
            for (what, key, value) in operations {
                let bytes = key.to_be_bytes();
                prop_assert_eq!(sorted.get(&bytes), model.get(&key).copied());
                match what % 8 {
                    0 => prop_assert_eq!(sorted.remove(&bytes), model.remove(&key)),
                    1 => {
                        let first = model.first_key_value().map(|(_, record)| *record);
                        let popped = sorted.pop_first_if(|record| record[2] % 2 == 0);
                        prop_assert_eq!(popped, first.filter(|record| record[2] % 2 == 0));
                        if popped.is_some() {
                            model.pop_first();
                        }
                    }
                    2 => {
                        prop_assert_eq!(sorted.count_to(&bytes), model.range(..=key).count());
                        let behind = key + u16::from(value);
                        let range: Vec<_> = sorted.range(&bytes, &behind.to_be_bytes()).collect();
                        let expected: Vec<_> = model.range(key..behind).map(|(_, each)| each).collect();
                        prop_assert_eq!(range, expected);
                    }
                    _ => {
                        if model.insert(key, record(key, value)).is_some() {
                            prop_assert!(sorted.replace(record(key, value)));
                        } else {
                            prop_assert!(!sorted.replace(record(key, value)));
                            sorted.insert(record(key, value));
                        }
                    }
                }
            }
            check(&sorted);
            prop_assert!(sorted.iter().eq(model.values()));
        }
    }
}
