//! Reads a file up to a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest file: room for ten thousand operations with labels. Larger lists belong in files of their own.
const LARGEST: u64 = 1024 * 1024;

/// Reads a text.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut source = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut source)?;
    if source.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    String::from_utf8(source).map_err(|_| io::Error::other("it is not UTF-8"))
}
