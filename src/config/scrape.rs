//! The section `scrape`: the limits of a scrape.

use std::time::Duration;

/// The default time between the exporter's deadline and the scrape's timeout: the exporter sends the response in it.
pub const DEFAULT_TIMEOUT_OFFSET: Duration = Duration::from_millis(500);

/// The limits of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrape {
    /// Subtracted from the timeout that Prometheus announces.
    pub timeout_offset: Duration,
}

impl Default for Scrape {
    fn default() -> Self {
        Self {
            timeout_offset: DEFAULT_TIMEOUT_OFFSET,
        }
    }
}
