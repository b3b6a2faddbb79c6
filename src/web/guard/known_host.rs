//! Refuses requests for hosts that the exporter is not known by.
//!
//! A page of an attacker may let its own name point to the exporter's address (DNS rebinding). The browser then lets that page read all
//! responses of the exporter, but still sends the attacker's name as `Host`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::destination::destinations;
use super::refusal::refusal;
use crate::config::Host;

/// The paths that respond for every host: orchestrators send a container's address as `Host`, which nobody knows in advance, and the
/// responses are the same few words for everybody.
const FOR_ALL: [&str; 2] = ["/-/healthy", "/-/ready"];

/// Responds with 400 if the request names no valid host, and with 421 (RFC 9110, section 15.5.20) if the exporter is not known by it.
pub(super) async fn require(
    State(known): State<Arc<[Host]>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let named = match destinations(&request) {
        Ok(named) => named,
        Err(error) => return refusal(path, StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let is_known = !named.is_empty() && named.iter().all(|each| known.contains(&each.host));
    if known.is_empty() || is_known || FOR_ALL.contains(&path) {
        return next.run(request).await;
    }
    refusal(
        path,
        StatusCode::MISDIRECTED_REQUEST,
        "The header Host of this request names a host that is not allowed. --web.allowed-host lists the allowed hosts.",
    )
}
