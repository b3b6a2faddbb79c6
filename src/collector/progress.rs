//! The progress of a running collection. A snapshot reads it to show `up` before the collection finishes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The progress of one collection.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Twilio accepted the credentials of a request.
    accepted: AtomicBool,
    /// Twilio reported that a resource does not exist. A wrong base URL has the same response.
    not_found: AtomicBool,
    list_refused: AtomicBool,
    /// When the single reads will have been made, at the account's rate; `None` before they begin.
    reads_until: watch::Sender<Option<Instant>>,
    /// Twilio responded to a single read.
    read_answered: AtomicBool,
}

impl Progress {
    pub(super) fn note_accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_not_found(&self) {
        self.not_found.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_list_refused(&self) {
        self.list_refused.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_reads_until(&self, end: Instant) {
        self.reads_until.send_replace(Some(end));
    }

    pub(super) fn note_read_answered(&self) {
        self.read_answered.store(true, Ordering::Relaxed);
    }

    /// Whether single reads began, and none of them got a response.
    pub(super) fn are_reads_silent(&self) -> bool {
        self.reads_until.borrow().is_some() && !self.read_answered.load(Ordering::Relaxed)
    }

    /// Returns when single reads began `span` ago.
    pub(super) async fn reads_last(&self, span: Duration) {
        let mut reads_until = self.reads_until.subscribe();
        // `self` holds the sender, so the channel is open.
        if reads_until.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(span).await;
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Whether Twilio returned only "not found", and did not refuse the list: that does not show whether the credentials are right. If the
    /// list is refused as well, the base URL may be wrong.
    pub(super) fn is_inconclusive(&self) -> bool {
        !self.is_accepted()
            && self.not_found.load(Ordering::Relaxed)
            && !self.list_refused.load(Ordering::Relaxed)
    }

    /// Returns once it is certain that the collection cannot finish by `deadline`, because the account's rate does not
    /// allow its single reads before. Never returns otherwise.
    pub(super) async fn exceeds(&self, deadline: Instant) {
        let mut reads_until = self.reads_until.subscribe();
        let is_late = |end: &Option<Instant>| end.is_some_and(|end| end > deadline);
        // `self` holds the sender, so the channel is open.
        if reads_until.wait_for(is_late).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
