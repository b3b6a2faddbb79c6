//! A part of an exposition, and what numbers the parts.

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
    /// What stands for the text: blocks of one renderer that have the same number have the same text.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The text.
    #[must_use]
    pub const fn text(&self) -> &Bytes {
        &self.text
    }
}

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

    /// A block with what `write` writes; about `usual` bytes are expected.
    pub(super) fn write(&mut self, usual: usize, write: impl FnOnce(&mut Text<'_>)) -> Block {
        let mut text = Vec::with_capacity(usual);
        write(&mut Text::new(&mut text, self.syntax));
        // The block may be kept for days.
        text.shrink_to_fit();
        self.number(Bytes::from(text))
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
