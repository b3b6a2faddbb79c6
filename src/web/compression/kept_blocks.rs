//! The compressed forms of an exposition's blocks, kept from one exposition to the next. A block that has not changed is not
//! compressed again, so compression costs only what has changed.

use std::collections::HashMap;
use std::io;

use bytes::Bytes;

use super::compressors::Compressors;
use super::stream::{Part, Stream};
use crate::exposition::Block;
use crate::web::negotiation::Encoding;

/// The most bytes that are kept: the gzip blocks of 140,000 operations. Blocks beyond it are compressed for each exposition.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A block is dropped after this many expositions without it. Two, because scrapers that did not join the same collection can get the last
/// two expositions in any order.
const KEPT_FOR: u64 = 2;

/// The compressed blocks of the last expositions, in one encoding. All must come from one renderer.
#[derive(Debug)]
pub struct KeptBlocks {
    encoding: Encoding,
    /// By the number of the block.
    kept: HashMap<u64, Kept>,
    /// The compressed bytes of `kept`.
    bytes: usize,
    /// The number of expositions so far.
    expositions: u64,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Kept {
    part: Part,
    /// The last exposition that had the block.
    last: u64,
}

impl KeptBlocks {
    /// Without blocks.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            kept: HashMap::new(),
            bytes: 0,
            expositions: 0,
            scratch: Vec::new(),
        }
    }

    /// The compressed exposition that has these blocks, in pieces.
    ///
    /// # Errors
    /// Only if there is no memory for the compressor's state.
    pub fn compress(
        &mut self,
        blocks: &[Block],
        compressors: &Compressors,
    ) -> io::Result<Vec<Bytes>> {
        self.expositions += 1;
        let mut stream = Stream::new(self.encoding);
        for block in blocks {
            let text = block.text();
            if let Some(kept) = self.kept.get_mut(&block.number()) {
                kept.last = self.expositions;
                stream.push(&kept.part, text.len());
                continue;
            }
            self.scratch.clear();
            compressors.compress_part(self.encoding, text, &mut self.scratch)?;
            let part = Part::new(self.encoding, text, &self.scratch);
            stream.push(&part, text.len());
            self.keep(block.number(), part);
        }
        self.drop_unused();
        Ok(stream.end())
    }

    /// Drops all blocks.
    pub fn clear(&mut self) {
        *self = Self::new(self.encoding);
    }

    #[cfg(test)]
    pub(in crate::web) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn keep(&mut self, number: u64, part: Part) {
        if self.bytes + part.len() <= MOST_BYTES {
            self.bytes += part.len();
            let last = self.expositions;
            self.kept.insert(number, Kept { part, last });
        }
    }

    fn drop_unused(&mut self) {
        let oldest = (self.expositions + 1).saturating_sub(KEPT_FOR);
        self.kept.retain(|_, kept| {
            let is_used = kept.last >= oldest;
            if !is_used {
                self.bytes -= kept.part.len();
            }
            is_used
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exposition::histories::History;
    use crate::exposition::{BlockRenderer, Syntax};

    fn numbers(kept: &KeptBlocks) -> Vec<u64> {
        let mut numbers: Vec<u64> = kept.kept.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn blocks_are_kept_while_expositions_have_them() {
        let mut history = History::of(200);
        let mut renderer = BlockRenderer::new(Syntax::Text);
        let compressors = Compressors::default();
        let mut kept = KeptBlocks::new(Encoding::Gzip);
        let mut old = Vec::new();
        for _ in 0..30 {
            history.rotate();
            let blocks = renderer.render_snapshot(&Arc::new(history.snapshot()));
            let first = kept.compress(&blocks, &compressors).unwrap();
            assert_eq!(kept.compress(&blocks, &compressors).unwrap(), first);
            let mut expected: Vec<u64> = blocks.iter().map(Block::number).collect();
            expected.sort_unstable();
            assert_eq!(numbers(&kept), expected);
            // An older exposition comes late, and the blocks of the newer one stay.
            kept.compress(&old, &compressors).unwrap();
            assert!(expected.iter().all(|number| kept.kept.contains_key(number)));
            old = blocks;
        }
        let bytes: usize = kept.kept.values().map(|kept| kept.part.len()).sum();
        assert_eq!(kept.bytes, bytes);
        kept.clear();
        assert_eq!((kept.bytes, numbers(&kept)), (0, Vec::new()));
    }

    #[test]
    fn an_exposition_beyond_the_limit_is_compressed_without_being_kept() {
        let blocks =
            BlockRenderer::new(Syntax::Text).render_snapshot(&Arc::new(History::of(40).snapshot()));
        let compressors = Compressors::default();
        let expected = KeptBlocks::new(Encoding::Zstd).compress(&blocks, &compressors);
        let mut kept = KeptBlocks::new(Encoding::Zstd);
        kept.bytes = MOST_BYTES;
        let compressed = kept.compress(&blocks, &compressors);
        assert_eq!(compressed.unwrap(), expected.unwrap());
        assert_eq!(numbers(&kept), [0; 0]);
    }
}
