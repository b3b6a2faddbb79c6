//! Builds the HTTP client for Twilio, and converts its failures to [`ApiError`]s.

use std::time::Duration;

use reqwest::{ClientBuilder, NoProxy, Proxy};
use url::Url;

use super::error::ApiError;
use crate::config::{self, Network};
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
pub(super) fn client(base: &Url, network: &Network) -> Result<http::HttpClient, TransportError> {
    let builder = http::tls()?;
    let mut tls = match &network.authorities {
        Some(authorities) => builder.with_root_certificates(authorities.roots()),
        None => http::system_roots(builder, base.scheme())?,
    }
    .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let proxies = network
        .proxy
        .as_ref()
        .map_or_else(|| Ok(Vec::new()), proxies)?;
    let through_proxies =
        move |builder: ClientBuilder| proxies.iter().cloned().fold(builder, ClientBuilder::proxy);
    Ok(http::HttpClient::new(tls, through_proxies)?)
}

fn proxies(settings: &config::Proxy) -> Result<Vec<Proxy>, reqwest::Error> {
    let no_proxy = NoProxy::from_string(&settings.no_proxy);
    let http = settings.http.iter().map(|url| Proxy::http(url.0.clone()));
    let https = settings.https.iter().map(|url| Proxy::https(url.0.clone()));
    http.chain(https)
        .map(|proxy| Ok(proxy?.no_proxy(no_proxy.clone())))
        .collect()
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
