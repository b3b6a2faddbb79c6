//! A block: a part of an exposition that is kept and used again. Its number stands for its text, so that compressed blocks can be
//! kept by number.

use bytes::Bytes;

use crate::exposition::syntax::Syntax;
use crate::exposition::text::Text;

/// A part of an exposition: whole lines.
#[derive(Debug, Clone)]
pub struct Block {
    number: u64,
    text: Bytes,
}

impl Block {
    /// The number of the text: blocks of one renderer that have the same number have the same text.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The text.
    #[must_use]
    pub const fn text(&self) -> &Bytes {
        &self.text
    }

    /// The memory of the text, to be used again; empty if the text is still in use, for instance while a client receives it.
    pub(super) fn into_memory(self) -> Vec<u8> {
        let Ok(mut text) = self.text.try_into_mut() else {
            return Vec::new();
        };
        // `Vec::from` would copy the text to where it is.
        text.clear();
        Vec::from(text)
    }
}

/// The share of a block's memory that may be unused: one byte of this many.
const SPARE: usize = 8;

/// Makes blocks. It never uses a number twice.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    syntax: Syntax,
    last: u64,
}

impl BlockWriter {
    pub(super) const fn new(syntax: Syntax) -> Self {
        Self { syntax, last: 0 }
    }

    pub(super) const fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// A block with what `write` writes, in `memory` if it has some; otherwise about `usual` bytes are expected.
    pub(super) fn write(
        &mut self,
        mut memory: Vec<u8>,
        usual: usize,
        write: impl FnOnce(&mut Text<'_>),
    ) -> Block {
        memory.clear();
        if memory.capacity() == 0 {
            memory.reserve_exact(usual);
        }
        write(&mut Text::new(&mut memory, self.syntax));
        // The block may be kept for days, so it gives back most of its unused memory. Some is for values that become longer.
        if memory.capacity() > memory.len() + memory.len() / SPARE {
            memory.shrink_to_fit();
        }
        self.number(Bytes::from(memory))
    }

    /// A block with a copy of `text`.
    pub(super) fn copy(&mut self, text: &[u8]) -> Block {
        self.number(Bytes::copy_from_slice(text))
    }

    const fn number(&mut self, text: Bytes) -> Block {
        self.last += 1;
        Block {
            number: self.last,
            text,
        }
    }
}
