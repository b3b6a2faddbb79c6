//! An open connection to a server: TCP, TLS over it, or TLS through a proxy. With HTTP/2, it is closed when the server sends too many
//! frames without data.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame_budget::FrameBudget;

/// The error of a connection with too many frames. h2 keeps only the kind of an error; no system returns this one for a connection.
pub(super) const TOO_MANY_FRAMES: ErrorKind = ErrorKind::QuotaExceeded;

/// What a connection reads from and writes to.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// An open connection.
pub(super) struct Stream {
    io: Box<dyn Io>,
    /// `None` with HTTP/1.1.
    frames: Option<FrameBudget>,
    /// Whether it leads to a proxy that reads the requests.
    is_proxied: bool,
}

impl Stream {
    /// With HTTP/1.1, to a server or to a proxy that reads the requests.
    pub(super) fn http1(io: Box<dyn Io>, is_proxied: bool) -> Self {
        Self {
            io,
            frames: None,
            is_proxied,
        }
    }

    /// With HTTP/2.
    pub(super) fn http2(io: Box<dyn Io>) -> Self {
        Self {
            io,
            frames: Some(FrameBudget::new(Instant::now())),
            is_proxied: false,
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.is_proxied);
        if self.frames.is_some() {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let within = self.frames.as_mut().is_none_or(|frames| {
            let received = buffer.filled().get(before..).unwrap_or_default();
            frames.accepts(received, Instant::now())
        });
        Poll::Ready(if within {
            Ok(())
        } else {
            Err(TOO_MANY_FRAMES.into())
        })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
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
