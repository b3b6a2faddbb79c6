//! The body of a response. Its request counts as served until it is dropped.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use hyper::body::{Bytes, Frame, SizeHint};

use super::phase::Serving;

/// The largest part of a body that HTTP/2 sends at once: the default size of a frame. The rest stays in the body until the client can
/// receive more, so that the time without progress can be measured.
const PART: usize = 16 * 1024;

/// The body of a response.
#[derive(Debug)]
pub(super) struct WatchedBody {
    body: Body,
    /// What the body returned and the connection has not sent yet; only for HTTP/2.
    rest: Bytes,
    serving: Serving,
    in_parts: bool,
}

impl WatchedBody {
    pub(super) fn new(body: Body, serving: Serving) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            in_parts: serving.is_http_2(),
            serving,
        }
    }

    /// The next part of `rest`, as a copy: the last part must not keep the whole response in memory.
    fn part(&mut self) -> Frame<Bytes> {
        let part = self.rest.split_to(PART.min(self.rest.len()));
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        self.serving.stalled();
        Frame::data(Bytes::copy_from_slice(&part))
    }
}

impl hyper::body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.in_parts {
            return Pin::new(&mut self.body).poll_frame(context);
        }
        self.serving.flowed();
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        Poll::Ready(Some(Ok(self.part())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(body.lower() + rest);
        hint
    }
}
