//! The keys about client certificates: `client_auth_type`, `client_ca_file`, `client_ca` and `client_allowed_sans`. A combination that
//! accepts more clients than it appears to is a problem.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::certificate::SubjectName;
use super::client_certificates::{Presence, Trust, Verifier};
use super::pem::{self, Given, Keys};
use super::reading::{Reading, text};
use crate::document::Findings;
use crate::document::walk::Mapping;

/// The keys of the authorities.
const AUTHORITIES: Keys = Keys {
    file: "client_ca_file",
    inline: "client_ca",
};

/// The values of `client_auth_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AuthType {
    NoClientCert,
    RequestClientCert,
    RequireAnyClientCert,
    VerifyClientCertIfGiven,
    RequireAndVerifyClientCert,
}

/// What `section` requires of clients, before it is known whether it turns TLS on.
pub(super) struct ClientAuth {
    /// Whether a key that turns TLS on is given.
    pub(super) is_given: bool,
    /// `None` if a problem was reported.
    pub(super) demand: Option<Demand>,
}

/// What clients must present.
pub(super) enum Demand {
    Nothing,
    Certificate {
        verifier: Arc<dyn ClientCertVerifier>,
        /// Whether clients without a certificate of the authorities are refused.
        verifies: bool,
        /// Whether certificates without one of the allowed names are refused.
        limits_names: bool,
    },
}

pub(super) fn read(
    section: &mut Mapping<'_>,
    provider: &Arc<CryptoProvider>,
    reading: &mut Reading<'_>,
    findings: &mut Findings,
) -> ClientAuth {
    let problems = findings.problems.len();
    let auth_type = auth_type(section, findings);
    let authorities = pem::read(section, AUTHORITIES, reading, findings);
    let sans = allowed_sans(section, findings);
    let is_given = authorities.is_given() || section.has("client_auth_type");
    let demand = auth_type
        .and_then(|auth_type| demand(auth_type, authorities, sans, provider, section, findings));
    ClientAuth {
        is_given,
        demand: demand.filter(|_| findings.problems.len() == problems),
    }
}

fn demand(
    auth_type: AuthType,
    authorities: Given,
    sans: Option<Vec<SubjectName>>,
    provider: &Arc<CryptoProvider>,
    section: &Mapping<'_>,
    findings: &mut Findings,
) -> Option<Demand> {
    use AuthType as T;
    if sans.is_some()
        && !matches!(
            auth_type,
            T::RequireAnyClientCert | T::RequireAndVerifyClientCert
        )
    {
        let place = section.place_of("client_allowed_sans");
        let message = "needs client_auth_type RequireAndVerifyClientCert (or RequireAnyClientCert); with other types a client may have no certificate and no names";
        findings.problem(&place, message);
    }
    let presence = match auth_type {
        T::RequestClientCert | T::VerifyClientCertIfGiven => Presence::Optional,
        T::RequireAnyClientCert | T::RequireAndVerifyClientCert => Presence::Required,
        T::NoClientCert => {
            if authorities.is_given() {
                let place = section.place_of("client_auth_type");
                let message = "missing beside client_ca_file or client_ca; write RequireAndVerifyClientCert, or remove the authorities";
                findings.problem(&place, message);
            }
            return Some(Demand::Nothing);
        }
    };
    let verifies = matches!(
        auth_type,
        T::VerifyClientCertIfGiven | T::RequireAndVerifyClientCert
    );
    let trust = if verifies {
        if !authorities.is_given() {
            let place = section.place_of(AUTHORITIES.file);
            let message = "missing; name the authorities of the clients' certificates. Those of the operating system are never used";
            findings.problem(&place, message);
        }
        trusted(authorities, presence, provider, findings)?
    } else {
        // The content is checked, although clients only use it to choose a certificate.
        if let Some(pem) = authorities.text() {
            let certificates = pem.certificates();
            findings.take(&pem.place, certificates);
        }
        Trust::Any
    };
    let limits_names = sans.is_some();
    let verifier = Verifier::new(presence, trust, sans, provider);
    Some(Demand::Certificate {
        verifier: Arc::new(verifier),
        verifies: auth_type == T::RequireAndVerifyClientCert,
        limits_names,
    })
}

fn auth_type(section: &mut Mapping<'_>, findings: &mut Findings) -> Option<AuthType> {
    let problems = findings.problems.len();
    match text(section, "client_auth_type", findings) {
        None if findings.problems.len() > problems => None,
        None | Some("NoClientCert") => Some(AuthType::NoClientCert),
        Some("RequestClientCert") => Some(AuthType::RequestClientCert),
        // The exporter-toolkit accepts this older name too.
        Some("RequireAnyClientCert" | "RequireClientCert") => Some(AuthType::RequireAnyClientCert),
        Some("VerifyClientCertIfGiven") => Some(AuthType::VerifyClientCertIfGiven),
        Some("RequireAndVerifyClientCert") => Some(AuthType::RequireAndVerifyClientCert),
        Some(_) => {
            let place = section.place_of("client_auth_type");
            let message = "expected NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert";
            findings.problem(&place, message);
            None
        }
    }
}

/// `None` if the key is missing.
fn allowed_sans(section: &mut Mapping<'_>, findings: &mut Findings) -> Option<Vec<SubjectName>> {
    let value = section.take("client_allowed_sans")?;
    let names = value.list(findings)?;
    if names.is_empty() {
        let message = "empty, so no client could connect; list the names, or remove the key";
        findings.problem(&value.place, message);
    }
    let names = names.iter().filter_map(|name| name.text(findings));
    Some(names.map(SubjectName::parse).collect())
}

fn trusted(
    authorities: Given,
    presence: Presence,
    provider: &Arc<CryptoProvider>,
    findings: &mut Findings,
) -> Option<Trust> {
    let pem = authorities.text()?;
    let certificates = findings.take(&pem.place, pem.certificates())?;
    let mut roots = RootCertStore::empty();
    for (at, certificate) in certificates.iter().enumerate() {
        if roots.add(certificate.clone()).is_err() {
            let message = format!("certificate {} cannot be used as an authority", at + 1);
            findings.problem(&pem.place, message);
            return None;
        }
    }
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = match presence {
        Presence::Optional => verifier.allow_unauthenticated(),
        Presence::Required => verifier,
    };
    let verifier = verifier
        .build()
        .map_err(|_| "holds no authority that can be used");
    let verifier = findings.take(&pem.place, verifier)?;
    Some(Trust::Authorities {
        verifier,
        certificates: certificates
            .into_iter()
            .map(CertificateDer::into_owned)
            .collect(),
    })
}
