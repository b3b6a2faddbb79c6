//! The records of a chunk, either as they are or packed. A packed chunk takes less memory, and is unpacked when one of its records
//! changes.

use super::record::Record;
#[cfg(test)]
use super::visits;
use crate::operation::OperationId;
use crate::store::bytes::Reader;
use crate::timestamp::Timestamp;

/// The records of a block, which a search reads from its start. The places of single records would take more memory.
const BLOCK: usize = 8;

/// Records in the order of their ids; at least one.
#[derive(Debug)]
pub(super) enum Records {
    /// In full.
    Open(Box<[Record]>),
    /// In few bytes.
    Packed(PackedRecords),
}

/// Records in few bytes.
#[derive(Debug)]
pub(super) struct PackedRecords {
    bytes: Box<[u8]>,
    /// Where each [`BLOCK`] begins in `bytes`.
    blocks: Box<[u32]>,
    size: usize,
    /// When the last of them was read.
    base: Timestamp,
}

impl Records {
    pub(super) const fn is_packed(&self) -> bool {
        matches!(self, Self::Packed(_))
    }

    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Open(records) => records.len(),
            Self::Packed(packed) => packed.size,
        }
    }

    /// The record at this place.
    pub(super) fn at(&self, place: usize) -> Option<Record> {
        match self {
            Self::Open(records) => records.get(place).copied(),
            Self::Packed(packed) => packed.block(place / BLOCK).nth(place % BLOCK),
        }
    }

    pub(super) fn first(&self) -> Option<Record> {
        self.at(0)
    }

    pub(super) fn last(&self) -> Option<Record> {
        self.at(self.len().checked_sub(1)?)
    }

    /// The record of `id`, and its place.
    pub(super) fn find(&self, id: OperationId) -> Option<(usize, Record)> {
        #[cfg(test)]
        visits::note();
        match self {
            Self::Open(records) => {
                let place = records.binary_search_by_key(&id, |record| record.id).ok()?;
                Some((place, records[place]))
            }
            Self::Packed(packed) => packed.find(id),
        }
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Record> {
        let (open, packed) = match self {
            Self::Open(records) => (&**records, None),
            Self::Packed(packed) => (&[][..], Some(packed)),
        };
        let packed = packed.into_iter().flat_map(PackedRecords::iter);
        let records = open.iter().copied().chain(packed);
        #[cfg(test)]
        let records = records.inspect(|_| visits::note());
        records
    }

    /// All of them, newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = Record> {
        let (open, packed) = match self {
            Self::Open(records) => (&**records, None),
            Self::Packed(packed) => (&[][..], Some(packed)),
        };
        let packed = packed.into_iter().flat_map(PackedRecords::newest_first);
        let records = open.iter().rev().copied().chain(packed);
        #[cfg(test)]
        let records = records.inspect(|_| visits::note());
        records
    }

    /// Unpacks the records so that they can be changed; their ids must not change.
    pub(super) fn open(&mut self) -> &mut [Record] {
        #[cfg(test)]
        (0..self.len()).for_each(|_| visits::note());
        if let Self::Packed(packed) = self {
            *self = Self::Open(packed.iter().collect());
        }
        match self {
            Self::Open(records) => records,
            Self::Packed(_) => &mut [],
        }
    }

    pub(super) fn pack(&mut self) {
        if let Self::Open(records) = self {
            *self = Self::Packed(PackedRecords::of(records));
        }
    }

    /// Notes that the last attempt to read `id` failed. Returns whether `id` is among the records.
    pub(super) fn set_failed(&mut self, id: OperationId) -> bool {
        let Some((place, _)) = self.find(id) else {
            return false;
        };
        match self {
            Self::Open(records) => records[place].failed = true,
            Self::Packed(packed) => packed.set_failed(place),
        }
        true
    }
}

impl PackedRecords {
    fn of(records: &[Record]) -> Self {
        /// The bytes that most records take.
        const USUAL: usize = 48;
        let base = records.iter().map(Record::last_success).max();
        let base = base.unwrap_or_default();
        let mut bytes = Vec::with_capacity(records.len() * USUAL);
        let mut blocks = Vec::with_capacity(records.len().div_ceil(BLOCK));
        for (place, record) in records.iter().enumerate() {
            if place % BLOCK == 0 {
                // A chunk has less than 200 KB.
                blocks.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            }
            record.pack(base, &mut bytes);
        }
        Self {
            bytes: bytes.into_boxed_slice(),
            blocks: blocks.into_boxed_slice(),
            size: records.len(),
            base,
        }
    }

    fn iter(&self) -> impl Iterator<Item = Record> {
        self.starting_at(0)
    }

    fn newest_first(&self) -> impl Iterator<Item = Record> {
        let blocks = (0..self.blocks.len()).rev();
        blocks.flat_map(|block| {
            let mut records: Vec<_> = self.block(block).collect();
            records.reverse();
            records
        })
    }

    /// The records of one block.
    fn block(&self, block: usize) -> impl Iterator<Item = Record> {
        let size = self.size.saturating_sub(block * BLOCK).min(BLOCK);
        self.starting_at(block).take(size)
    }

    fn starting_at(&self, block: usize) -> impl Iterator<Item = Record> {
        let mut reader = Reader::new(self.bytes_from(block));
        // Only what was packed is unpacked, so there is no error but the end.
        std::iter::from_fn(move || Record::unpack(&mut reader, self.base).ok())
    }

    fn bytes_from(&self, block: usize) -> &[u8] {
        let start = self
            .blocks
            .get(block)
            .and_then(|at| usize::try_from(*at).ok());
        start
            .and_then(|start| self.bytes.get(start..))
            .unwrap_or_default()
    }

    fn find(&self, id: OperationId) -> Option<(usize, Record)> {
        let blocks = self.blocks.partition_point(|at| {
            let bytes = usize::try_from(*at)
                .ok()
                .and_then(|at| self.bytes.get(at..));
            let first = bytes.map(|bytes| Record::unpack_id(&mut Reader::new(bytes)));
            matches!(first, Some(Ok(first)) if first <= id)
        });
        let block = blocks.checked_sub(1)?;
        let mut records = self.block(block).enumerate();
        let (place, record) = records.find(|(_, record)| record.id == id)?;
        Some((block * BLOCK + place, record))
    }

    fn set_failed(&mut self, place: usize) {
        let mut reader = Reader::new(self.bytes_from(place / BLOCK));
        for _ in 0..place % BLOCK {
            let _ = Record::unpack(&mut reader, self.base);
        }
        let at = self.bytes.len() - reader.left();
        if let Some(flags) = self.bytes.get_mut(at) {
            Record::set_failed(flags);
        }
    }
}

#[cfg(test)]
mod tests;
