//! The errors of the store. Each variant is one decision of the caller: stop, wait for the disk, or set the file aside.

use std::io;
use std::path::PathBuf;

/// The name of the state file in its directory.
pub use super::file::NAME as FILE_NAME;

/// Why the store failed. Each variant needs another action.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses this directory. Two processes would overwrite each other's counters.
    #[error("{} is in use by another process; give each exporter its own --storage.path", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// A later version of the exporter wrote the file, which was left as it is.
    #[error(
        "{} has format {found}, this version knows up to {known}; use the newer exporter again, or another --storage.path",
        file.display()
    )]
    Newer {
        /// The state file.
        file: PathBuf,
        /// Its format.
        found: u64,
        /// The highest format this version knows.
        known: u64,
    },
    /// Nothing can be written now: no space, no permission, a read-only disk. A later attempt may succeed.
    #[error("cannot write to {}", directory.display())]
    Unwritable {
        /// The directory.
        directory: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The exporter stops, and it is unknown whether the write finished.
    #[error("the exporter is stopping")]
    Stopped,
    /// The disk failed.
    #[error("cannot read or write {}", file.display())]
    Io {
        /// The state file.
        file: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The content of the file differs from what was written. (At opening, such a file is set aside instead.)
    #[error("{} is damaged: {what}; it is set aside when the exporter starts again", file.display())]
    Damaged {
        /// The state file.
        file: PathBuf,
        /// Where and how.
        what: String,
    },
    /// The file was deleted while the exporter ran, or another one is in its place. A new one was created: everything in
    /// memory must be saved again, in the current [`Store::generation`](super::Store::generation).
    #[error("{} was {what} while the exporter ran; a new one is written from memory", file.display())]
    Vanished {
        /// The state file.
        file: PathBuf,
        /// What was found at its path.
        what: &'static str,
    },
    /// The file could not be opened at the start and can be now. Its content must be loaded before anything is saved, in the
    /// current [`Store::generation`](super::Store::generation).
    #[error("{} can be read now; its content is loaded first", file.display())]
    Found {
        /// The state file.
        file: PathBuf,
    },
}
