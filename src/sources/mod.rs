//! Where else operations come from: files and URLs in the formats of Prometheus' service discovery.
//!
//! A *source* is one file or one URL. It lists operations with labels, whole or not at all: what is wrong anywhere in it
//! makes it [`Broken`](News::Broken), and what it listed last stays. What becomes of the operations is for others to say;
//! they are handed [`News`].

mod account;
mod calls;
mod disk;
mod error;
mod files;
mod fingerprint;
mod listing;

mod source_status;
mod tls;
mod url;
mod url_files;

use std::sync::Arc;

pub use account::Sources;
pub use error::{Problems, SourceError};
pub use files::Files;
pub use source_status::SourceReporter;
pub use url::Url;

use crate::snapshot::ListedOperations;

/// One thing that became of a source since the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It lists these operations from now on, and no others.
    Listed {
        /// The file's path, or how the URL is called.
        source: Arc<str>,
        /// All of them.
        operations: ListedOperations,
    },
    /// It is no more, and lists nothing.
    Gone {
        /// As before.
        source: Arc<str>,
    },
    /// It cannot be read or understood; what it listed last stays.
    Broken {
        /// As before.
        source: Arc<str>,
        /// Why, and how to cure it.
        error: SourceError,
    },
}

impl News {
    /// The file's path, or how the URL is called.
    fn source(&self) -> &Arc<str> {
        match self {
            Self::Listed { source, .. } | Self::Gone { source } | Self::Broken { source, .. } => {
                source
            }
        }
    }
}
