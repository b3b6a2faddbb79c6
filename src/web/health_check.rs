//! Checks whether a running exporter on this machine is ready: the client of `/-/ready`, for the health checks of
//! containers.
//!
//! With TLS, it accepts the certificate of the web configuration and no other. So it needs no authority, and a name of the
//! certificate need not be `localhost`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{Request, StatusCode};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::connections::ClientStream;
use crate::config::ListenAddress;
use crate::http::{self, CertificateVerifier};
use crate::web_config::WebConfig;

/// The longest check. An exporter that takes longer for such a simple response is not healthy. The image's `HEALTHCHECK` ends after three
/// seconds, and would not show why.
const LONGEST: Duration = Duration::from_secs(2);
/// The host of the requests. Health endpoints are served for every host.
const NAME: &str = "localhost";

/// Why the exporter is not ready, or cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The port is unknown.
    #[error(
        "port 0 means that the system chose the port. Give --web.listen-address with the port that the exporter's log names"
    )]
    UnknownPort,
    /// The connection failed.
    #[error(
        "cannot connect to {address}: {cause}. Is the exporter running, and is this its --web.listen-address?"
    )]
    Connect {
        /// The address of the exporter.
        address: String,
        /// The system's error.
        cause: io::Error,
    },
    /// The handshake failed, or HTTP did.
    #[error(
        "cannot get a response from {address} with this --web.config.file. Give the options of the running exporter"
    )]
    Response {
        /// The address of the exporter.
        address: String,
    },
    /// There was no response in time.
    #[error("{address} did not respond within {} s", LONGEST.as_secs())]
    Timeout {
        /// The address of the exporter.
        address: String,
    },
    /// The exporter requires a client certificate, which this command does not have.
    #[error(
        "the web configuration requires client certificates, and a health check has none. Check the TCP port instead"
    )]
    ClientCertificate,
    /// The exporter requires a password.
    #[error(
        "the exporter requires a password. Set `health_without_auth: true` in its web configuration"
    )]
    Password,
    /// The exporter is not ready.
    #[error(
        "the exporter at {address} is not ready (HTTP {status}): no collection has finished yet, or it is stopping"
    )]
    NotReady {
        /// The address of the exporter.
        address: String,
        /// The status of the response.
        status: u16,
    },
}

/// Checks whether the exporter that listens on `address` with the web configuration `config` is ready.
///
/// # Errors
/// When it is not ready, or cannot be checked.
pub async fn check_health(address: &ListenAddress, config: &WebConfig) -> Result<(), HealthError> {
    let tls = config.tls.as_ref();
    if tls.is_some_and(|tls| tls.verifies_clients) {
        return Err(HealthError::ClientCertificate);
    }
    let pinned = tls.map(|tls| tls.certificate.clone());
    let check = async {
        let stream = connect(address).await?;
        let status = request(stream, pinned).await.ok_or(HealthError::Response {
            address: address.to_string(),
        })?;
        match status {
            StatusCode::OK => Ok(()),
            StatusCode::UNAUTHORIZED => Err(HealthError::Password),
            status => Err(HealthError::NotReady {
                address: address.to_string(),
                status: status.as_u16(),
            }),
        }
    };
    timeout(LONGEST, check).await.unwrap_or_else(|_| {
        Err(HealthError::Timeout {
            address: address.to_string(),
        })
    })
}

async fn connect(address: &ListenAddress) -> Result<Box<dyn ClientStream>, HealthError> {
    let failed = |cause| HealthError::Connect {
        address: address.to_string(),
        cause,
    };
    let targets: Vec<SocketAddr> = match address {
        ListenAddress::Unix(path) => {
            return match UnixStream::connect(path).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(failed(error)),
            };
        }
        ListenAddress::AllInterfaces(port) => loopback(*port),
        ListenAddress::Socket(socket) if socket.ip().is_unspecified() => loopback(socket.port()),
        ListenAddress::Socket(socket) => vec![*socket],
        ListenAddress::Name { host, port } => {
            let found = lookup_host((host.as_str(), *port)).await;
            found.map_err(failed)?.collect()
        }
    };
    if targets.iter().any(|target| target.port() == 0) {
        return Err(HealthError::UnknownPort);
    }
    match TcpStream::connect(&targets[..]).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(failed(error)),
    }
}

/// This machine's own addresses.
fn loopback(port: u16) -> Vec<SocketAddr> {
    let addresses = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    addresses.map(|ip| SocketAddr::new(ip, port)).to_vec()
}

/// The status of `/-/ready`; `None` without a response.
async fn request(
    stream: Box<dyn ClientStream>,
    pinned: Option<CertificateDer<'static>>,
) -> Option<StatusCode> {
    let stream = match pinned {
        None => stream,
        Some(certificate) => {
            let connector = TlsConnector::from(Arc::new(pinning(certificate)?));
            let name = ServerName::try_from(NAME).ok()?;
            Box::new(connector.connect(name, stream).await.ok()?)
        }
    };
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    let request = Request::get("/-/ready")
        .header(HOST, NAME)
        .body(Body::empty());
    let exchange = async { sender.send_request(request.ok()?).await.ok() };
    let response = tokio::select! {
        response = exchange => response?,
        _ = connection => return None,
    };
    Some(response.status())
}

/// Accepts `certificate` and no other.
fn pinning(certificate: CertificateDer<'static>) -> Option<ClientConfig> {
    let builder = http::tls().ok()?.dangerous();
    let verifier = CertificateVerifier::only(certificate);
    let builder = builder.with_custom_certificate_verifier(verifier);
    Some(builder.with_no_client_auth())
}
