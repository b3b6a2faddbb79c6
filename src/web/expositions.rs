//! The texts of expositions, shared by the scrapes that would get the same one. Rendering takes milliseconds and compression takes
//! longer, so scrapers that join one collection cause one of each.
//!
//! A scrape gets a text that was rendered for another one only if both are true:
//!
//! - The snapshots are equal. So the values about Twilio are exactly those that the scrape would have rendered.
//! - Rendering began after the scrape arrived. So the exporter's own metrics, which the snapshot does not contain, are not older
//!   than the request for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};
use tokio::task::spawn_blocking;

use super::buffers::Buffers;
use super::compression::Compressors;
use super::negotiation::Encoding;
use crate::exposition::{Instruments, Renderer, Syntax};
use crate::snapshot::Snapshot;

/// The expositions of `/metrics`.
#[derive(Debug)]
pub struct Expositions {
    instruments: Instruments,
    compressors: Arc<Compressors>,
    /// The number of times that rendering began.
    renders: AtomicU64,
    /// Scrapes with equal snapshots share one, so that many concurrent scrapes do not use memory each.
    last_snapshot: Mutex<Arc<Snapshot>>,
    text: Rendering,
    open_metrics: Rendering,
    buffers: Buffers,
    compressed_buffers: Buffers,
}

/// When a scrape arrived: how many times rendering had begun before.
#[derive(Debug, Clone, Copy)]
pub struct Arrival(u64);

/// The last exposition in one syntax. Scrapes render one at a time, so that those that wait find what they can share.
#[derive(Debug, Default)]
struct Rendering {
    last: AsyncMutex<Option<Arc<Exposition>>>,
    /// Its working memory.
    renderer: Arc<Mutex<Renderer>>,
}

/// A rendered text, with the compressed texts that scrapers have requested.
#[derive(Debug)]
struct Exposition {
    number: u64,
    snapshot: Arc<Snapshot>,
    text: Bytes,
    gzip: OnceCell<Option<Bytes>>,
    zstd: OnceCell<Option<Bytes>>,
}

impl Expositions {
    /// Without any text yet.
    #[must_use]
    pub fn new(instruments: Instruments, compressors: Arc<Compressors>) -> Self {
        Self {
            instruments,
            compressors,
            renders: AtomicU64::new(0),
            last_snapshot: Mutex::default(),
            text: Rendering::default(),
            open_metrics: Rendering::default(),
            buffers: Buffers::default(),
            compressed_buffers: Buffers::default(),
        }
    }

    /// Notes that a scrape arrives. Call it before its collection begins.
    #[must_use]
    pub fn arrive(&self) -> Arrival {
        Arrival(self.renders.load(Ordering::SeqCst))
    }

    /// The exposition of `snapshot` for the scrape that arrived at `arrival`, in this encoding, or as it is if there is no memory to
    /// compress it. Rendering and compression run on threads for blocking work.
    pub async fn exposition(
        &self,
        arrival: Arrival,
        snapshot: Snapshot,
        syntax: Syntax,
        encoding: Encoding,
    ) -> (Encoding, Bytes) {
        let snapshot = self.shared_snapshot(snapshot);
        let exposition = self.rendered(arrival, snapshot, syntax).await;
        let cell = match encoding {
            Encoding::Identity => return (Encoding::Identity, exposition.text.clone()),
            Encoding::Gzip => &exposition.gzip,
            Encoding::Zstd => &exposition.zstd,
        };
        let compressed = cell.get_or_init(|| self.compress(encoding, exposition.text.clone()));
        match compressed.await {
            Some(compressed) => (encoding, compressed.clone()),
            None => (Encoding::Identity, exposition.text.clone()),
        }
    }

