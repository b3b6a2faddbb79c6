//! The TLS handshake of a connection. It runs in the connection's task, so a slow handshake delays no other client.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::client::{ClientAddress, ConnectedClient};
use super::limits::ConnectionLimits;
use super::listener::ClientStream;

/// The name of HTTP/2 in a TLS handshake (RFC 9113, section 3.1).
const ALPN_HTTP_2: &[u8] = b"h2";

/// Provides the TLS configuration of connections.
pub trait TlsSource: Send + Sync {
    /// The current configuration. Called once per connection, because certificates rotate. HTTP/2 is served if
    /// `alpn_protocols` contains `h2` and the client chooses it, HTTP/1.1 otherwise.
    fn config(&self) -> Arc<ServerConfig>;
}

/// An encrypted connection.
pub(super) struct Encrypted {
    pub(super) stream: Box<dyn ClientStream>,
    pub(super) client: ConnectedClient,
    pub(super) http_2: bool,
}

/// Why the handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HandshakeError {
    /// The client disconnected.
    Disconnected,
    /// The client took too long, does not use TLS, or client and exporter do not accept each other.
    Failed,
}

/// Performs the handshake. It has the same limit as the head of a request.
pub(super) async fn handshake(
    stream: impl ClientStream + 'static,
    config: Arc<ServerConfig>,
    address: ClientAddress,
    limits: &ConnectionLimits,
) -> Result<Encrypted, HandshakeError> {
    let handshake = TlsAcceptor::from(config).accept(stream);
    let stream = match timeout(limits.request, handshake).await {
        Ok(Ok(stream)) => stream,
        // The error of rustls. Other errors are about the socket.
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(HandshakeError::Failed);
        }
        Ok(Err(_)) => return Err(HandshakeError::Disconnected),
        Err(_) => return Err(HandshakeError::Failed),
    };
    Ok(encrypted(stream, address))
}

fn encrypted(stream: TlsStream<impl ClientStream + 'static>, address: ClientAddress) -> Encrypted {
    let (_, session) = stream.get_ref();
    let certificates = session.peer_certificates().unwrap_or_default();
    Encrypted {
        client: ConnectedClient {
            address,
            certificates: Some(certificates.into()),
        },
        http_2: session.alpn_protocol() == Some(ALPN_HTTP_2),
        stream: Box::new(stream),
    }
}
