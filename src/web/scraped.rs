//! When the metrics were last scraped, so that the page can help users who have not configured Prometheus yet.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::timestamp::Timestamp;

/// The value for no scrape.
const NEVER: i64 = i64::MIN;

/// The last scrape since the start.
#[derive(Debug)]
pub struct Scraped(AtomicI64);

impl Default for Scraped {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER))
    }
}

impl Scraped {
    /// Notes a request for metrics that accepts this. A person with a browser does not count as a scraper.
    pub(super) fn note(&self, accept: Option<&str>, now: Timestamp) {
        let is_browser = accept.is_some_and(|accept| accept.contains("text/html"));
        if !is_browser {
            self.0.store(now.as_millis(), Ordering::Relaxed);
        }
    }

    /// The time of the last scrape; `None` if there was none.
    pub(super) fn last(&self) -> Option<Timestamp> {
        let millis = self.0.load(Ordering::Relaxed);
        (millis != NEVER).then(|| Timestamp::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_does_not_scrape() {
        let scraped = Scraped::default();
        let now = Timestamp::from_millis(1500);
        scraped.note(Some("text/html,*/*;q=0.8"), now);
        assert_eq!(scraped.last(), None);
        scraped.note(Some("application/openmetrics-text;version=1.0.0"), now);
        assert_eq!(scraped.last(), Some(now));
        let other = Scraped::default();
        other.note(None, now);
        assert_eq!(other.last(), Some(now));
    }
}
