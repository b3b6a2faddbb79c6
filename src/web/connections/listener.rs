//! Where connections come from.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections of one kind.
pub trait Listener: Send + 'static {
    /// What is read from and written to.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Io>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = Self::accept(self).await?;
        // An answer is written at once, so waiting for more to send with it gains nothing. Without it all works as well.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}