    /// Resolves when no scrape keeps the others from rendering.
    pub async fn prove_progress(&self) {
        for rendering in [&self.text, &self.open_metrics] {
            drop(rendering.last.lock().await);
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
        syntax: Syntax,
    ) -> Arc<Exposition> {
        let rendering = match syntax {
            Syntax::Text => &self.text,
            Syntax::OpenMetrics => &self.open_metrics,
        };
        let mut last = rendering.last.lock().await;
        let shared = last.as_ref().filter(|last| {
            let is_equal = Arc::ptr_eq(&last.snapshot, &snapshot) || last.snapshot == snapshot;
            last.number > arrival.0 && is_equal
        });
        if let Some(shared) = shared {
            return Arc::clone(shared);
        }
        // Its buffer is used again, unless a client still receives it.
        *last = None;
        let number = self.renders.fetch_add(1, Ordering::SeqCst) + 1;
        let buffer = self.buffers.take();
        let renderer = Arc::clone(&rendering.renderer);
        let (rendered, instruments) = (Arc::clone(&snapshot), self.instruments.clone());
        let render = move || {
            let mut text = buffer;
            renderer
                .lock()
                .render(&rendered, &instruments, syntax, &mut text);
            text
        };
        let text = match spawn_blocking(render).await {
            Ok(text) => text,
            // The runtime ends, or rendering has a bug: the scrape fails like any other panic of its own.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Vec::new(),
            },
        };
        let exposition = Arc::new(Exposition {
            number,
            snapshot,
            text: self.buffers.lend(text),
            gzip: OnceCell::new(),
            zstd: OnceCell::new(),
        });
        *last = Some(Arc::clone(&exposition));
        exposition
    }

    async fn compress(&self, encoding: Encoding, text: Bytes) -> Option<Bytes> {
        let (compressors, buffers) = (self.compressors.clone(), self.compressed_buffers.clone());
        let compress = move || {
            let mut out = buffers.take();
            compressors.compress(encoding, &text, &mut out).ok()?;
            Some(buffers.lend(out))
        };
        spawn_blocking(compress).await.ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Build;
    use crate::snapshot::Snapshot;

    const BUILD: Build<'static> = Build {
        version: "1.2.3",
        revision: "abcdef0",
    };

    fn expositions() -> Expositions {
        Expositions::new(Instruments::new(BUILD).unwrap(), Arc::default())
    }

    /// A snapshot with one account of this name.
    fn snapshot(name: &str) -> Snapshot {
        Snapshot {
            accounts: vec![crate::exposition::empty_account(&Arc::from(name))],
        }
    }

    async fn get(expositions: &Expositions, arrival: Arrival, name: &str) -> Bytes {
        let encoding = Encoding::Gzip;
        let exposition = expositions.exposition(arrival, snapshot(name), Syntax::Text, encoding);
        let (encoded, bytes) = exposition.await;
        assert_eq!(encoded, encoding);
        bytes
    }

    #[tokio::test]
    async fn scrapes_that_join_one_collection_get_the_same_bytes() {
        let expositions = expositions();
        let (one, other) = (expositions.arrive(), expositions.arrive());
        let one = get(&expositions, one, "a").await;
        let other = get(&expositions, other, "a").await;
        assert!(
            std::ptr::eq(one.as_ptr(), other.as_ptr()),
            "compressed twice"
        );
        assert_eq!(expositions.renders.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_scrape_that_arrives_later_gets_the_exporters_metrics_of_its_own_time() {
        let expositions = expositions();
        let first = expositions.arrive();
        get(&expositions, first, "a").await;
        let later = expositions.arrive();
        get(&expositions, later, "a").await;
        assert_eq!(expositions.renders.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_scrape_with_another_snapshot_gets_its_own_text() {
        let expositions = expositions();
        let arrival = expositions.arrive();
        let texts = |name: &'static str| {
            let exposition = expositions.exposition(
                arrival,
                snapshot(name),
                Syntax::OpenMetrics,
                Encoding::Identity,
            );
            async { String::from_utf8(exposition.await.1.to_vec()).unwrap() }
        };
        for name in ["a", "b", "a"] {
            let text = texts(name).await;
            assert!(
                text.contains(&format!("up{{account=\"{name}\"}}")),
                "{text}"
            );
        }
        assert_eq!(expositions.renders.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn concurrent_scrapes_render_and_compress_once_per_format() {
        let expositions = Arc::new(expositions());
        let arrival = expositions.arrive();
        let scrapes = (0..32_u32).map(|number| {
            let expositions = Arc::clone(&expositions);
            tokio::spawn(async move {
                let encoding = [Encoding::Gzip, Encoding::Zstd][number as usize % 2];
                let exposition =
                    expositions.exposition(arrival, snapshot("a"), Syntax::Text, encoding);
                exposition.await.1.as_ptr() as usize
            })
        });
        let addresses = futures_util::future::join_all(scrapes).await;
        let addresses: std::collections::BTreeSet<_> =
            addresses.into_iter().map(Result::unwrap).collect();
        assert_eq!(addresses.len(), 2, "one text per encoding");
        assert_eq!(expositions.renders.load(Ordering::SeqCst), 1);
    }
}
