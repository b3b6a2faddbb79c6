//! The HTTP client underneath: TLS, time limits, and what its failures mean.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls_platform_verifier::BuilderVerifierExt;
use url::Url;

use super::error::ApiError;

/// How long a connection may take to come about; what is left of the request's own limit is for the answer.
const CONNECT: Duration = Duration::from_secs(5);
/// Connections rest longer than any usual scrape interval, so that a scrape finds them open.
const IDLE: Duration = Duration::from_secs(150);
/// What Twilio sees of us.
const USER_AGENT: &str = concat!("twilio-email-exporter/", env!("CARGO_PKG_VERSION"));

/// There is no HTTP client to be had.
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

/// A client for one base URL. It never follows a redirect: the credentials are for Twilio alone.
pub(super) fn client(base: &Url) -> Result<reqwest::Client, TransportError> {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .tls_backend_preconfigured(tls(base)?);
    Ok(builder.build()?)
}

/// rustls with ring; the system's certificates, or none at all where the base URL is plain HTTP and they would be read for nothing.
fn tls(base: &Url) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?;
    let mut config = if base.scheme() == "https" {
        builder.with_platform_verifier()?.with_no_client_auth()
    } else {
        builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// What a request that got no answer means. The texts name hosts and system errors, never a URL's query.
pub(super) fn judge(error: &reqwest::Error, limit: Duration) -> ApiError {
    if error.is_timeout() {
        return ApiError::Timeout(limit);
    }
    if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return ApiError::Tls(tls.to_string());
    }
    ApiError::Connect(innermost(error))
}

/// What a body that broke off means.
pub(super) fn judge_body(error: &reqwest::Error) -> ApiError {
    if error.is_timeout() {
        // The limit is the request's; the client fills it in.
        return ApiError::Timeout(Duration::ZERO);
    }
    ApiError::InvalidResponse("it was cut off")
}

/// The error and everything beneath it; `io::Error` hides what it wraps from `source`, so it is opened.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| {
        let cause: &'a (dyn Error + 'static) = *cause;
        match cause.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}

/// The last cause in the chain says what happened ("Connection refused"); those above it only say that something did.
fn innermost(error: &reqwest::Error) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}
