//! What all HTTP clients of the exporter have in common: their limits, their TLS, and what their failures mean.

mod body;
mod client;
mod failure;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

pub(crate) use body::{BodyError, read};
pub(crate) use client::HttpClient;
pub(crate) use failure::{NoResponse, failure, tls_words};

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
