//! Security headers of every response. A header that a response already has stays as it is.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

/// No content is loaded from elsewhere or run inline, and no page may embed the exporter's.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// The headers whose values are always the same.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    // Text that looks like a page stays text.
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Requests to other sites do not contain the page's address, whose query may have names.
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // As `frame-ancestors`, for older browsers.
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // A page that opens the exporter's gets no handle of its window.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    // Other sites cannot embed responses as images, scripts or styles.
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    // Values are outdated immediately, and must not be stored.
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Adds the headers that `response` does not have.
pub(super) async fn add(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
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
        let response = add(response).await;
        assert_eq!(response.headers()[CACHE_CONTROL], own);
        assert_eq!(response.headers()[X_FRAME_OPTIONS], "DENY");
    }
}
