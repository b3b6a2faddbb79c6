//! What all HTTP clients of the exporter have in common: their manners, their TLS, and what their failures mean.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

/// How long a connection may take to come about; what is left of the request's own limit is for the answer.
const CONNECT: Duration = Duration::from_secs(5);
/// Connections rest longer than any usual scrape interval, so that a scrape finds them open.
const IDLE: Duration = Duration::from_secs(150);
/// What others see of us.
const USER_AGENT: &str = concat!("twilio-email-exporter/", env!("CARGO_PKG_VERSION"));

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Not in time.
    Timeout,
    /// The handshake failed; with the TLS library's words.
    Tls(String),
    /// No connection, or it broke; with the operating system's words.
    Connect(String),
}

/// A client never follows a redirect, because credentials are for one place alone, and uses no proxy that nobody configured.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
}

/// rustls with ring.
pub(crate) fn tls() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()
}

/// The authorities that the operating system trusts, or none at all without TLS, where they would be read for nothing.
pub(crate) fn system_roots(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    scheme: &str,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
    if scheme == "https" {
        builder.with_platform_verifier()
    } else {
        Ok(builder.with_root_certificates(rustls::RootCertStore::empty()))
    }
}

/// Which ciphers there are.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What a request that got no answer means. The texts name hosts and system errors, never a URL's query.
pub(crate) fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Timeout;
    }
    match causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        Some(tls) => Failure::Tls(tls.to_string()),
        None => Failure::Connect(innermost(error)),
    }
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
