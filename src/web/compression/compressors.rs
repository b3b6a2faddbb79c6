//! gzip and Zstandard with reused state. The state has 260 KiB per compressor for gzip and about 1 MiB for Zstandard; otherwise
//! every scrape would allocate and clear it.
//!
//! Measurements on the text of 1,000 operations led to these implementations and levels (2.5 MB, two processors, best of 7):
//!
//! | | level 1 | level 2 | level 3 | level 6 |
//! |---|---|---|---|---|
//! | gzip, `miniz_oxide` | 2.8 ms, 236 KB | 15.5 ms, 233 KB | 19.9 ms, 227 KB | 43.0 ms, 221 KB |
//! | gzip, `zlib-rs` | 2.6 ms, 321 KB | 3.4 ms, 227 KB | 8.6 ms, 224 KB | 13.7 ms, 220 KB |
//! | Zstandard, `zstd` | 1.0 ms, 98 KB | 0.9 ms, 88 KB | 1.0 ms, 89 KB | |
//! | Zstandard, `ruzstd` | 22.0 ms, 274 KB | | | |

use std::fmt;
use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};
use parking_lot::Mutex;
use zstd::bulk::Compressor as Zstd;
use zstd::zstd_safe::CParameter;

use crate::web::negotiation::Encoding;

/// Level 2 takes a third longer than level 1 and saves 30% of the bytes; level 3 takes more than twice as long and saves 1% more.
const GZIP_LEVEL: u32 = 2;

/// Level 2 takes as long as level 1 and saves 10% of the bytes; higher levels save nothing.
const ZSTD_LEVEL: i32 = 2;

/// For parts, which are a few kilobytes long: a small hash table and no short matches. Parts take 5% less time than with Zstandard's own
/// choice, and have the same size.
const ZSTD_PART: [CParameter; 2] = [CParameter::HashLog(12), CParameter::MinMatch(6)];

/// The window of gzip, as a power of 2: the largest.
const GZIP_WINDOW: u8 = 15;

/// The most unused compressors of a kind. More are rarely in use at the same time, and unused ones waste memory.
const MOST_UNUSED: usize = 2;

/// An exposition is at least this many times as long as its compressed text: the initial size of the output.
const USUAL_RATIO: usize = 8;

/// The compressors that are not in use.
#[derive(Default)]
pub struct Compressors {
    gzip: Mutex<Vec<Compress>>,
    /// For parts of a gzip member.
    deflate: Mutex<Vec<Compress>>,
    zstd: Mutex<Vec<Zstd<'static>>>,
    /// With [`ZSTD_PART`].
    zstd_parts: Mutex<Vec<Zstd<'static>>>,
}

impl Compressors {
    /// Appends the compressed `bytes` to `out`, which is empty. With [`Encoding::Identity`] they are copied.
    ///
    /// # Errors
    /// Only if there is no memory for the compressor's state.
    pub fn compress(&self, encoding: Encoding, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match encoding {
            Encoding::Identity => out.extend_from_slice(bytes),
            Encoding::Gzip => {
                let mut compressor = self.gzip.lock().pop().unwrap_or_else(|| {
                    Compress::new_gzip(Compression::new(GZIP_LEVEL), GZIP_WINDOW)
                });
                gzip(&mut compressor, bytes, out)?;
                compressor.reset();
                put_back(&self.gzip, compressor);
            }
            Encoding::Zstd => zstd(&self.zstd, &[], bytes, out)?,
        }
        Ok(())
    }

    /// Appends a compressed form of `bytes` to `out`, which is empty. It is independent of other parts, and others may follow: for gzip,
    /// deflate blocks that end at a whole byte; for Zstandard, a frame.
    ///
    /// # Errors
    /// Only if there is no memory for the compressor's state.
    pub fn compress_part(
        &self,
        encoding: Encoding,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        match encoding {
            Encoding::Identity => out.extend_from_slice(bytes),
            Encoding::Gzip => {
                let unused = self.deflate.lock().pop();
                let mut compressor =
                    unused.unwrap_or_else(|| Compress::new(Compression::new(GZIP_LEVEL), false));
                deflate(&mut compressor, bytes, out)?;
                compressor.reset();
                put_back(&self.deflate, compressor);
            }
            Encoding::Zstd => zstd(&self.zstd_parts, &ZSTD_PART, bytes, out)?,
        }
        Ok(())
    }
}

