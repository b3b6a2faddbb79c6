//! The blocks of one family about single operations. A block is used again exactly if its text would be the same.

use std::ops::Range;

use super::block::{Block, BlockWriter};
use super::changes::{Before, Changes};
use super::cuts::Cuts;
use crate::exposition::families::{LabelledOperations, OperationFamily};
use crate::snapshot::ShownOperation;

/// What one sample usually has beside the labels of its operation, for the size of the first block.
const BESIDE_LABELS: usize = 128;

/// The blocks of a family.
#[derive(Debug)]
pub(super) struct FamilyBlocks {
    family: OperationFamily,
    header: Block,
    blocks: Vec<OperationBlock>,
    /// The bytes of an operation in the last block that was written.
    usual: usize,
}

#[derive(Debug)]
struct OperationBlock {
    /// The places of its operations in the snapshot.
    places: Range<usize>,
    block: Block,
}

/// A new snapshot beside the one before.
pub(super) struct Update<'a> {
    pub(super) changes: &'a Changes,
    /// The operations of the snapshot before.
    pub(super) old: &'a [&'a ShownOperation],
    pub(super) new: &'a LabelledOperations<'a>,
    /// Where the new snapshot is cut; `None` if its operations are at the same places, so that the blocks stay.
    pub(super) cuts: Option<&'a Cuts>,
}

impl FamilyBlocks {
    /// Without operations.
    pub(super) fn new(family: OperationFamily, writer: &mut BlockWriter) -> Self {
        Self {
            family,
            header: writer.write(0, |text| text.header(family.metric)),
            blocks: Vec::new(),
            usual: BESIDE_LABELS,
        }
    }

    /// Writes anew what has changed.
    pub(super) fn update(&mut self, update: &Update<'_>, writer: &mut BlockWriter) {
        let before = std::mem::take(&mut self.blocks);
        let places = match update.cuts {
            Some(cuts) => cuts.blocks(self.family.block),
            None => before.iter().map(|block| block.places.clone()).collect(),
        };
        let mut blocks = Vec::with_capacity(places.len());
        for places in places {
            let block = match self.unchanged(&before, &places, update) {
                Some(block) => block,
                None => self.write(&places, update.new, writer),
            };
            blocks.push(OperationBlock { places, block });
        }
        self.blocks = blocks;
    }

    /// Appends the header and the blocks; nothing if there are no samples.
    pub(super) fn push_to(&self, blocks: &mut Vec<Block>) {
        let with_samples = self.blocks.iter().map(|own| &own.block);
        let mut with_samples = with_samples
            .filter(|block| !block.text().is_empty())
            .peekable();
        if with_samples.peek().is_some() {
            blocks.push(self.header.clone());
        }
        blocks.extend(with_samples.cloned());
    }

    /// The block of `before` that has the text of the operations at `places`. It has the same operations of the same account in the
    /// same order, and each has the same samples.
    fn unchanged(
        &self,
        before: &[OperationBlock],
        places: &Range<usize>,
        update: &Update<'_>,
    ) -> Option<Block> {
        let changes = &update.changes.operations()[places.clone()];
        let (Before::Equal(first) | Before::Different(first)) = *changes.first()? else {
            return None;
        };
        let at = before.binary_search_by_key(&first, |block| block.places.start);
        let block = &before[at.ok()?];
        if block.places.len() != places.len() {
            return None;
        }
        let new = &update.new.plain()[places.clone()];
        let mut operations = block.places.clone().zip(changes).zip(new);
        let is_same = operations.all(|((was, before), now)| match *before {
            Before::Absent => false,
            Before::Equal(place) => place == was,
            Before::Different(place) => {
                place == was && self.family.has_same_samples(update.old[place], now)
            }
        });
        is_same.then(|| block.block.clone())
    }

    fn write(
        &mut self,
        places: &Range<usize>,
        operations: &LabelledOperations<'_>,
        writer: &mut BlockWriter,
    ) -> Block {
        let family = self.family;
        let usual = (self.usual + 1) * places.len() + BESIDE_LABELS;
        let block = writer.write(usual, |text| {
            let operations = operations.range(places.clone());
            family.write(operations, &mut text.continued(family.metric));
        });
        self.usual = block.text().len() / places.len().max(1);
        block
    }
}
