//! `/metrics`: runs or joins a collection within the scrape's deadline, then exposes the current values in the format that the client
//! accepts. Twilio's failures never change the status 200: they are values of metrics.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use super::negotiation::{Encoding, Format};
use super::service::{Service, text_of};

/// The request headers that an exposition depends on.
const VARIES_BY: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding");

pub(super) async fn metrics(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let scrape = service.scrapes.token();
    let arrival = service.expositions.arrive();
    let accept = text_of(&headers, ACCEPT.as_str());
    service.scraped.note(accept, service.clock.now());
    let collection = service.collector.collect(service.budget(&headers));
    // If the exporter stops, the scrape exposes the current values, as at its deadline.
    let _ = service.stop.run_until_respond(collection).await;
    let snapshot = service.collector.snapshot().await;
    let format = Format::negotiate(&headers);
    let exposition = service.expositions.exposition(
        arrival,
        snapshot,
        format.syntax(),
        Encoding::negotiate(&headers),
    );
    let (encoding, text) = exposition.await;
    let headers = response_headers(format, encoding);
    // A graceful shutdown waits until the body is dropped.
    (headers, Body::new(text.into_body(scrape))).into_response()
}

/// The headers of [`metrics`] alone. It makes no collection, so the length of the body is not known.
pub(super) async fn head(headers: HeaderMap) -> Response {
    let (format, encoding) = (Format::negotiate(&headers), Encoding::negotiate(&headers));
    // An empty body of a known size would set the length to 0.
    let body = Body::from_stream(stream::empty::<Result<Bytes, std::convert::Infallible>>());
    (response_headers(format, encoding), body).into_response()
}

fn response_headers(format: Format, encoding: Encoding) -> HeaderMap {
    let mut headers =
        HeaderMap::from_iter([(CONTENT_TYPE, format.content_type()), (VARY, VARIES_BY)]);
    if let Some(name) = encoding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    headers
}
