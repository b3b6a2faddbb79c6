//! The state that the handlers of all paths share.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::buffers::Buffers;
use super::connections::Connections;
use super::stop::Stop;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::deadline;
use crate::exposition::{Instruments, Renderer};
use crate::reload::Reload;

/// The most registration bodies that are parsed at the same time. A parsed body uses ten times its size in memory.
pub const PARSED_AT_ONCE: usize = 2;

/// The wait before the renderer's lock is tried again. A rendering takes milliseconds.
const RENDERER_WAIT: Duration = Duration::from_millis(10);

/// The shared state.
#[derive(Debug)]
pub struct Service {
    /// Collects for scrapes.
    pub collector: Arc<Collector>,
    /// The exporter's own counters.
    pub instruments: Instruments,
    /// For ages on the landing page.
    pub clock: Clock,
    /// The path of the exposition.
    pub telemetry_path: String,
    /// Subtracted from a scrape's timeout, for rendering and sending.
    pub timeout_offset: Duration,
    /// The state of a graceful shutdown.
    pub stop: Stop,
    /// Writes expositions, one at a time: each takes milliseconds, and they share working memory.
    pub renderer: Mutex<Renderer>,
    /// Unused buffers for expositions.
    pub buffers: Buffers,
    /// Scrapes in progress, which a graceful shutdown waits for.
    pub scrapes: TaskTracker,
    /// Reloads the configuration, if there is one to reload.
    pub reload: Option<Arc<Reload>>,
    /// Whether a reload over HTTP is allowed.
    pub lifecycle: bool,
    /// Whether operations may be registered over HTTP.
    pub api: bool,
    /// One permit per scrape or probe that may be served at the same time; `None` without a limit.
    pub scrape_permits: Option<Arc<Semaphore>>,
    /// The open connections.
    pub connections: Arc<Connections>,
    /// One permit per registration body that may be parsed at the same time.
    pub parsers: Semaphore,
}

impl Service {
    /// The time for a collection, computed from the request's timeout header.
    pub(super) fn budget(&self, headers: &HeaderMap) -> Duration {
        deadline::budget(text_of(headers, deadline::HEADER), self.timeout_offset)
    }

    /// Resolves when the locks of a scrape can be taken: those of all accounts, and that of the renderer.
    pub async fn prove_progress(&self) {
        self.collector.known().await;
        while self.renderer.try_lock().is_none() {
            tokio::time::sleep(RENDERER_WAIT).await;
        }
    }

    /// Whether a collection has finished and no shutdown has begun.
    pub(super) fn is_ready(&self) -> bool {
        self.collector.has_collected() && !self.stop.has_begun()
    }
}

/// The text of a header; `None` without the header or if it is no text.
pub(super) fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
