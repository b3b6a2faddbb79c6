//! The validity and the names of a certificate, which rustls does not return. The exporter needs them to refuse expired certificates and to
//! check `client_allowed_sans`.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use crate::timestamp::Timestamp;

/// The parts of a certificate.
pub(super) struct Certificate {
    not_before: Timestamp,
    not_after: Timestamp,
    names: Vec<SubjectName>,
}

/// A subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SubjectName {
    /// A DNS name, an email address or a URI.
    Text(String),
    Ip(IpAddr),
}

/// Whether a certificate is valid at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    Valid,
    /// It ended at this time.
    Expired(Timestamp),
    /// It begins at this time.
    NotYet(Timestamp),
}

impl Certificate {
    /// `None` if it is no X.509 certificate. A certificate without names, or with names that cannot be read, has none.
    pub(super) fn parse(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let content = certificate.tbs_certificate();
        let names = content.get_extension::<SubjectAltName>().ok().flatten();
        let names = names.map_or_else(Vec::new, |(_, names)| names.0);
        let validity = content.validity();
        Some(Self {
            not_before: timestamp(validity.not_before),
            not_after: timestamp(validity.not_after),
            names: names.iter().filter_map(SubjectName::of).collect(),
        })
    }

    pub(super) fn validity_at(&self, now: Timestamp) -> Validity {
        if now > self.not_after {
            Validity::Expired(self.not_after)
        } else if now < self.not_before {
            Validity::NotYet(self.not_before)
        } else {
            Validity::Valid
        }
    }

    pub(super) fn names(&self) -> &[SubjectName] {
        &self.names
    }
}

impl SubjectName {
    /// The name in a list of the configuration.
    pub(super) fn parse(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Text(text.to_owned()), Self::Ip)
    }

    fn of(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::DnsName(text)
            | GeneralName::Rfc822Name(text)
            | GeneralName::UniformResourceIdentifier(text) => {
                Some(Self::Text(text.as_str().to_owned()))
            }
            GeneralName::IpAddress(bytes) => {
                let bytes = bytes.as_bytes();
                let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
                let v6 = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
                v4.or_else(|_| v6()).ok().map(Self::Ip)
            }
            _ => None,
        }
    }
}

fn timestamp(time: Time) -> Timestamp {
    let since = time.to_unix_duration().as_millis();
    Timestamp::from_millis(i64::try_from(since).unwrap_or(i64::MAX))
}
