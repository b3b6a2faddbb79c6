//! Builds the HTTP client for Twilio, and converts its failures to [`ApiError`]s.

use std::time::Duration;

use url::Url;

use super::error::ApiError;
use crate::config::Network;
use crate::http::{self, Connections, HttpClient, NoResponse, Proxies, UnusableProxy};

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// TLS cannot be set up.
    #[error(
        "cannot set up TLS: {0}. Install the certificate authorities of the operating system (Debian: apt-get install ca-certificates)"
    )]
    Tls(#[from] rustls::Error),
    /// The proxy cannot be used.
    #[error("proxy_url: {0}. Write it percent-encoded")]
    Proxy(#[from] UnusableProxy),
}

/// An HTTP client for one base URL.
pub(super) fn client(base: &Url, network: &Network) -> Result<HttpClient, TransportError> {
    let builder = http::tls()?;
    let mut tls = match &network.authorities {
        Some(authorities) => builder.with_root_certificates(authorities.roots()),
        None => http::system_roots(builder, base.scheme())?,
    }
    .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let proxies = match &network.proxy {
        None => Proxies::default(),
        Some(proxy) => {
            let [http, https] =
                [&proxy.http, &proxy.https].map(|url| url.as_ref().map(|url| &url.0));
            Proxies::new(http, https, &proxy.no_proxy)?
        }
    };
    Ok(HttpClient::new(Connections {
        tls,
        proxies,
        host: None,
    }))
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
