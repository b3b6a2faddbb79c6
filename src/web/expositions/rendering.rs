//! The last exposition of one syntax with its compressed forms, and the blocks that the next one uses again. What no scraper has
//! requested for a while is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, OnceCell};
use tokio::task::spawn_blocking;

use crate::exposition::{Block, BlockRenderer, Instruments, Syntax};
use crate::snapshot::Snapshot;
use crate::web::compression::{Compressors, KeptBlocks};
use crate::web::negotiation::Encoding;
use crate::web::parts::Parts;

/// A text is dropped if no scraper has requested it in this number of expositions: a quarter of an hour at an interval of 15 seconds.
pub(super) const KEPT_UNUSED: u64 = 60;

/// One syntax. Scrapes render one at a time, so that waiting scrapes find a text to share.
#[derive(Debug)]
pub(super) struct Rendering {
    last: AsyncMutex<Option<Arc<Exposition>>>,
    renderer: Arc<Mutex<BlockRenderer>>,
    /// The number of the last exposition in this syntax.
    used: AtomicU64,
    gzip: Arc<Compression>,
    zstd: Arc<Compression>,
}

/// One encoding of a syntax.
#[derive(Debug)]
struct Compression {
    kept: Mutex<KeptBlocks>,
    /// The number of the last exposition in this encoding.
    used: AtomicU64,
}

/// A rendered text, with the compressed ones that scrapers have requested.
#[derive(Debug)]
pub(super) struct Exposition {
    pub(super) number: u64,
    pub(super) snapshot: Arc<Snapshot>,
    blocks: Vec<Block>,
    text: Parts,
    gzip: OnceCell<Option<Parts>>,
    zstd: OnceCell<Option<Parts>>,
}

impl Rendering {
    /// A syntax without any text.
    pub(super) fn new(syntax: Syntax) -> Self {
        Self {
            last: AsyncMutex::default(),
            renderer: Arc::new(Mutex::new(BlockRenderer::new(syntax))),
            used: AtomicU64::default(),
            gzip: Arc::new(Compression::new(Encoding::Gzip)),
            zstd: Arc::new(Compression::new(Encoding::Zstd)),
        }
    }

    /// The last exposition. No other scrape renders while the caller has it.
    pub(super) async fn last(&self) -> MutexGuard<'_, Option<Arc<Exposition>>> {
        self.last.lock().await
    }

    /// Renders the exposition `number`, on a thread for blocking work.
    pub(super) async fn render(
        &self,
        number: u64,
        snapshot: Arc<Snapshot>,
        instruments: Instruments,
    ) -> Arc<Exposition> {
        self.used.store(number, Ordering::Relaxed);
        let (renderer, rendered) = (Arc::clone(&self.renderer), Arc::clone(&snapshot));
        let render = move || {
            let blocks = renderer.lock().render(&rendered, &instruments);
            let text: Parts = blocks.iter().map(|block| block.text().clone()).collect();
            (blocks, text)
        };
        let (blocks, text) = match spawn_blocking(render).await {
            Ok(rendered) => rendered,
            // The runtime ends, or rendering panicked: then the scrape panics, too.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Default::default(),
            },
        };
        Arc::new(Exposition {
            number,
            snapshot,
            blocks,
            text,
            gzip: OnceCell::new(),
            zstd: OnceCell::new(),
        })
    }

    /// `exposition` in this encoding, or uncompressed if there is no memory for the compression. It is compressed once, on a thread for
    /// blocking work.
    pub(super) async fn encoded(
        &self,
        exposition: &Arc<Exposition>,
        encoding: Encoding,
        compressors: &Arc<Compressors>,
    ) -> (Encoding, Parts) {
        let (cell, compression) = match encoding {
            Encoding::Identity => return (Encoding::Identity, exposition.text.clone()),
            Encoding::Gzip => (&exposition.gzip, &self.gzip),
            Encoding::Zstd => (&exposition.zstd, &self.zstd),
        };
        let compressed = cell.get_or_init(|| async {
            compression.used.store(exposition.number, Ordering::Relaxed);
            let (compression, compressors) = (Arc::clone(compression), Arc::clone(compressors));
            let exposition = Arc::clone(exposition);
            let compress = move || {
                let mut kept = compression.kept.lock();
                kept.compress(&exposition.blocks, &compressors).ok()
            };
            let pieces = spawn_blocking(compress).await.ok()?;
            Some(pieces?.into_iter().collect())
        });
        match compressed.await {
            Some(compressed) => (encoding, compressed.clone()),
            None => (Encoding::Identity, exposition.text.clone()),
        }
    }

    /// Drops texts that have not been used for a long time when the exposition `number` is rendered.
    pub(super) fn drop_unused(&self, number: u64) {
        let is_unused = |used: &AtomicU64| used.load(Ordering::Relaxed) + KEPT_UNUSED < number;
        // A locked text is in use.
        if is_unused(&self.used)
            && let Ok(mut last) = self.last.try_lock()
            && let Some(mut renderer) = self.renderer.try_lock()
        {
            *last = None;
            renderer.clear();
        }
        for compression in [&self.gzip, &self.zstd] {
            if (is_unused(&self.used) || is_unused(&compression.used))
                && let Some(mut kept) = compression.kept.try_lock()
            {
                kept.clear();
            }
        }
    }

    /// Whether any text is kept: uncompressed, in gzip and in Zstandard.
    #[cfg(test)]
    pub(super) fn kept(&self) -> [bool; 3] {
        let has_text = self.last.try_lock().is_ok_and(|last| last.is_some());
        let is_kept = |compression: &Compression| !compression.kept.lock().is_empty();
        [has_text, is_kept(&self.gzip), is_kept(&self.zstd)]
    }
}

impl Compression {
    fn new(encoding: Encoding) -> Self {
        Self {
            kept: Mutex::new(KeptBlocks::new(encoding)),
            used: AtomicU64::default(),
        }
    }
}
