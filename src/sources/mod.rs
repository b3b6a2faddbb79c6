//! Files and URLs that list operations, in the formats of Prometheus' service discovery.
//!
//! A *source* is one file or one URL. It lists operations with labels. A list is valid as a whole or not at all: one error makes the source
//! [`Broken`](News::Broken), and its last valid list stays. The module reports [`News`]; the collector applies them.

mod account;
mod calls;
mod disk;
mod error;
mod files;
mod fingerprint;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod listing;

mod source_status;
mod tls;
mod url;
mod url_files;

use std::sync::Arc;

pub use account::Sources;
pub use error::{Problems, SourceError};
pub use files::{FILE_MISSING, Files, NO_FILE_YET};
pub use source_status::SourceReporter;
pub use url::Url;

use crate::snapshot::ListedOperations;

/// One change of a source since the last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The source has a new list.
    Listed {
        /// The path of the file, or the name of the URL.
        source: Arc<str>,
        /// All operations of the list.
        operations: ListedOperations,
    },
    /// The source no longer exists, so its list is removed.
    Gone {
        /// As for `Listed`.
        source: Arc<str>,
    },
    /// The source cannot be read or has an error. Its last valid list stays.
    Broken {
        /// As for `Listed`.
        source: Arc<str>,
        /// The reason, and what to do.
        error: SourceError,
    },
}

impl News {
    /// The path of the file, or the name of the URL.
    fn source(&self) -> &Arc<str> {
        match self {
            Self::Listed { source, .. } | Self::Gone { source } | Self::Broken { source, .. } => {
                source
            }
        }
    }
}
