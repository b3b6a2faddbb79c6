//! Responses in gzip (complete, cut, or a bomb), and responses with a wrong `Content-Encoding`. The client must reject all but the
//! complete one.

use std::io::Write;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The decoded size of the bomb: far above any client's limit.
const BOMB: usize = 64 << 20;

/// `response` in gzip.
pub(super) async fn gzip(response: Response) -> Response {
    encoded(response, |whole| compress(&[&whole])).await
}

/// The first half of `response` in gzip, with a `Content-Length` of that half.
pub(super) async fn gzip_cut(response: Response) -> Response {
    encoded(response, |whole| {
        let whole = compress(&[&whole]);
        whole.slice(..whole.len() / 2)
    })
    .await
}

/// 64 MiB of blanks in 64 KiB of gzip.
pub(super) fn gzip_bomb() -> Response {
    let blanks = [b' '; 1 << 14];
    let bomb = compress(&vec![&blanks[..]; BOMB / blanks.len()]);
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_ENCODING, "gzip"),
    ];
    (headers, bomb).into_response()
}

/// `response` unchanged, with the header `Content-Encoding: name`.
pub(super) fn mislabeled(name: &str, mut response: Response) -> Response {
    if let Ok(name) = HeaderValue::from_str(name) {
        response.headers_mut().insert(CONTENT_ENCODING, name);
    }
    response
}

async fn encoded(response: Response, encode: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(CONTENT_LENGTH);
    let gzip = HeaderValue::from_static("gzip");
    parts.headers.insert(CONTENT_ENCODING, gzip);
    Response::from_parts(parts, Body::from(encode(whole)))
}

fn compress(pieces: &[&[u8]]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let written = pieces.iter().try_for_each(|piece| encoder.write_all(piece));
    let whole = written.and_then(|()| encoder.finish());
    Bytes::from(whole.unwrap_or_default())
}
