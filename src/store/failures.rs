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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_is_about_the_directory_and_a_failed_read_about_the_file() {
        let directory = Path::new("/data");
        let full = || Error::Io(io::ErrorKind::StorageFull.into());
        let written = writing(directory, full());
        assert_eq!(
            not_saving(&written),
            "cannot write to /data: no storage space; counters keep their saved values until a save succeeds, which every \
             collection tries"
        );
        assert!(matches!(
            writing(directory, Error::PreviousIo),
            StoreError::Unwritable { .. }
        ));
        let read = reading(directory, full());
        assert!(matches!(&read, StoreError::Io { file, source }
            if *file == directory.join(NAME) && source.kind() == io::ErrorKind::StorageFull));
        for damaged in [
            writing(directory, Error::Corrupted("a page".to_owned())),
            reading(directory, Error::Corrupted("a page".to_owned())),
        ] {
            assert!(matches!(&damaged, StoreError::Damaged { file, what }
                if *file == directory.join(NAME) && what.contains("a page")));
        }
    }

    #[test]
    fn the_error_of_the_operating_system_is_kept_with_its_number() {
        let source = io::Error::from_raw_os_error(28);
        let StoreError::Unwritable { source: kept, .. } = unwritable(Path::new("/data"), &source)
        else {
            panic!("another error");
        };
        assert_eq!(kept.raw_os_error(), Some(28));
    }
}
