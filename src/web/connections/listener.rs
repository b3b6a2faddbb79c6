//! Listeners of all kinds behind one trait, so that the same code serves TCP, unix sockets and the pipes of tests.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::client::ClientAddress;

/// The stream of a connection.
pub trait ClientStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ClientStream for S {}

/// A connection that was accepted.
pub struct Accepted {
    /// The client's bytes.
    pub stream: Box<dyn ClientStream>,
    /// Where the client connects from.
    pub address: ClientAddress,
}

/// Accepts connections.
pub trait Listener: Send {
    /// Accepts the next connection. Only the last task that called it is notified.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>>;
}

impl Listener for TcpListener {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let (stream, address) = ready!(Self::poll_accept(self, context))?;
        // A response is written in one go, so Nagle's algorithm only delays it. An error here has no consequence.
        let _ = stream.set_nodelay(true);
        Poll::Ready(Ok(Accepted {
            stream: Box::new(stream),
            address: ClientAddress::tcp(address),
        }))
    }
}
