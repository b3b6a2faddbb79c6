//! Whether the exporter lives, and whether it has something to show.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::service::Service;

/// `/-/healthy`: it answers, so it lives.
pub(super) async fn healthy() -> &'static str {
    "twilio-email-exporter is healthy.\n"
}

/// `/-/ready`: 503 before the first collection has ended and while the exporter stops.
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
