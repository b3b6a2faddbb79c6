//! The section `tls_server_config`. Builds the configuration of rustls when the file is read, to report a certificate and key that do
//! not match, or a list without a usable cipher suite.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys, ServerConfig, SupportedProtocolVersion};

use super::certificate::{Certificate, Validity};
use super::client_auth::{self, Demand};
use super::pem::{self, Given, Keys, Pem};
use super::reading::{Reading, flag};
use super::{cipher_suites, curves, versions};
use crate::document::Findings;
use crate::document::walk::{Mapping, Value};
use crate::http;
use crate::timestamp::Timestamp;

const CERTIFICATE: Keys = Keys {
    file: "cert_file",
    inline: "cert",
};
const KEY: Keys = Keys {
    file: "key_file",
    inline: "key",
};

/// TLS with the certificate, the versions and the client requirements of `tls_server_config`.
#[derive(Debug)]
pub struct Tls {
    /// `alpn_protocols` has the versions of HTTP.
    pub server: Arc<ServerConfig>,
    /// The exporter's own certificate, without the chain of its authority.
    pub certificate: CertificateDer<'static>,
    /// Whether only clients with a certificate of the configured authorities can connect.
    pub verifies_clients: bool,
    /// Whether only clients whose certificate has an allowed name can connect.
    pub limits_client_names: bool,
}

/// `None` if the section does not turn TLS on, or a problem was reported.
pub(super) fn read(
    section: &Value<'_>,
    http_2: bool,
    reading: &mut Reading<'_>,
    findings: &mut Findings,
) -> Option<Tls> {
    let mut section = section.mapping(findings)?;
    let certificate = pem::read(&mut section, CERTIFICATE, reading, findings);
    let key = pem::read(&mut section, KEY, reading, findings);
    let versions = versions::read(&mut section, findings);
    let provider = provider(&mut section, findings);
    let server_order = flag(&mut section, "prefer_server_cipher_suites", findings);
    let clients = client_auth::read(&mut section, &provider, reading, findings);
    let is_on = certificate.is_given() || key.is_given() || clients.is_given;
    if is_on {
        require(&certificate, CERTIFICATE, &section, findings);
        require(&key, KEY, &section, findings);
    } else {
        let message = "without cert_file and key_file the exporter serves plain HTTP, so the section has no effect";
        findings.notice(&section.place, message);
    }
    let place = section.place.clone();
    section.finish(findings);
    let (certificate, key) = (certificate.text(), key.text());
    let identity = certified_key(certificate, key, reading.now, &provider, findings);
    let (identity, versions, demand) = (identity?, versions?, clients.demand?);
    let certificate = identity.cert.first()?.clone();
    let server = server(&provider, &versions, &demand, identity);
    let mut server = findings.take(&place, server)?;
    server.ignore_client_order = server_order.unwrap_or(true);
    if http_2 {
        server.alpn_protocols.push(b"h2".to_vec());
    }
    server.alpn_protocols.push(b"http/1.1".to_vec());
    let asks_for_certificates = matches!(demand, Demand::Certificate { .. });
    if asks_for_certificates {
        // A resumed session would not verify the client's certificate again, although it may have expired.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
    }
    Some(Tls {
        server: Arc::new(server),
        certificate,
        verifies_clients: matches!(demand, Demand::Certificate { verifies: true, .. }),
        limits_client_names: matches!(
            demand,
            Demand::Certificate {
                limits_names: true,
                ..
            }
        ),
    })
}

fn require(given: &Given, keys: Keys, section: &Mapping<'_>, findings: &mut Findings) {
    if !given.is_given() {
        let message = format!(
            "missing; TLS needs a certificate and its key, each as a file or inline (`{}`)",
            keys.inline
        );
        findings.problem(&section.place_of(keys.file), message);
    }
}

/// The cryptography with the chosen cipher suites and groups.
fn provider(section: &mut Mapping<'_>, findings: &mut Findings) -> Arc<CryptoProvider> {
    let mut provider = CryptoProvider::clone(&http::provider());
    let suites = section.take("cipher_suites");
    if let Some(suites) = suites.and_then(|list| cipher_suites::read(&list, findings)) {
        provider.cipher_suites = suites;
    }
    let groups = section.take("curve_preferences");
    if let Some(groups) = groups.and_then(|list| curves::read(&list, findings)) {
        provider.kx_groups = groups;
    }
    Arc::new(provider)
}

fn server(
    provider: &Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    demand: &Demand,
    identity: CertifiedKey,
) -> Result<ServerConfig, String> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(versions)
        .map_err(|_| {
            "no cipher suite of cipher_suites belongs to a version between min_version and max_version. Add one, or remove cipher_suites".to_owned()
        })?;
    let builder = match demand {
        Demand::Nothing => builder.with_no_client_auth(),
        Demand::Certificate { verifier, .. } => {
            builder.with_client_cert_verifier(Arc::clone(verifier))
        }
    };
    Ok(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity))))
}

/// A certificate that is valid at `now`, and its key.
fn certified_key(
    certificate: Option<Pem>,
    key: Option<Pem>,
    now: Timestamp,
    provider: &CryptoProvider,
    findings: &mut Findings,
) -> Option<CertifiedKey> {
    let chain = certificate.and_then(|pem| {
        let chain = findings.take(&pem.place, pem.certificates())?;
        let parsed = chain.first().and_then(Certificate::parse);
        let checked = match parsed.map(|parsed| parsed.validity_at(now)) {
            Some(validity) => check_validity(validity, now),
            None => Err("the first certificate cannot be read".to_owned()),
        };
        findings.take(&pem.place, checked)?;
        Some((chain, pem.place))
    });
    let key = key.and_then(|pem| {
        let key = findings.take(&pem.place, pem.private_key())?;
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|_| {
            "the key is not supported. Expected RSA with 2048 to 8192 bits, ECDSA with P-256 or P-384, or Ed25519"
        });
        Some((findings.take(&pem.place, key)?, pem.place))
    });
    let ((chain, certificate_place), (key, key_place)) = (chain?, key?);
    let identity = CertifiedKey::new(chain, key);
    match identity.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Some(identity),
        Err(Error::InconsistentKeys(_)) => {
            let message = format!(
                "the key does not belong to the certificate of {certificate_place}. Name the key that the certificate was issued for"
            );
            findings.problem(&key_place, message);
            None
        }
        Err(_) => {
            let message =
                "the first certificate cannot be used by rustls, which needs X.509 version 3";
            findings.problem(&certificate_place, message);
            None
        }
    }
}

fn check_validity(validity: Validity, now: Timestamp) -> Result<(), String> {
    match validity {
        Validity::Valid => Ok(()),
        Validity::Expired(at) => Err(format!(
            "the certificate expired at {at} (now it is {now}). Renew it"
        )),
        Validity::NotYet(at) => Err(format!(
            "the certificate is not valid before {at} (now it is {now}). Check the clock of this machine"
        )),
    }
}
