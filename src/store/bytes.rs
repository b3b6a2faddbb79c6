//! Numbers in few bytes: varints, and signed ones folded so that numbers near zero stay short. Short records make a small file and
//! fast saves.

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// They end too early.
    #[error("a record ends too early")]
    Short,
    /// They continue after the end.
    #[error("a record has bytes after its end")]
    Long,
    /// A number, word or flag that no version writes.
    #[error("a record has a value that no version writes")]
    Senseless,
    /// The first byte is not a known version.
    #[error("a record is of the unknown version {0}")]
    Version(u8),
}

/// Appends `value`, seven bits a byte, lowest first.
pub(crate) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends `value`. A value near zero takes few bytes, whatever its sign.
pub(crate) fn push_signed(out: &mut Vec<u8>, value: i64) {
    push(
        out,
        (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned(),
    );
}

/// Appends the length of `text`, then `text`.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    push(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads a record from its start. Any bytes are safe to read.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.0.split_first().ok_or(Unreadable::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, Unreadable> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Unreadable::Senseless);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Unreadable::Senseless)
    }

    #[inline]
    pub(crate) fn small(&mut self) -> Result<u32, Unreadable> {
        u32::try_from(self.number()?).map_err(|_| Unreadable::Senseless)
    }

    #[inline]
    pub(crate) fn signed(&mut self) -> Result<i64, Unreadable> {
        let folded = self.number()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Unreadable> {
        let length = usize::try_from(self.number()?).map_err(|_| Unreadable::Short)?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Unreadable::Senseless)
    }

    /// The next `length` bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Unreadable::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// The number of bytes that were not read yet.
    pub(crate) const fn left(&self) -> usize {
        self.0.len()
    }

    /// Checks that the record has no further bytes.
    pub(crate) const fn end(self) -> Result<(), Unreadable> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Unreadable::Long)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_texts_round_trip(number: u64, signed: i64, text: String) {
            let mut out = Vec::new();
            push(&mut out, number);
            push_signed(&mut out, signed);
            push_text(&mut out, &text);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.text(), Ok(text.as_str()));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn a_number_near_zero_takes_one_byte() {
        for value in [0, -1, 1, -64, 63] {
            let mut out = Vec::new();
            push_signed(&mut out, value);
            assert_eq!(out.len(), 1, "{value}");
        }
    }

    #[test]
    fn numbers_beyond_64_bits_and_early_ends_are_errors() {
        assert_eq!(
            Reader::new(&[0xff; 11]).number(),
            Err(Unreadable::Senseless)
        );
        let mut too_high = [0xff; 10];
        too_high[9] = 2;
        assert_eq!(Reader::new(&too_high).number(), Err(Unreadable::Senseless));
        assert_eq!(Reader::new(&[0x80]).number(), Err(Unreadable::Short));
        assert_eq!(Reader::new(&[5, b'a']).text(), Err(Unreadable::Short));
    }
}
