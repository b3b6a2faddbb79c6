//! Informational responses (1xx) with HTTP/1.1. hyper skips any number of them, so a server that sends nothing else would use a core
//! until the timeout. With HTTP/2, [`super::frame_budget`] limits them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The most informational responses before a response. Servers send one or two (100, 103).
const MOST: usize = 16;

/// Counts the informational responses to one request.
pub(super) struct Informational(Arc<Notify>);

impl Informational {
    /// Counts those to `request`.
    pub(super) fn of<B>(request: &mut hyper::Request<B>) -> Self {
        let exceeded = Arc::new(Notify::new());
        let (seen, notified) = (AtomicUsize::new(0), Arc::clone(&exceeded));
        hyper::ext::on_informational(request, move |_| {
            if seen.fetch_add(1, Ordering::Relaxed) == MOST {
                notified.notify_one();
            }
        });
        Self(exceeded)
    }

    /// Waits until there are too many.
    pub(super) async fn exceeded(&self) {
        self.0.notified().await;
    }
}
