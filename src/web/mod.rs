//! The exporter's HTTP side: `/metrics`, `/probe` and `/sd` for Prometheus, an API for senders, health, and a page for people.

mod account;
mod api;
mod buffers;
mod connections;
mod health;
mod landing;
mod lifecycle;
mod metrics;
mod probe;
mod query;
mod sd;
mod stop;
mod under_way;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};

pub use self::buffers::Buffers;
pub use self::connections::{Connections, Limits as ConnectionLimits, Listener};
pub use self::stop::Stop;
pub use self::under_way::UnderWay;
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
    fn budget(&self, headers: &HeaderMap) -> Duration {
        deadline::budget(text_of(headers, deadline::HEADER), self.timeout_offset)
    }

    /// Whether a collection has ended and the exporter is not about to stop.
    fn is_ready(&self) -> bool {
        self.collector.has_collected() && !self.stop.has_begun()
    }
}

/// The text of a header, if it is there and is one.
fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// All paths.
pub fn router(service: Arc<Service>) -> Router {
    let reload = if service.lifecycle {
        post(lifecycle::reload)
    } else {
        post(lifecycle::reload_is_off)
    };
    Router::new()
        .merge(api::routes(service.api))
        .route("/probe", get(probe::probe))
        .route("/sd", get(sd::sd))
        .route("/-/reload", reload)
        .route(&service.telemetry_path, get(metrics::metrics))
        .route("/-/healthy", get(health::healthy))
        .route("/-/ready", get(health::ready))
        .route("/", get(landing::landing))
        .with_state(service)
}
