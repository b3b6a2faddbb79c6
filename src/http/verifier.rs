//! Verifiers of TLS. A verifier chooses which certificates it accepts. All of them use [`Signatures`] to prove that the server or
//! client has the key of its certificate.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Verifies the signatures of a handshake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signatures(WebPkiSupportedAlgorithms);

/// Accepts servers by their certificate alone, with any name, authority and validity.
#[derive(Debug)]
pub(crate) struct CertificateVerifier {
    /// `None`: any certificate.
    only: Option<CertificateDer<'static>>,
    signatures: Signatures,
}

impl Signatures {
    /// With the algorithms of `provider`.
    pub(crate) const fn of(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }

    pub(crate) fn verify_1_2(
        self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    pub(crate) fn verify_1_3(
        self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    pub(crate) fn schemes(self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

impl CertificateVerifier {
    /// Accepts every certificate.
    pub(crate) fn any() -> Arc<Self> {
        Self::new(None)
    }

    /// Accepts `certificate` and no other.
    pub(crate) fn only(certificate: CertificateDer<'static>) -> Arc<Self> {
        Self::new(Some(certificate))
    }

    fn new(only: Option<CertificateDer<'static>>) -> Arc<Self> {
        let signatures = Signatures::of(&super::provider());
        Arc::new(Self { only, signatures })
    }
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.only.as_ref().is_none_or(|only| only == presented) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
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
