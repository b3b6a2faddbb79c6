//! `/metrics`: runs or joins a collection within the scrape's deadline, then exposes the current values. The status is always 200;
//! Twilio's failures are values of metrics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::IntoResponse;
use bytes::Bytes;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::service::{Service, text_of};
use crate::exposition;

pub(super) async fn metrics(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let scrape = service.scrapes.token();
    let accept = text_of(&headers, ACCEPT.as_str());
    service.scraped.note(accept, service.clock.now());
    let collection = service.collector.collect(service.budget(&headers));
    // If the exporter stops, the scrape exposes the current values, as at its deadline.
    let _ = service.stop.run_until_respond(collection).await;
    let snapshot = service.collector.snapshot().await;
    let mut body = service.buffers.take();
    let mut renderer = service.renderer.lock();
    renderer.render(&snapshot, &service.instruments, &mut body);
    drop(renderer);
    let sent = ResponseBody {
        text: service.buffers.lend(body),
        _scrape: scrape,
    };
    (
        [(CONTENT_TYPE, exposition::CONTENT_TYPE)],
        axum::body::Body::from(Bytes::from_owner(sent)),
    )
}

/// An exposition that is being sent. A graceful shutdown waits until it is dropped.
struct ResponseBody {
    text: Bytes,
    _scrape: TaskTrackerToken,
}

impl AsRef<[u8]> for ResponseBody {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}
