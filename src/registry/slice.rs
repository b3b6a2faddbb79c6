//! How much is done before the registry is released: no scrape and no page waits for it longer than that takes. Work counts by its
//! cost, so that slices of all kinds of work take about the same time.

use super::chunk::CHUNK_SIZE;

/// How many chunks are processed before the registry is released. Unpacking and packing as many takes about 5 ms.
pub(super) const SLICE: usize = 16;

/// What work on one operation costs, in units of a [`Slice`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Cost {
    /// Its record is unpacked, changed and packed: 0.3 µs.
    Record = 1,
    /// The tables beside the records change, too: 1 to 5 µs, most if it has labels.
    Tables = 12,
    /// Its chunk is unpacked and summed up, and another one is packed: 0.3 ms.
    Chunk = 3 * CHUNK_SIZE.cast_signed(),
}

/// The rest of the work that may be done before the registry is released.
#[derive(Debug)]
pub(super) struct Slice {
    left: usize,
}

impl Default for Slice {
    fn default() -> Self {
        Self::new(SLICE * CHUNK_SIZE)
    }
}

impl Slice {
    /// A slice of this many operations whose records change.
    pub(super) const fn new(operations: usize) -> Self {
        Self { left: operations }
    }

    /// Whether anything more may be done. Work on whole chunks may exceed the slice by one chunk.
    pub(super) const fn has_room(&self) -> bool {
        self.left > 0
    }

    /// How many operations at this cost there is room for.
    pub(super) const fn room(&self, cost: Cost) -> usize {
        self.left.div_ceil(cost as usize)
    }

    /// Notes work on this many operations.
    pub(super) const fn spend(&mut self, operations: usize, cost: Cost) {
        self.left = self
            .left
            .saturating_sub(operations.saturating_mul(cost as usize));
    }
}
