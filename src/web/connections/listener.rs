//! The trait of listeners, so that tests can use connections in memory instead of TCP.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections.
pub trait Listener: Send + 'static {
    /// A connection's stream.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Io>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = Self::accept(self).await?;
        // A response is written in one go, so Nagle's algorithm only delays it. An error here has no consequence.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}
