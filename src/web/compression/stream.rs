//! A compressed stream of parts that were compressed one by one.
//!
//! With gzip it is one member (RFC 1952): the deflate blocks of all parts, an empty last block, and a checksum that is computed from those
//! of the parts. Several members would be valid, too, but some readers stop after the first one. With Zstandard it is one frame after
//! another (RFC 8878, section 3.1).

use bytes::Bytes;
use zlib_rs::crc32::{crc32, crc32_combine_gen, crc32_combine_op};

use crate::web::negotiation::Encoding;

/// The most bytes of a piece of a stream. A client that reads slowly keeps the pieces that it has not read.
const PIECE: usize = 64 * 1024;

/// The header of a gzip member: deflate, no flags, no time, no extra flags, an unknown operating system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A last block of deflate without content.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// A frame of Zstandard without content, because a stream without any frame is not complete.
const EMPTY_FRAME: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];

/// A compressed text that can be a part of a stream.
#[derive(Debug)]
pub(super) struct Part {
    bytes: Box<[u8]>,
    /// Only gzip needs it.
    checksum: Option<Checksum>,
}

/// The checksum of a part's text.
#[derive(Debug)]
struct Checksum {
    of_text: u32,
    /// Appends the text to another one; it depends on the number of bytes alone. It takes most of the time that two checksums need to
    /// be combined, so it is computed once per part.
    append: u32,
}

/// A stream that is being written.
#[derive(Debug)]
pub(super) struct Stream {
    full: Vec<Bytes>,
    piece: Vec<u8>,
    /// The checksum of the text of all parts; only for gzip.
    checksum: Option<u32>,
    /// The bytes of the text of all parts.
    len: u64,
}

impl Checksum {
    fn new(text: &[u8]) -> Self {
        Self {
            of_text: crc32(0, text),
            append: crc32_combine_gen(text.len() as u64),
        }
    }

    /// The checksum of a text with the checksum `before`, followed by this one.
    const fn after(&self, before: u32) -> u32 {
        crc32_combine_op(before, self.of_text, self.append)
    }
}

impl Part {
    /// The part whose text is `text`; `bytes` are its compressed form.
    pub(super) fn new(encoding: Encoding, text: &[u8], bytes: &[u8]) -> Self {
        Self {
            bytes: Box::from(bytes),
            checksum: (encoding == Encoding::Gzip).then(|| Checksum::new(text)),
        }
    }

    /// The number of compressed bytes.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl Stream {
    pub(super) fn new(encoding: Encoding) -> Self {
        let mut stream = Self {
            full: Vec::new(),
            piece: Vec::with_capacity(PIECE),
            checksum: (encoding == Encoding::Gzip).then_some(0),
            len: 0,
        };
        if stream.checksum.is_some() {
            stream.write(&GZIP_HEADER);
        }
        stream
    }

    /// Appends the part whose text has `len` bytes.
    pub(super) fn push(&mut self, part: &Part, len: usize) {
        self.write(&part.bytes);
        self.len += len as u64;
        if let (Some(all), Some(own)) = (&mut self.checksum, &part.checksum) {
            *all = own.after(*all);
        }
    }

    /// The pieces of the whole stream.
    pub(super) fn end(mut self) -> Vec<Bytes> {
        if let Some(checksum) = self.checksum.take() {
            self.write(&LAST_BLOCK);
            self.write(&checksum.to_le_bytes());
            // The size modulo 2^32.
            let [a, b, c, d, ..] = self.len.to_le_bytes();
            self.write(&[a, b, c, d]);
        } else if self.len == 0 {
            self.write(&EMPTY_FRAME);
        }
        self.piece.shrink_to_fit();
        self.full.push(Bytes::from(self.piece));
        self.full
    }

    fn write(&mut self, mut bytes: &[u8]) {
        loop {
            let (fits, rest) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(fits);
            if rest.is_empty() {
                return;
            }
            let full = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
            self.full.push(Bytes::from(full));
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::web::compression::compressors::Compressors;

    #[test]
    fn a_stream_of_any_number_of_parts_and_any_size_is_read_as_their_texts() {
        // Text that does not compress, so that the stream has several pieces.
        let mut random = fastrand::Rng::with_seed(7);
        let incompressible: Vec<u8> = (0..3 * PIECE).map(|_| random.u8(..)).collect();
        let compressors = Compressors::default();
        for texts in [
            &[][..],
            &[&b""[..]],
            &[b"one"],
            &[b"one", b"", b"other"],
            &[b"one", &incompressible, b"other", &incompressible],
        ] {
            for encoding in [Encoding::Gzip, Encoding::Zstd] {
                let mut stream = Stream::new(encoding);
                for text in texts {
                    let mut bytes = Vec::new();
                    compressors
                        .compress_part(encoding, text, &mut bytes)
                        .unwrap();
                    stream.push(&Part::new(encoding, text, &bytes), text.len());
                }
                let pieces = stream.end();
                assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
                let bytes = pieces.concat();
                let mut read = Vec::new();
                if encoding == Encoding::Gzip {
                    // Reads one member and checks its checksum and length.
                    let mut decoder = flate2::read::GzDecoder::new(&*bytes);
                    decoder.read_to_end(&mut read).unwrap();
                    assert_eq!(decoder.into_inner(), b"", "one member");
                } else {
                    read = zstd::decode_all(&*bytes).unwrap();
                }
                assert!(read == texts.concat());
            }
        }
    }
}
