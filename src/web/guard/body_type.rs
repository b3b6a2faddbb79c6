//! The media type of request bodies. Only JSON is accepted. Any page may send a form or plain text to another site, but a browser sends
//! JSON only if that site agrees, and the exporter never does.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::refusal::refusal;

/// Responds with 415 to a request that has a body which is not JSON. A request without a body needs no media type.
pub(in crate::web) async fn require_json(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() || is_json(request.headers()) {
        return next.run(request).await;
    }
    refusal(
        request.uri().path(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body must be JSON, with the header Content-Type: application/json.",
    )
}

/// Whether the media type of a request is JSON, whatever its parameters.
pub(in crate::web) fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE);
    let media = given.and_then(|value| value.to_str().ok()?.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}
