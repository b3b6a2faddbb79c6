//! What the handlers of all paths share.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::buffers::Buffers;
use super::stop::Stop;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::deadline;
use crate::exposition::{Instruments, Renderer};
use crate::reload::Reload;

/// How many bodies of registrations are parsed at once: a parsed body takes ten times its size.
pub const PARSED_AT_ONCE: usize = 2;

/// What the handlers share.
#[derive(Debug)]
pub struct Service {
    /// Collects for scrapes.
    pub collector: Arc<Collector>,
    /// The exporter's own counters.
    pub instruments: Instruments,
    /// For ages on the landing page.
    pub clock: Clock,
    /// Where the exposition is.
    pub telemetry_path: String,
    /// Taken off what a scrape grants, for rendering and the way back.
    pub timeout_offset: Duration,
    /// How far a stop has come.
    pub stop: Stop,
    /// Writes expositions, one at a time: it takes milliseconds, and its working memory is used again.
    pub renderer: Mutex<Renderer>,
    /// Buffers of expositions that have been sent.
    pub buffers: Buffers,
    /// Scrapes in progress, which a stop waits for.
    pub scrapes: TaskTracker,
    /// Loads the configuration again, where it can be.
    pub reload: Option<Arc<Reload>>,
    /// Whether that may be asked for over HTTP.
    pub lifecycle: bool,
    /// Whether operations may be registered over HTTP.
    pub api: bool,
    /// One permit for each body of a registration that may be parsed at the same time.
    pub parsers: Semaphore,
}

impl Service {
    /// How long a request may take whose headers say how long Prometheus waits.
    pub(super) fn budget(&self, headers: &HeaderMap) -> Duration {
        deadline::budget(text_of(headers, deadline::HEADER), self.timeout_offset)
    }

    /// Whether a collection has ended and the exporter is not about to stop.
    pub(super) fn is_ready(&self) -> bool {
        self.collector.has_collected() && !self.stop.has_begun()
    }
}

/// The text of a header, if it is there and is one.
pub(super) fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
