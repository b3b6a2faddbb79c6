//! `/-/healthy` and `/-/ready`, for orchestrators and load balancers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::service::Service;

/// `/-/healthy`: always 200. A process that responds is alive.
pub(super) async fn healthy() -> &'static str {
    "twilio-email-exporter is healthy.\n"
}

/// `/-/ready`: 503 before the first collection has finished and while the exporter stops.
pub(super) async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, &'static str) {
    if service.is_ready() {
        (StatusCode::OK, "twilio-email-exporter is ready.\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "twilio-email-exporter is not ready: no collection has finished yet, or it is stopping.\n",
        )
    }
}
