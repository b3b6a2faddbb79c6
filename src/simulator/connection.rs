//! Connections to the simulated API. Faults can close them in the middle of a response, or send no response on them.

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

/// One connection. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<ResponseProgress>);

#[derive(Debug)]
struct ResponseProgress {
    has_responded: AtomicBool,
    /// The number of bytes that the server writes before it closes the connection.
    left: AtomicU64,
}

impl Default for Connection {
    fn default() -> Self {
        Self(Arc::new(ResponseProgress {
            has_responded: AtomicBool::new(false),
            left: AtomicU64::new(UNLIMITED),
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
        (LimitedStream { tcp, connection }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection's stream, which stops after a number of bytes.
pub(super) struct LimitedStream {
    tcp: TcpStream,
    connection: Connection,
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
