//! Expositions in blocks that are kept, so that an exposition costs only what has changed since the one before. The text is exactly
//! that of [`Renderer`](super::Renderer).
//!
//! Families about single operations are cut into blocks of operations ([`cuts`]). A block is used again if a comparison shows that
//! it has the same operations with the same values ([`changes`], [`family`]). All other families are written again and compared as
//! bytes ([`fresh`]).

mod block;
mod changes;
mod cuts;
mod family;
mod fresh;

use std::sync::Arc;

use self::block::BlockWriter;
use self::changes::Changes;
use self::cuts::Cuts;
use self::family::{FamilyBlocks, Update};
use self::fresh::FreshBlocks;
use super::families::{LabeledAccounts, LabeledOperations, OPERATION_FAMILIES};
use super::instruments::Instruments;
use super::labels::LabelTexts;
use super::syntax::Syntax;
use super::text::Text;
use crate::snapshot::Snapshot;

pub use self::block::Block;

/// Renders the expositions of `/metrics` in one syntax, one after another.
#[derive(Debug)]
pub struct BlockRenderer {
    writer: BlockWriter,
    last: Last,
}

/// The last exposition. All of it is about one snapshot.
#[derive(Debug, Default)]
struct Last {
    snapshot: Arc<Snapshot>,
    /// The label texts of its operations.
    texts: LabelTexts,
    /// The families about single operations; none before the first exposition.
    families: Vec<FamilyBlocks>,
    accounts: FreshBlocks,
    instruments: FreshBlocks,
    /// Memory for text that is written again for each exposition.
    scratch: Vec<u8>,
}

impl BlockRenderer {
    /// A renderer without earlier text.
    #[must_use]
    pub fn new(syntax: Syntax) -> Self {
        Self {
            writer: BlockWriter::new(syntax),
            last: Last::default(),
        }
    }

    /// The exposition of `snapshot`, as [`Renderer::render`](super::Renderer::render) writes it.
    pub fn render(&mut self, snapshot: &Arc<Snapshot>, instruments: &Instruments) -> Vec<Block> {
        self.update(snapshot, |mut text| {
            instruments.encode(&mut text);
            text.end();
        });
        self.blocks()
    }

    /// The values about Twilio, as [`Renderer::render_snapshot`](super::Renderer::render_snapshot) writes them.
    pub fn render_snapshot(&mut self, snapshot: &Arc<Snapshot>) -> Vec<Block> {
        self.update(snapshot, |_| {});
        self.blocks()
    }

    /// Drops all blocks.
    pub fn clear(&mut self) {
        self.last = Last::default();
    }

    fn update(&mut self, snapshot: &Arc<Snapshot>, instruments: impl FnOnce(Text<'_>)) {
        // Taken out, so that a panic leaves no blocks of two snapshots behind.
        let mut last = std::mem::take(&mut self.last);
        last.update(snapshot, instruments, &mut self.writer);
        self.last = last;
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for family in &self.last.families {
            family.push_to(&mut blocks);
        }
        self.last.accounts.push_to(&mut blocks);
        self.last.instruments.push_to(&mut blocks);
        blocks
    }
}

impl Last {
    fn update(
        &mut self,
        snapshot: &Arc<Snapshot>,
        instruments: impl FnOnce(Text<'_>),
        writer: &mut BlockWriter,
    ) {
        let changes = Changes::between(&self.snapshot, snapshot);
        let mut account_texts = LabelTexts::default();
        let accounts = LabeledAccounts::new(snapshot, &mut account_texts);
        if self.families.is_empty() {
            let families = OPERATION_FAMILIES.into_iter().enumerate();
            let families =
                families.map(|(number, family)| FamilyBlocks::new(number, family, writer));
            self.families = families.collect();
        }
        if !changes.is_equal() {
            let cuts = (!changes.has_same_places()).then(|| Cuts::new(snapshot));
            let new = match cuts {
                Some(_) => LabeledOperations::new(accounts, &mut self.texts),
                None => LabeledOperations::with_texts(accounts, &self.texts),
            };
            let update = Update {
                changes: &changes,
                new: &new,
                cuts: cuts.as_ref(),
            };
            for family in &mut self.families {
                family.update(&update, writer);
            }
        }
        self.write_fresh(
            writer,
            |mut text| accounts.write(&mut text),
            |last| &mut last.accounts,
        );
        self.write_fresh(writer, instruments, |last| &mut last.instruments);
        self.snapshot = Arc::clone(snapshot);
    }

    fn write_fresh(
        &mut self,
        writer: &mut BlockWriter,
        write: impl FnOnce(Text<'_>),
        section: impl FnOnce(&mut Self) -> &mut FreshBlocks,
    ) {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        write(Text::new(&mut text, writer.syntax()));
        section(self).update(&text, writer);
        self.scratch = text;
    }
}

#[cfg(test)]
mod tests;
