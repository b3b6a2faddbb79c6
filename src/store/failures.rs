//! Converts errors of redb and the operating system into errors and notices of the store. An error of the operating system means
//! that the disk failed or is full; any other error of redb means damage.

use std::error::Error as _;
use std::io;
use std::path::Path;

use redb::Error;

use super::StoreError;
use super::file::NAME;

/// The error of a failed write transaction.
pub(super) fn writing(directory: &Path, error: Error) -> StoreError {
    match error {
        Error::Io(source) => StoreError::Unwritable {
            directory: directory.to_owned(),
            source,
        },
        Error::PreviousIo => unwritable(directory, &io::Error::from(io::ErrorKind::Other)),
        other => damaged(directory, other.to_string()),
    }
}

/// The error of a failed read transaction.
pub(super) fn reading(directory: &Path, error: Error) -> StoreError {
    match error {
        Error::Io(source) => StoreError::Io {
            file: directory.join(NAME),
            source,
        },
        other => damaged(directory, other.to_string()),
    }
}

/// The error of a file whose content differs from what was written.
pub(super) fn damaged(directory: &Path, what: String) -> StoreError {
    StoreError::Damaged {
        file: directory.join(NAME),
        what,
    }
}

/// The error that nothing can be written because of `source`, which the caller keeps.
pub(super) fn unwritable(directory: &Path, source: &io::Error) -> StoreError {
    let source = source.raw_os_error().map_or_else(
        || io::Error::new(source.kind(), source.to_string()),
        io::Error::from_raw_os_error,
    );
    StoreError::Unwritable {
        directory: directory.to_owned(),
        source,
    }
}

/// The notice for the operator that nothing is saved for now, with the reason.
pub(super) fn not_saving(error: &StoreError) -> String {
    let cause = error
        .source()
        .map_or_else(String::new, |source| format!(": {source}"));
    format!(
        "{error}{cause}; counters keep their saved values until a save succeeds, which every collection tries"
    )
}