impl fmt::Debug for Compressors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressors").finish_non_exhaustive()
    }
}

fn gzip(compressor: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.reserve(bytes.len() / USUAL_RATIO + 64);
    loop {
        let read = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(read..).unwrap_or_default();
        match compressor.compress_vec(rest, out, FlushCompress::Finish)? {
            Status::StreamEnd => return Ok(()),
            Status::Ok | Status::BufError => out.reserve(out.capacity()),
        }
    }
}

/// Appends a frame, compressed by one of `unused` compressors or a new one with `parameters`.
fn zstd(
    unused: &Mutex<Vec<Zstd<'static>>>,
    parameters: &[CParameter],
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let found = unused.lock().pop();
    let mut compressor = match found {
        Some(compressor) => compressor,
        None => new_zstd(parameters)?,
    };
    // Only the pages that are written use memory.
    out.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
    compressor.compress_to_buffer(bytes, out)?;
    put_back(unused, compressor);
    Ok(())
}

fn new_zstd(parameters: &[CParameter]) -> io::Result<Zstd<'static>> {
    let mut compressor = Zstd::new(ZSTD_LEVEL)?;
    for parameter in parameters {
        compressor.set_parameter(*parameter)?;
    }
    Ok(compressor)
}

/// Compresses all of `bytes`, and ends with a sync flush: an empty block that ends at a whole byte. A full flush would clear the hash
/// table, which the reset of the compressor clears, too.
fn deflate(compressor: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.reserve(bytes.len() / USUAL_RATIO + 64);
    loop {
        let read = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(read..).unwrap_or_default();
        compressor.compress_vec(rest, out, FlushCompress::Sync)?;
        // If the output has room left, zlib has written everything (zlib's manual, `deflate`).
        if out.len() < out.capacity() {
            return Ok(());
        }
        out.reserve(out.capacity());
    }
}

fn put_back<C>(unused: &Mutex<Vec<C>>, compressor: C) {
    let mut unused = unused.lock();
    if unused.len() < MOST_UNUSED {
        unused.push(compressor);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    fn decompressed(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match encoding {
            Encoding::Identity => out.extend_from_slice(bytes),
            Encoding::Gzip => {
                flate2::read::GzDecoder::new(bytes)
                    .read_to_end(&mut out)
                    .unwrap();
            }
            Encoding::Zstd => out = zstd::decode_all(bytes).unwrap(),
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn decompressed_bytes_are_the_same_also_with_a_reused_compressor(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 1..4),
            times in 1_usize..80,
        ) {
            let compressors = Compressors::default();
            for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
                for text in &texts {
                    let text = text.repeat(times);
                    let mut out = Vec::new();
                    compressors.compress(encoding, &text, &mut out).unwrap();
                    prop_assert!(decompressed(encoding, &out) == text);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_part_is_the_same_whatever_was_compressed_before(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 1..4),
            times in 1_usize..80,
        ) {
            let used = Compressors::default();
            for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
                for text in &texts {
                    let text = text.repeat(times);
                    let compressed = |compressors: &Compressors| {
                        let mut out = Vec::new();
                        compressors.compress_part(encoding, &text, &mut out).unwrap();
                        out
                    };
                    prop_assert!(compressed(&used) == compressed(&Compressors::default()));
                }
            }
        }
    }

    #[test]
    fn compressors_are_reused() {
        let compressors = Compressors::default();
        for encoding in [Encoding::Gzip, Encoding::Zstd, Encoding::Gzip] {
            compressors
                .compress(encoding, b"text", &mut Vec::new())
                .unwrap();
        }
        assert_eq!(compressors.gzip.lock().len(), 1);
        assert_eq!(compressors.zstd.lock().len(), 1);
    }
}
