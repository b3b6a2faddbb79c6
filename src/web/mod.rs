//! The exporter's HTTP server: `/metrics`, `/probe` and `/sd` for Prometheus, an API for senders, health endpoints, and pages for people.
//! Handlers call the collector and never make requests to Twilio themselves.

mod account;
mod api;
mod auth;
mod compression;
mod connections;
mod current_config;
mod expositions;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod guard;
mod health;
mod health_check;
mod lifecycle;
pub mod listeners;
mod metrics;
mod negotiation;
mod pages;
mod parts;
mod probe;
mod query;
mod scrape_limit;
mod scrape_slots;
mod scraped;
mod sd;
mod service;
mod stop;
mod tls;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

pub use self::auth::{AccessControl, NoRandomNumbers};
pub use self::compression::{Compressors, KeptBlocks};
pub use self::connections::{
    Accepted, ClientAddress, ClientStream, ConnectedClient, ConnectionLimits, Connections,
    Listener, TlsSource,
};
pub use self::current_config::CurrentWebConfig;
pub use self::expositions::Expositions;
pub use self::health_check::{HealthError, check_health};
pub use self::negotiation::{Encoding, Format};
pub use self::scrape_slots::ScrapeSlots;
pub use self::scraped::Scraped;
pub use self::service::{PARSED_AT_ONCE, Service};
pub use self::stop::Stop;
pub use self::tls::CurrentTls;

/// The routes of all paths, behind the checks of `guard`, and behind authentication if there is a web configuration.
pub fn router(service: Arc<Service>) -> Router {
    let reload = if service.lifecycle {
        post(lifecycle::reload)
    } else {
        post(lifecycle::reload_is_off)
    };
    let access_control = service.access_control.clone();
    let hosts = service.allowed_hosts.clone();
    let limited = from_fn_with_state(Arc::clone(&service), scrape_limit::limit);
    let compressors = Arc::clone(&service.compressors);
    let router = Router::new()
        .merge(api::routes(service.api))
        .merge(pages::routes())
        .route("/probe", get(probe::probe).layer(limited.clone()))
        .route("/sd", get(sd::sd))
        .route(
            "/-/reload",
            reload.route_layer(from_fn(guard::require_json)),
        )
        .route(
            &service.telemetry_path,
            get(metrics::metrics).head(metrics::head).layer(limited),
        )
        .route("/-/healthy", get(health::healthy))
        .route("/-/ready", get(health::ready))
        .layer(from_fn_with_state(compressors, compression::compress))
        .with_state(service);
    let router = match access_control {
        Some(access_control) => {
            router.layer(from_fn_with_state(access_control, auth::check_access))
        }
        None => router,
    };
    guard::guarded(router, &hosts)
}
