//! Verifies the certificates of clients, as Go does for each `client_auth_type`. Every client has to prove that it has the key of its
//! certificate, even if the certificate itself is not verified.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::certificate::{Certificate, SubjectName, Validity};
use crate::http::Signatures;
use crate::timestamp::Timestamp;

/// Whether a client needs a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Optional,
    Required,
}

/// Which certificates are accepted.
#[derive(Debug)]
pub(super) enum Trust {
    /// All, even expired ones.
    Any,
    /// Those of the authorities.
    Authorities {
        verifier: Arc<dyn ClientCertVerifier>,
        certificates: Vec<CertificateDer<'static>>,
    },
}

/// What clients must present.
#[derive(Debug)]
pub(super) struct Verifier {
    presence: Presence,
    trust: Trust,
    allowed: Option<Vec<SubjectName>>,
    signatures: Signatures,
}

impl Verifier {
    /// With `allowed`, a certificate needs one of these names.
    pub(super) fn new(
        presence: Presence,
        trust: Trust,
        allowed: Option<Vec<SubjectName>>,
        provider: &CryptoProvider,
    ) -> Self {
        Self {
            presence,
            trust,
            allowed,
            signatures: Signatures::of(provider),
        }
    }

    fn check_names(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let Some(allowed) = &self.allowed else {
            return Ok(());
        };
        let certificate = Certificate::parse(certificate).ok_or(CertificateError::BadEncoding)?;
        if certificate
            .names()
            .iter()
            .any(|name| allowed.contains(name))
        {
            Ok(())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }
}

/// Whether `certificate` is itself one of `authorities` and valid. Go accepts a client that presents the authority's own certificate,
/// as with a self-signed certificate that is in `client_ca_file`. webpki refuses every authority as a client.
fn is_valid_authority(
    certificate: &CertificateDer<'_>,
    authorities: &[CertificateDer<'_>],
    now: UnixTime,
) -> bool {
    let now = i64::try_from(now.as_secs().saturating_mul(1000)).unwrap_or(i64::MAX);
    authorities.contains(certificate)
        && Certificate::parse(certificate).is_some_and(|parsed| {
            parsed.validity_at(Timestamp::from_millis(now)) == Validity::Valid
        })
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.presence == Presence::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        match &self.trust {
            Trust::Any => &[],
            Trust::Authorities { verifier, .. } => verifier.root_hint_subjects(),
        }
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Trust::Authorities {
            verifier,
            certificates,
        } = &self.trust
        {
            let verified = verifier.verify_client_cert(end_entity, intermediates, now);
            if verified.is_err() && !is_valid_authority(end_entity, certificates, now) {
                return verified;
            }
        }
        self.check_names(end_entity)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_1_2(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_1_3(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.schemes()
    }
}
