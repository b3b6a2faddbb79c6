//! Limits the scrapes and probes that are served at the same time (`--web.max-requests`): each keeps a response of megabytes in memory
//! until the client has read it. A further one takes the place of the response that has been unread for longest. If all clients read,
//! it gets 503: a scrape that waits would only be late.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::timeout;

use super::connections::ConnectedClient;
use super::scrape_slots::Slot;
use super::service::Service;
use crate::exposition::Refused;

/// When to try again, in seconds. Scrapes take about a second.
const RETRY_AFTER_SECONDS: &str = "1";
/// How long a connection that was closed takes to release its slot.
const RELEASE: Duration = Duration::from_millis(200);

/// Serves a request while there are slots. Without one, it closes the connection whose client has not read its response for longest.
pub(super) async fn limit(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(slots) = &service.scrape_slots else {
        return next.run(request).await;
    };
    let client = request.extensions().get::<ConnectedClient>();
    let address = client.and_then(|client| client.address.ip());
    let mut slot = slots.take(address);
    if slot.is_none() && service.connections.close_unread() {
        slot = timeout(RELEASE, slots.wait(address)).await.ok();
    }
    let Some(slot) = slot else {
        service
            .instruments
            .connections()
            .refused(Refused::TooManyScrapes);
        let problem =
            "Too many scrapes at the same time. Scrape less often, or raise --web.max-requests.\n";
        let headers = [(RETRY_AFTER, RETRY_AFTER_SECONDS)];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, problem).into_response();
    };
    let slot = Arc::new(slot);
    let response = next.run(request).await;
    response.map(|body| Body::new(CountedBody { body, slot }))
}

/// A body whose slot is released when its last byte has been sent or dropped.
struct CountedBody {
    body: Body,
    slot: Arc<Slot>,
}

/// A part of it, which the connection may keep longer than the body.
struct CountedBytes {
    bytes: Bytes,
    _slot: Arc<Slot>,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl hyper::body::Body for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let counted = |bytes| {
            Bytes::from_owner(CountedBytes {
                bytes,
                _slot: Arc::clone(&self.slot),
            })
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(counted))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
