//! Security headers of every response. A header that a response already has stays as it is.

use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// No content is loaded from elsewhere or run inline, and no page may embed the exporter's. `style` is the text of the only inline
/// style; its hash allows it and no other.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-HASH'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The headers whose values are always the same.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    // Text that looks like a page stays text.
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Links to other sites do not say where they are: an address may have a query with names.
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // As `frame-ancestors`, for older browsers.
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // A page that opens the exporter's has no handle of its window.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    // Other sites cannot embed responses as images, scripts or styles.
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    // Values are old at once, and nothing of them stays on a disk.
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The policy for pages whose inline style is `style`.
pub(super) fn content_security_policy(style: &str) -> HeaderValue {
    let hash = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
    let policy = POLICY.replace("HASH", &STANDARD.encode(hash));
    // Letters, digits and the signs above fit into a header.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Adds the headers that `response` does not have.
pub(super) async fn add(State(policy): State<HeaderValue>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let all = HEADERS
        .into_iter()
        .chain([(CONTENT_SECURITY_POLICY, policy)]);
    for (name, value) in all {
        headers.entry(name).or_insert(value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_header_of_the_response_stays() {
        let mut response = Response::new(axum::body::Body::empty());
        let own = HeaderValue::from_static("max-age=60");
        response.headers_mut().insert(CACHE_CONTROL, own.clone());
        let response = add(State(content_security_policy("")), response).await;
        assert_eq!(response.headers()[CACHE_CONTROL], own);
        assert_eq!(response.headers()[X_FRAME_OPTIONS], "DENY");
        // The hash of nothing, as browsers compute it.
        let policy = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        let hash = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
        assert!(policy.contains(hash), "{policy}");
    }
}
