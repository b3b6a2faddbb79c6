//! The HTTP client of one URL: the authorities that it trusts, its certificate, and the host that it connects to.
//!
//! Prometheus' `tls_config` has a `server_name` that may differ from the URL's host.

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder};
use url::{Host, Url};

use super::error::SourceError;
use crate::config::{OperationUrl, Tls};
use crate::http::{self, AuthoritiesError, CertificateVerifier, Connections, Proxies};

/// The PEM texts that TLS is set up from.
pub(super) struct Material<'c> {
    pub(super) authorities: Option<&'c [u8]>,
    /// A certificate and its key.
    pub(super) client: Option<(&'c [u8], &'c [u8])>,
}

/// A client for `url`. With `server_name`, requests name that host, but the client connects to the host of the URL. So the handshake and
/// the certificate use that name, as in Prometheus.
pub(super) fn client(
    url: &OperationUrl,
    material: &Material<'_>,
) -> Result<http::HttpClient, SourceError> {
    let to = &url.url.0;
    let mut tls = tls(&url.tls, material, to.scheme())?;
    // HTTP/2 cannot have a `Host` that differs from the URL.
    let renamed = renames(url);
    tls.alpn_protocols = if renamed {
        vec![b"http/1.1".to_vec()]
    } else {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    };
    Ok(http::HttpClient::new(Connections {
        tls,
        proxies: Proxies::default(),
        host: renamed.then(|| host_of(to)),
    }))
}

/// Whether the server's name differs from the URL's host.
pub(super) fn renames(url: &OperationUrl) -> bool {
    url.tls.server_name.is_some() && url.url.0.scheme() == "https"
}

fn tls(settings: &Tls, material: &Material<'_>, scheme: &str) -> Result<ClientConfig, SourceError> {
    let words = |error: rustls::Error| SourceError::Tls(http::tls_words(&error));
    let builder = trusting(settings, material, scheme)?;
    let Some((certificate, key)) = material.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate)?;
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
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(CertificateVerifier::any()));
    }
    let Some(authorities) = material.authorities else {
        return http::system_roots(builder, scheme).map_err(words);
    };
    let authorities = http::Authorities::from_pem(authorities).map_err(|error| {
        SourceError::Settings(match error {
            AuthoritiesError::None => "ca_file: no certificates in PEM".to_owned(),
            AuthoritiesError::Invalid => "ca_file: a certificate cannot be read".to_owned(),
        })
    })?;
    Ok(builder.with_root_certificates(authorities.roots()))
}

/// The client's certificates in `pem`; none is an error.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.unwrap_or_default();
    if found.is_empty() {
        let message = "cert_file: no certificates in PEM".to_owned();
        return Err(SourceError::Settings(message));
    }
    Ok(found)
}

/// The host for `lookup_host`: an IPv6 address without the brackets of a URL.
fn host_of(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
