//! The HTTP client of one URL: whom it trusts, what it shows, and where it really goes.
//!
//! reqwest has one set of authorities, one name and one certificate per client but no `server_name` apart from the URL's host, and
//! its errors name files. Prometheus' `tls_config` needs both, so this builds rustls' configuration itself.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::ClientBuilder;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use url::{Host, Url};

use super::error::SourceError;
use crate::config::{OperationUrl, Tls};
use crate::http;

/// What TLS is set up from, in PEM.
pub(super) struct Material<'c> {
    pub(super) authorities: Option<&'c [u8]>,
    /// A certificate and its key.
    pub(super) client: Option<(&'c [u8], &'c [u8])>,
}

/// A client for `url`. With `server_name` it must be asked for that host, and goes where the URL says all the same; so the
/// name is the one of the handshake and of the certificate, as in Prometheus.
pub(super) fn client(
    url: &OperationUrl,
    material: &Material<'_>,
) -> Result<http::HttpClient, SourceError> {
    let to = &url.url.0;
    let mut tls = tls(&url.tls, material, to.scheme())?;
    // HTTP/2 has no `Host` beside the name in the URL.
    let renamed = renames(url);
    tls.alpn_protocols = if renamed {
        vec![b"http/1.1".to_vec()]
    } else {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    };
    let elsewhere = renamed.then(|| Arc::new(Elsewhere(host_of(to))));
    let adjust = move |builder: ClientBuilder| match &elsewhere {
        Some(elsewhere) => builder.dns_resolver(Arc::clone(elsewhere)),
        None => builder,
    };
    http::HttpClient::new(tls, adjust)
        .map_err(|_| SourceError::Tls("the HTTP client cannot be set up".to_owned()))
}

/// Whether the server is called by another name than the URL's.
pub(super) fn renames(url: &OperationUrl) -> bool {
    url.tls.server_name.is_some() && url.url.0.scheme() == "https"
}

fn tls(settings: &Tls, material: &Material<'_>, scheme: &str) -> Result<ClientConfig, SourceError> {
    let words = |error: rustls::Error| SourceError::Tls(http::tls_words(&error));
    let builder = trusting(settings, material, scheme)?;
    let Some((certificate, key)) = material.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates("cert_file", certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| SourceError::Settings("key_file: no private key in PEM".to_owned()))?;
    builder.with_client_auth_cert(chain, key).map_err(words)
}

fn trusting(
    settings: &Tls,
    material: &Material<'_>,
    scheme: &str,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, SourceError> {
    let words = |error: rustls::Error| SourceError::Tls(http::tls_words(&error));
    let builder = http::tls().map_err(words)?;
    if settings.insecure_skip_verify {
        let anybody = Arc::new(Anybody(http::provider()));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(anybody));
    }
    let Some(authorities) = material.authorities else {
        return http::system_roots(builder, scheme).map_err(words);
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca_file", authorities)? {
        let added = roots.add(certificate);
        added.map_err(|_| SourceError::Settings("ca_file: a certificate cannot be read".into()))?;
    }
    Ok(builder.with_root_certificates(roots))
}

/// At least one.
fn certificates(key: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.unwrap_or_default();
    if found.is_empty() {
        return Err(SourceError::Settings(format!(
            "{key}: no certificates in PEM"
        )));
    }
    Ok(found)
}

/// What `lookup_host` takes: an address without the brackets of a URL.
fn host_of(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// Leads to one host, whatever name is asked for.
struct Elsewhere(String);

impl Resolve for Elsewhere {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Believes whoever answers: `insecure_skip_verify`.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
