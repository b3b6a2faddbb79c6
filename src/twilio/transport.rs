//! Builds the HTTP client for Twilio, and converts its failures to [`ApiError`]s.

use std::time::Duration;

use url::Url;

use super::error::ApiError;
use crate::http::{self, NoResponse};

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// TLS cannot be set up.
    #[error(
        "cannot set up TLS (are the system's certificates there? Debian: apt-get install ca-certificates): {0}"
    )]
    Tls(#[from] rustls::Error),
    /// The client cannot be built.
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// An HTTP client for one base URL.
pub(super) fn client(base: &Url) -> Result<http::HttpClient, TransportError> {
    let mut tls = http::system_roots(http::tls()?, base.scheme())?.with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(http::HttpClient::new(tls, |builder| builder)?)
}

/// The error of a request that got no response.
pub(super) fn classify(failure: NoResponse, limit: Duration) -> ApiError {
    match failure {
        NoResponse::Timeout => ApiError::Timeout(limit),
        NoResponse::Tls(words) => ApiError::Tls(words),
        NoResponse::Connect(words) => ApiError::Connect(words),
        NoResponse::Protocol(words) => ApiError::Protocol(words),
    }
}
