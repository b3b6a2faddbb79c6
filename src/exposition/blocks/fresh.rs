//! Blocks of text that is written again for every exposition, because that costs little. A block is used again if its bytes are the
//! same.

use super::block::{Block, BlockWriter};

/// The lines of a block. A block has a number of lines and not of bytes, because values change their length and series stay.
const LINES: usize = 64;

/// The blocks of one section of an exposition.
#[derive(Debug, Default)]
pub(super) struct FreshBlocks(Vec<Block>);

impl FreshBlocks {
    /// Cuts `text` into blocks, and uses the earlier blocks that have not changed.
    pub(super) fn update(&mut self, text: &[u8], writer: &mut BlockWriter) {
        let mut number = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let (lines, after) = rest.split_at(len_of_lines(rest));
            match self.0.get_mut(number) {
                Some(block) if **block.text() == *lines => {}
                Some(block) => *block = writer.copy(lines),
                None => self.0.push(writer.copy(lines)),
            }
            number += 1;
            rest = after;
        }
        self.0.truncate(number);
    }

    pub(super) fn push_to(&self, blocks: &mut Vec<Block>) {
        blocks.extend_from_slice(&self.0);
    }
}

/// The bytes of the first lines of `text`.
fn len_of_lines(text: &[u8]) -> usize {
    let mut ends = memchr::memchr_iter(b'\n', text);
    ends.nth(LINES - 1).map_or(text.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Syntax;

    #[test]
    fn only_blocks_whose_lines_changed_are_new() {
        let mut writer = BlockWriter::new(Syntax::Text);
        let mut blocks = FreshBlocks::default();
        let mut lines: Vec<String> = (0..150).map(|line| format!("line {line}\n")).collect();
        let mut numbers = |lines: &[String]| -> Vec<u64> {
            let text = lines.concat();
            blocks.update(text.as_bytes(), &mut writer);
            let mut all = Vec::new();
            blocks.push_to(&mut all);
            let parts: Vec<u8> = all.iter().flat_map(|block| block.text().to_vec()).collect();
            assert_eq!(String::from_utf8(parts).unwrap(), text);
            all.iter().map(Block::number).collect()
        };
        assert_eq!(numbers(&lines), [1, 2, 3]);
        lines[70] = "a longer line\n".to_owned();
        assert_eq!(numbers(&lines), [1, 4, 3]);
        assert_eq!(numbers(&lines[..64]), [1]);
        assert_eq!(numbers(&lines), [1, 5, 6]);
        assert_eq!(numbers(&[]), [0; 0]);
    }
}
