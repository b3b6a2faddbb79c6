//! `/metrics`: a collection, bounded by the scrape's deadline, and what is known at its end. Always 200: Twilio's troubles are figures.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::service::Service;
use crate::exposition;

pub(super) async fn metrics(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let scrape = service.scrapes.token();
    let collection = service.collector.collect(service.budget(&headers));
    // Not finished at a stop, it is as if the scrape's deadline had come.
    let _ = service.stop.unless_answering(collection).await;
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

/// An exposition under way to its client.
struct ResponseBody {
    text: Bytes,
    _scrape: TaskTrackerToken,
}

impl AsRef<[u8]> for ResponseBody {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}
