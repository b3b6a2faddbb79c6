//! Observes one connection: which phase it is in, and since when. Wrappers around the stream and the response bodies update the phase;
//! `deadline` and `idle_since` read it. A connection of HTTP/2 serves several requests at the same time.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::limits::ConnectionLimits;
use crate::exposition::Closed;

/// A client that has not read its response for this long counts as idle if the connection is needed for another client.
const STUCK: Duration = Duration::from_secs(1);

/// The observed state of one connection. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Watch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    state: Mutex<ConnectionState>,
    /// The connection's task. Requests of HTTP/2 run in their own tasks, and their changes may set a deadline.
    task: AtomicWaker,
}

#[derive(Debug)]
struct ConnectionState {
    phase: ConnectionPhase,
    /// When the phase began.
    since: Instant,
    /// When the client stopped reading; `None` if it reads.
    blocked: Option<Instant>,
    /// The requests of HTTP/2 whose client cannot receive the next part of the response, by number, with the time when that began.
    stalled: BTreeMap<u64, Instant>,
    /// The number of the next request.
    next: u64,
    /// Whether received bytes may be anything other than a request: clients of HTTP/2 also send settings, pings and window updates.
    is_http_2: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionPhase {
    /// The exporter waits for a complete request: a new connection, or one that has sent a first byte.
    Receiving,
    /// This number of requests are being served; at least 1.
    Serving(usize),
    /// All responses are complete; no byte of another request has arrived.
    Idle,
}

/// One request, from the end of its head to the end of the response's body.
#[derive(Debug)]
pub(super) struct Serving {
    watch: Watch,
    number: u64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self(Arc::new(Watched {
            state: Mutex::new(ConnectionState {
                phase: ConnectionPhase::Receiving,
                since: Instant::now(),
                blocked: None,
                stalled: BTreeMap::new(),
                next: 0,
                is_http_2: false,
            }),
            task: AtomicWaker::new(),
        }))
    }

    /// Notes the end of a handshake: the client may send its first request.
    pub(super) fn encrypted(&self, is_http_2: bool) {
        let mut state = self.0.state.lock();
        state.is_http_2 = is_http_2;
        state.enter(ConnectionPhase::Receiving);
    }

    /// When to close the connection, and why, if its state does not change until then; `None` while a request is served, because the
    /// handlers limit that time. If the state changes, the task of `context` is notified.
    pub(super) fn deadline(
        &self,
        limits: &ConnectionLimits,
        context: &Context<'_>,
    ) -> Option<(Instant, Closed)> {
        self.0.task.register(context.waker());
        let state = self.0.state.lock();
        let unread = state.blocked.iter().chain(state.stalled.values()).min();
        if let Some(since) = unread {
            return Some((*since + limits.write, Closed::NotRead));
        }
        match state.phase {
            ConnectionPhase::Receiving => Some((state.since + limits.request, Closed::NoRequest)),
            ConnectionPhase::Idle => Some((state.since + limits.idle, Closed::Idle)),
            ConnectionPhase::Serving(_) => None,
        }
    }

    /// When the client became idle: it neither waits for a response nor reads one. `None` if it does.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.0.state.lock();
        let stuck = |since: &Instant| since.elapsed() > STUCK;
        match (state.blocked, state.phase) {
            (Some(since), _) => Some(since).filter(stuck),
            (None, ConnectionPhase::Serving(requests)) => {
                let last = state.stalled.values().max().copied();
                last.filter(|since| state.stalled.len() == requests && stuck(since))
            }
            (None, ConnectionPhase::Receiving | ConnectionPhase::Idle) => Some(state.since),
        }
    }

    /// When the client stopped reading its response; `None` if it reads.
    pub(super) fn unread_since(&self) -> Option<Instant> {
        let state = self.0.state.lock();
        let unread = state.blocked.iter().chain(state.stalled.values()).min();
        unread.copied().filter(|since| since.elapsed() > STUCK)
    }

    /// Notes that the head of a request was read.
    pub(super) fn serving(&self) -> Serving {
        let mut state = self.0.state.lock();
        let requests = match state.phase {
            ConnectionPhase::Serving(requests) => requests,
            ConnectionPhase::Receiving | ConnectionPhase::Idle => 0,
        };
        state.enter(ConnectionPhase::Serving(requests + 1));
        let number = state.next;
        state.next += 1;
        Serving {
            watch: self.clone(),
            number,
        }
    }

    fn received(&self) {
        let mut state = self.0.state.lock();
        if state.phase == ConnectionPhase::Idle && !state.is_http_2 {
            state.enter(ConnectionPhase::Receiving);
        }
    }

    fn wrote<T>(&self, written: &Poll<T>) {
        let mut state = self.0.state.lock();
        if written.is_ready() {
            state.blocked = None;
            if state.phase == ConnectionPhase::Idle && !state.is_http_2 {
                // The last bytes of a response were written to the system. For HTTP/2, they may be the reply to a ping.
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

impl Serving {
    /// Whether the request came over HTTP/2.
    pub(super) fn is_http_2(&self) -> bool {
        self.watch.0.state.lock().is_http_2
    }

    /// Notes that a part of the response waits until the client can receive it.
    pub(super) fn stalled(&self) {
        let mut state = self.watch.0.state.lock();
        state.stalled.insert(self.number, Instant::now());
        drop(state);
        self.watch.0.task.wake();
    }

    /// Notes that the client received a part.
    pub(super) fn flowed(&self) {
        self.watch.0.state.lock().stalled.remove(&self.number);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut state = self.watch.0.state.lock();
        state.stalled.remove(&self.number);
        match state.phase {
            ConnectionPhase::Serving(requests) if requests > 1 => {
                state.phase = ConnectionPhase::Serving(requests - 1);
            }
            _ => state.enter(ConnectionPhase::Idle),
        }
        drop(state);
        self.watch.0.task.wake();
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
