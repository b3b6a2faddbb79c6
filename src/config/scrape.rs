//! How scrapes are bounded.

use std::time::Duration;

/// What is taken off the scrape's deadline, unless said otherwise: time for the answer to travel.
pub const DEFAULT_TIMEOUT_OFFSET: Duration = Duration::from_millis(500);

/// How scrapes are bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrape {
    /// Taken off the deadline that Prometheus announces.
    pub timeout_offset: Duration,
}

impl Default for Scrape {
    fn default() -> Self {
        Self {
            timeout_offset: DEFAULT_TIMEOUT_OFFSET,
        }
    }
}
