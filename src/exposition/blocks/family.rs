//! The blocks of one family about single operations. A block is used again exactly if its text would be the same: same operations,
//! same order, same samples.

use std::ops::Range;

use super::block::{Block, BlockWriter};
use super::changes::{Before, Changes};
use super::cuts::Cuts;
use crate::exposition::families::{LabeledOperations, OperationFamily};

/// The usual bytes of one sample without the labels of its operation, for the size of the first block.
const BESIDE_LABELS: usize = 128;

/// The blocks of a family.
#[derive(Debug)]
pub(super) struct FamilyBlocks {
    family: OperationFamily,
    /// Of the family in a [`FamilySet`].
    number: usize,
    header: Block,
    further_labels: Vec<String>,
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

/// A new snapshot and the one before.
pub(super) struct Update<'a> {
    pub(super) changes: &'a Changes,
    pub(super) new: &'a LabeledOperations<'a>,
    /// Where the new snapshot is cut; `None` if its operations are at the same places, so that the blocks keep their cuts.
    pub(super) cuts: Option<&'a Cuts>,
}

impl FamilyBlocks {
    /// The blocks of the family with this number, without operations.
    pub(super) fn new(number: usize, family: OperationFamily, writer: &mut BlockWriter) -> Self {
        let mut further_labels = Vec::new();
        let header = writer.write(Vec::new(), 0, |text| {
            text.header(family.metric);
            further_labels = family.further_labels(text);
        });
        Self {
            family,
            number,
            header,
            further_labels,
            blocks: Vec::new(),
            usual: BESIDE_LABELS,
        }
    }

    /// Writes the blocks that have changed.
    pub(super) fn update(&mut self, update: &Update<'_>, writer: &mut BlockWriter) {
        let before = std::mem::take(&mut self.blocks);
        let mut blocks = Vec::with_capacity(before.len());
        match update.cuts {
            Some(cuts) => {
                for places in cuts.blocks(self.family.block) {
                    let block = match self.find(&before, &places, update) {
                        Some(block) => block,
                        None => self.write(Vec::new(), &places, update.new, writer),
                    };
                    blocks.push(OperationBlock { places, block });
                }
            }
            None => {
                for OperationBlock { places, block } in before {
                    let block = if self.is_same(&places, &places, update) {
                        block
                    } else {
                        self.write(block.into_memory(), &places, update.new, writer)
                    };
                    blocks.push(OperationBlock { places, block });
                }
            }
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

    /// The block of `before` that has the text of the operations that are now at `places`.
    fn find(
        &self,
        before: &[OperationBlock],
        places: &Range<usize>,
        update: &Update<'_>,
    ) -> Option<Block> {
        let first = update.changes.operations()[places.start].place()?;
        let at = before.binary_search_by_key(&first, |block| block.places.start);
        let block = &before[at.ok()?];
        let is_same = self.is_same(&block.places, places, update);
        is_same.then(|| block.block.clone())
    }

    /// Whether the block of the operations that were at `before` has the text of those that are now at `places`: the same operations of
    /// the same account in the same order, each with the same samples.
    fn is_same(&self, before: &Range<usize>, places: &Range<usize>, update: &Update<'_>) -> bool {
        let operations = &update.changes.operations()[places.clone()];
        let mut operations = before.clone().zip(operations);
        before.len() == places.len()
            && operations.all(|(was, now)| match *now {
                Before::Absent => false,
                Before::At(place, different) => place == was && !different.has(self.number),
            })
    }

    fn write(
        &mut self,
        memory: Vec<u8>,
        places: &Range<usize>,
        operations: &LabeledOperations<'_>,
        writer: &mut BlockWriter,
    ) -> Block {
        let family = self.family;
        let usual = (self.usual + 1) * places.len() + BESIDE_LABELS;
        let block = writer.write(memory, usual, |text| {
            let operations = operations.range(places.clone());
            let mut samples = text.continued(family.metric);
            family.write(operations, &self.further_labels, &mut samples);
        });
        self.usual = block.text().len() / places.len().max(1);
        block
    }
}
