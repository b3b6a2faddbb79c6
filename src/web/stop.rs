//! How far a stop of the exporter has come. Requests that wait for Twilio are answered before the grace period ends.

use std::future::Future;

use tokio_util::sync::CancellationToken;

/// The stop, as the handlers see it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Requests in progress may finish.
    begun: CancellationToken,
    /// Requests in progress are answered now, with what is known.
    answering: CancellationToken,
}

impl Stop {
    /// The exporter is not ready from now on.
    pub fn drain(&self) {
        self.begun.cancel();
    }

    /// Whoever waits in [`Self::unless_answering`] stops waiting, now and from now on.
    pub fn answer_now(&self) {
        self.begun.cancel();
        self.answering.cancel();
    }

    /// Whether the exporter is about to stop.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Does `work`, unless it is time to answer; `None` if it did not finish.
    pub async fn unless_answering<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.answering.run_until_cancelled(work).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn work_goes_on_until_it_is_time_to_answer() {
        let stop = Stop::default();
        assert!(!stop.has_begun());
        assert_eq!(
            stop.unless_answering(ready(1)).now_or_never(),
            Some(Some(1))
        );
        let mut work = Box::pin(stop.unless_answering(pending::<()>()));
        assert_eq!((&mut work).now_or_never(), None);
        stop.drain();
        assert!(stop.has_begun());
        assert_eq!((&mut work).now_or_never(), None);
        stop.answer_now();
        assert_eq!(work.now_or_never(), Some(None));
        let later = stop.unless_answering(pending::<()>());
        assert_eq!(later.now_or_never(), Some(None));
    }
}
