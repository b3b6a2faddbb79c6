//! The parts that all HTTP clients of the exporter share: limits, TLS, and the classification of failures.

mod authorities;
mod body;
mod client;
mod connector;
mod failure;
mod frame_budget;
mod informational;
mod proxies;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod verifier;

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

pub(crate) use authorities::Authorities;
pub(crate) use authorities::AuthoritiesError;
pub(crate) use body::{BodyError, read};
pub(crate) use client::{HttpClient, Response};
pub(crate) use connector::Connections;
pub(crate) use failure::{CONNECTION_REFUSED, NoResponse, UNKNOWN_HOST, tls_words};
pub(crate) use proxies::{Proxies, UnusableProxy};
pub(crate) use request::Request;
pub(crate) use verifier::{CertificateVerifier, Signatures};

/// A TLS configuration with rustls and ring.
pub(crate) fn tls() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()
}

/// The operating system's certificate authorities. Without TLS none are read.
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

/// The provider of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
