//! Which scrapes are under way: a stop waits for them.

use tokio::sync::watch;

/// Counts scrapes from their request until their answer has been sent.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(watch::Sender<usize>);

/// One scrape, until it is dropped.
#[derive(Debug)]
pub struct Scrape(watch::Sender<usize>);

impl UnderWay {
    /// Counts a scrape that begins.
    #[must_use]
    pub fn begin(&self) -> Scrape {
        self.0.send_modify(|scrapes| *scrapes += 1);
        Scrape(self.0.clone())
    }

    /// Waits until there is none.
    pub async fn none(&self) {
        // The sender is our own, so it is not closed.
        let _ = self.0.subscribe().wait_for(|scrapes| *scrapes == 0).await;
    }
}

impl Drop for Scrape {
    fn drop(&mut self) {
        self.0.send_modify(|scrapes| *scrapes -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_last_one_ends_the_wait() {
        let under_way = UnderWay::default();
        let (first, second) = (under_way.begin(), under_way.begin());
        let mut none = Box::pin(under_way.none());
        assert!((&mut none).now_or_never().is_none());
        drop(first);
        assert!((&mut none).now_or_never().is_none());
        drop(second);
        assert!((&mut none).now_or_never().is_some());
    }
}
