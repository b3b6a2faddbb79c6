//! The exporter's HTTP server: `/metrics`, `/probe` and `/sd` for Prometheus, an API for senders, health endpoints, and a landing page.
//! Handlers call the collector and never make requests to Twilio themselves.

mod account;
mod api;
mod buffers;
mod connections;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod health;
mod landing;
mod lifecycle;
mod metrics;
mod probe;
mod query;
mod sd;
mod service;
mod stop;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub use self::buffers::Buffers;
pub use self::connections::{
    Accepted, ClientAddress, ClientStream, ConnectedClient, ConnectionLimits, Connections,
    Listener, TlsSource,
};
pub use self::service::{PARSED_AT_ONCE, Service};
pub use self::stop::Stop;

/// The routes of all paths.
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
