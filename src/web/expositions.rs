//! The texts of expositions, shared by the scrapes that would get the same one. Scrapers that join one collection cause one
//! rendering and one compression in each encoding, and both cost only what has changed since the previous exposition.
//!
//! A scrape gets a text that was rendered for another one only if both are true:
//!
//! - The snapshots are equal, so the values about Twilio are exactly those that the scrape would have rendered.
//! - Rendering began after the scrape arrived, so the exporter's own metrics, which the snapshot does not contain, are not older
//!   than the request for them.

mod rendering;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use self::rendering::{Exposition, Rendering};
use super::compression::Compressors;
use super::negotiation::Encoding;
use super::parts::Parts;
use crate::exposition::{Instruments, Syntax};
use crate::snapshot::Snapshot;

/// The expositions of `/metrics`.
#[derive(Debug)]
pub struct Expositions {
    instruments: Instruments,
    compressors: Arc<Compressors>,
    /// The number of times that rendering began.
    renders: AtomicU64,
    /// Scrapes with equal snapshots share one, so that concurrent scrapes do not each use memory for it.
    last_snapshot: Mutex<Arc<Snapshot>>,
    text: Rendering,
    open_metrics: Rendering,
}

/// The arrival of a scrape, as the number of renderings that had begun before.
#[derive(Debug, Clone, Copy)]
pub struct Arrival(u64);

impl Expositions {
    /// Expositions without any text.
    #[must_use]
    pub fn new(instruments: Instruments, compressors: Arc<Compressors>) -> Self {
        Self {
            instruments,
            compressors,
            renders: AtomicU64::new(0),
            last_snapshot: Mutex::default(),
            text: Rendering::new(Syntax::Text),
            open_metrics: Rendering::new(Syntax::OpenMetrics),
        }
    }

    /// Notes that a scrape arrives. Call it before its collection begins.
    #[must_use]
    pub fn arrive(&self) -> Arrival {
        Arrival(self.renders.load(Ordering::SeqCst))
    }

    /// The exposition of `snapshot` for the scrape that arrived at `arrival`, in this encoding, or uncompressed if there is no memory
    /// for the compression.
    pub(super) async fn exposition(
        &self,
        arrival: Arrival,
        snapshot: Snapshot,
        syntax: Syntax,
        encoding: Encoding,
    ) -> (Encoding, Parts) {
        let snapshot = self.shared_snapshot(snapshot);
        let rendering = match syntax {
            Syntax::Text => &self.text,
            Syntax::OpenMetrics => &self.open_metrics,
        };
        let exposition = self.rendered(arrival, snapshot, rendering).await;
        let encoded = rendering.encoded(&exposition, encoding, &self.compressors);
        encoded.await
    }

    /// Resolves when the locks for rendering can be taken.
    pub async fn prove_progress(&self) {
        for rendering in [&self.text, &self.open_metrics] {
            drop(rendering.last().await);
        }
    }

    fn shared_snapshot(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let mut last = self.last_snapshot.lock();
        if **last != snapshot {
            *last = Arc::new(snapshot);
        }
        Arc::clone(&last)
    }

    async fn rendered(
        &self,
        arrival: Arrival,
        snapshot: Arc<Snapshot>,
        rendering: &Rendering,
    ) -> Arc<Exposition> {
        let mut last = rendering.last().await;
        let shared = last.as_ref().filter(|last| {
            let is_equal = Arc::ptr_eq(&last.snapshot, &snapshot) || last.snapshot == snapshot;
            last.number > arrival.0 && is_equal
        });
        if let Some(shared) = shared {
            return Arc::clone(shared);
        }
        // Its memory is reused, unless a client still receives it.
        *last = None;
        let number = self.renders.fetch_add(1, Ordering::SeqCst) + 1;
        let exposition = rendering.render(number, snapshot, self.instruments.clone());
        let exposition = exposition.await;
        *last = Some(Arc::clone(&exposition));
        for rendering in [&self.text, &self.open_metrics] {
            rendering.drop_unused(number);
        }
        exposition
    }
}

#[cfg(test)]
mod tests;
