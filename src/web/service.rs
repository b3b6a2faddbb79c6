//! What the handlers of all paths share.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::http::HeaderMap;

use super::buffers::Buffers;
use super::stop::Stop;
use super::under_way::UnderWay;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::deadline;
use crate::exposition::{Instruments, Renderer};
use crate::reload::Reload;

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
    /// Scrapes that a stop waits for.
    pub under_way: UnderWay,
    /// Loads the configuration again, where it can be.
    pub reload: OnceLock<Arc<Reload>>,
    /// Whether that may be asked for over HTTP.
    pub lifecycle: bool,
    /// Whether operations may be registered over HTTP.
    pub api: bool,
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
