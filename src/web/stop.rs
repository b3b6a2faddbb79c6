//! The state of a graceful shutdown. Requests that wait for Twilio get a response before the grace period ends.

use std::future::Future;

use tokio_util::sync::CancellationToken;

/// The two steps of a graceful shutdown. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// The shutdown has begun; requests in progress may finish.
    begun: CancellationToken,
    /// Requests in progress respond now, with the current values.
    respond_now: CancellationToken,
}

impl Stop {
    /// Begins the shutdown: the exporter is not ready any more.
    pub fn drain(&self) {
        self.begun.cancel();
    }

    /// Ends every [`Self::run_until_respond`], now and later.
    pub fn respond_now(&self) {
        self.begun.cancel();
        self.respond_now.cancel();
    }

    /// Whether the shutdown has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Runs `work` until [`Self::respond_now`]; `None` if it did not finish.
    pub async fn run_until_respond<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.respond_now.run_until_cancelled(work).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn work_runs_until_requests_must_respond() {
        let stop = Stop::default();
        assert!(!stop.has_begun());
        assert_eq!(
            stop.run_until_respond(ready(1)).now_or_never(),
            Some(Some(1))
        );
        let mut work = Box::pin(stop.run_until_respond(pending::<()>()));
        assert_eq!((&mut work).now_or_never(), None);
        stop.drain();
        assert!(stop.has_begun());
        assert_eq!((&mut work).now_or_never(), None);
        stop.respond_now();
        assert_eq!(work.now_or_never(), Some(None));
        let later = stop.run_until_respond(pending::<()>());
        assert_eq!(later.now_or_never(), Some(None));
    }
}
