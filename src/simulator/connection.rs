//! Connections to the simulated API. Faults can close them in the middle of a response, or send no final response on them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// More bytes than any response has.
const UNLIMITED: u64 = u64::MAX;
/// An informational response (RFC 8297).
const EARLY_HINTS: &[u8] = b"HTTP/1.1 103 Early Hints\r\n\r\n";
/// The most bytes of informational responses, so that a client without a limit does not keep a processor busy forever.
const MOST_EARLY_HINTS: u64 = 1 << 30;

/// One connection. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<ResponseProgress>);

#[derive(Debug)]
struct ResponseProgress {
    has_responded: AtomicBool,
    /// The number of bytes that the server writes before it closes the connection.
    left: AtomicU64,
    /// Whether the server sends informational responses instead of a final one.
    has_early_hints: AtomicBool,
}

impl Default for Connection {
    fn default() -> Self {
        Self(Arc::new(ResponseProgress {
            has_responded: AtomicBool::new(false),
            left: AtomicU64::new(UNLIMITED),
            has_early_hints: AtomicBool::new(false),
        }))
    }
}

impl Connection {
    /// Whether a request on this connection got a response.
    pub(super) fn has_responded(&self) -> bool {
        self.0.has_responded.load(Ordering::Relaxed)
    }

    /// Notes that a request on this connection gets its response.
    pub(super) fn note_response(&self) {
        self.0.has_responded.store(true, Ordering::Relaxed);
    }

    /// Closes the connection after `bytes` more bytes.
    pub(super) fn close_after(&self, bytes: u64) {
        self.0.left.store(bytes, Ordering::Relaxed);
    }

    /// Sends informational responses instead of a final one from now on.
    pub(super) fn send_early_hints(&self) {
        self.0.has_early_hints.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, SimulatorListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, SimulatorListener>) -> Self {
        stream.io().connection.clone()
    }
}

/// Accepts connections.
pub(super) struct SimulatorListener(pub(super) TcpListener);

impl Listener for SimulatorListener {
    type Io = LimitedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (LimitedStream, SocketAddr) {
        let (tcp, from) = Listener::accept(&mut self.0).await;
        let connection = Connection::default();
        let stream = LimitedStream {
            tcp,
            connection,
            early_hints: 0,
        };
        (stream, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection's stream, which stops after a number of bytes.
pub(super) struct LimitedStream {
    tcp: TcpStream,
    connection: Connection,
    /// The bytes of informational responses so far.
    early_hints: u64,
}

impl LimitedStream {
    /// Writes informational responses until the client closes the connection, or has too many.
    fn poll_early_hints(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while self.early_hints < MOST_EARLY_HINTS {
            let at = usize::try_from(self.early_hints % EARLY_HINTS.len() as u64).unwrap_or(0);
            match Pin::new(&mut self.tcp).poll_write(context, &EARLY_HINTS[at..]) {
                Poll::Ready(Ok(written)) if written > 0 => self.early_hints += written as u64,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(_)) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Err(io::Error::other("closed on demand")))
    }
}

impl AsyncRead for LimitedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for LimitedStream {
    /// Fails after the last allowed byte, so that the server drops the connection.
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.connection.0.has_early_hints.load(Ordering::Relaxed) {
            return self.poll_early_hints(context);
        }
        let left = self.connection.0.left.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other("closed on demand")));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let written = Pin::new(&mut self.tcp).poll_write(context, &bytes[..most]);
        if let Poll::Ready(Ok(written)) = written
            && left != UNLIMITED
        {
            let left = left.saturating_sub(written as u64);
            self.connection.0.left.store(left, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
