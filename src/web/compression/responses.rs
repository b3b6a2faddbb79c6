//! Compresses the responses of all paths that are large enough and not compressed yet. It adds `Accept-Encoding` to their `Vary`.

use std::sync::Arc;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;

use super::compressors::Compressors;
use crate::web::negotiation::Encoding;

/// A smaller body fits into one packet either way.
const SMALLEST: u64 = 1024;

/// A larger body takes longer than about a millisecond to compress, which would delay other requests on the same thread.
const LARGEST_INLINE: usize = 256 * 1024;

/// Compresses the response to `request` as the client prefers.
pub(in crate::web) async fn compress(
    State(compressors): State<Arc<Compressors>>,
    request: Request,
    next: Next,
) -> Response {
    let encoding = Encoding::negotiate(request.headers());
    let mut response = next.run(request).await;
    vary_by_encoding(response.headers_mut());
    let Some(name) = encoding.name() else {
        return response;
    };
    let is_large = response.body().size_hint().exact() >= Some(SMALLEST);
    if !is_large || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Its size is known, so it is in memory already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = match compressed(compressors, encoding, bytes.clone()).await {
        Some(compressed) => {
            parts.headers.remove(CONTENT_LENGTH);
            parts
                .headers
                .insert(CONTENT_ENCODING, HeaderValue::from_static(name));
            compressed
        }
        None => bytes,
    };
    Response::from_parts(parts, Body::from(body))
}

async fn compressed(
    compressors: Arc<Compressors>,
    encoding: Encoding,
    bytes: Bytes,
) -> Option<Bytes> {
    let is_short = bytes.len() <= LARGEST_INLINE;
    let compress = move || {
        let mut out = Vec::new();
        compressors.compress(encoding, &bytes, &mut out).ok()?;
        // Zstandard reserves more than it needs.
        out.shrink_to_fit();
        Some(Bytes::from(out))
    };
    if is_short {
        return compress();
    }
    tokio::task::spawn_blocking(compress).await.ok()?
}

/// Adds `Accept-Encoding` to the header `Vary`.
fn vary_by_encoding(headers: &mut HeaderMap) {
    const NAME: &str = "Accept-Encoding";
    let given = headers.get(VARY).and_then(|value| value.to_str().ok());
    let value = match given {
        Some(given) if given.to_ascii_lowercase().contains("accept-encoding") => return,
        Some(given) => HeaderValue::from_str(&format!("{given}, {NAME}")).ok(),
        None => None,
    };
    headers.insert(VARY, value.unwrap_or(HeaderValue::from_static(NAME)));
}
