//! The state that the handlers of all paths share. Handlers keep no state of their own.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use url::Url;

use super::auth::AccessControl;
use super::compression::Compressors;
use super::connections::Connections;
use super::expositions::Expositions;
use super::scrape_slots::ScrapeSlots;
use super::scraped::Scraped;
use super::stop::Stop;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::config::Host;
use crate::deadline;
use crate::exposition::Instruments;
use crate::reload::Reload;

/// The most registration bodies that are parsed at the same time. A parsed body uses ten times its size in memory.
pub const PARSED_AT_ONCE: usize = 2;

/// The shared state.
#[derive(Debug)]
pub struct Service {
    /// Collects for scrapes.
    pub collector: Arc<Collector>,
    /// The exporter's own counters.
    pub instruments: Instruments,
    /// For ages on pages.
    pub clock: Clock,
    /// The hosts that the exporter is known by; empty: all.
    pub allowed_hosts: Vec<Host>,
    /// The path of the exposition.
    pub telemetry_path: String,
    /// Subtracted from a scrape's timeout, for rendering and sending.
    pub timeout_offset: Duration,
    /// The state of a graceful shutdown.
    pub stop: Stop,
    /// The texts of expositions, which concurrent scrapes share.
    pub expositions: Expositions,
    /// Compresses expositions and other responses.
    pub compressors: Arc<Compressors>,
    /// Scrapes in progress, which a graceful shutdown waits for.
    pub scrapes: TaskTracker,
    /// Reloads the configuration, if there is one to reload.
    pub reload: Option<Arc<Reload>>,
    /// Guards requests, if there is a web configuration.
    pub access_control: Option<Arc<AccessControl>>,
    /// Whether a reload over HTTP is allowed.
    pub lifecycle: bool,
    /// Whether operations may be registered over HTTP.
    pub api: bool,
    /// The Grafana that pages link to, if there is one.
    pub grafana: Option<Url>,
    /// When the metrics were last scraped.
    pub scraped: Scraped,
    /// The scrapes and probes that may be served at the same time; `None` without a limit.
    pub scrape_slots: Option<ScrapeSlots>,
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

    /// Resolves when the locks of a scrape can be taken: those of all accounts, and those of the expositions.
    pub async fn prove_progress(&self) {
        self.collector.known().await;
        self.expositions.prove_progress().await;
    }

    /// Whether a collection has finished and no shutdown has begun.
    pub(super) fn is_ready(&self) -> bool {
        self.collector.has_collected() && !self.stop.has_begun()
    }
}

/// The text of a header; `None` if it is missing or not text.
pub(super) fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
