//! Observes one connection: which phase it is in, and since when. Wrappers around the stream and the response bodies update the phase;
//! `deadline` and `idle_since` read it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use hyper::body::{Bytes, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::ConnectionLimits;
use crate::exposition::Closed;

/// A client that has not read its response for this long counts as idle if the connection is needed for another client.
const STUCK: Duration = Duration::from_secs(1);

/// The observed state of one connection. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Watch(Arc<Mutex<ConnectionState>>);

#[derive(Debug)]
struct ConnectionState {
    phase: ConnectionPhase,
    /// When the phase began.
    since: Instant,
    /// Since when the client does not read; `None` if it reads.
    blocked: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionPhase {
    /// The exporter waits for a complete request: a new connection, or one that has sent a first byte.
    Receiving,
    /// A request is being served.
    Serving,
    /// The response is complete; no byte of another request has arrived.
    Idle,
}

/// One request, from the end of its head to the end of the response's body.
#[derive(Debug)]
pub(super) struct Serving(Watch);

impl Watch {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(ConnectionState {
            phase: ConnectionPhase::Receiving,
            since: Instant::now(),
            blocked: None,
        })))
    }

    /// When to close the connection, and why, if its state does not change until then; `None` while a request is served, because the
    /// handlers limit that time.
    pub(super) fn deadline(&self, limits: &ConnectionLimits) -> Option<(Instant, Closed)> {
        let state = self.0.lock();
        if let Some(since) = state.blocked {
            return Some((since + limits.write, Closed::NotRead));
        }
        match state.phase {
            ConnectionPhase::Receiving => Some((state.since + limits.request, Closed::NoRequest)),
            ConnectionPhase::Idle => Some((state.since + limits.idle, Closed::Idle)),
            ConnectionPhase::Serving => None,
        }
    }

    /// Since when the client neither waits for a response nor reads one; `None` if it does.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.0.lock();
        match state.blocked {
            Some(since) => (since.elapsed() > STUCK).then_some(since),
            None => (state.phase != ConnectionPhase::Serving).then_some(state.since),
        }
    }

    /// Notes that the head of a request was read.
    pub(super) fn serving(&self) -> Serving {
        self.0.lock().enter(ConnectionPhase::Serving);
        Serving(self.clone())
    }

    fn received(&self) {
        let mut state = self.0.lock();
        if state.phase == ConnectionPhase::Idle {
            state.enter(ConnectionPhase::Receiving);
        }
    }

    fn wrote<T>(&self, written: &Poll<T>) {
        let mut state = self.0.lock();
        if written.is_ready() {
            state.blocked = None;
            if state.phase == ConnectionPhase::Idle {
                // The last bytes of a response were written to the system.
                state.since = Instant::now();
            }
        } else {
            state.blocked.get_or_insert_with(Instant::now);
        }
    }
}

impl ConnectionState {
    fn enter(&mut self, phase: ConnectionPhase) {
        self.phase = phase;
        self.since = Instant::now();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.0.lock().enter(ConnectionPhase::Idle);
    }
}

/// A connection's stream that updates the observed state.
#[derive(Debug)]
pub(super) struct WatchedStream<I> {
    pub(super) io: I,
    pub(super) watch: Watch,
}

impl<I: AsyncRead + Unpin> AsyncRead for WatchedStream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.watch.received();
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WatchedStream<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.watch.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.watch.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// The body of a response. The request counts as served until it is dropped.
#[derive(Debug)]
pub(super) struct WatchedBody {
    pub(super) body: Body,
    pub(super) _serving: Serving,
}

impl hyper::body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
