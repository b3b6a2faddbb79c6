//! Certificate authorities from a file, in place of the operating system's.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The only authorities that a client trusts.
#[derive(Clone)]
pub(crate) struct Authorities(Arc<RootCertStore>);

/// Why a text holds no authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthoritiesError {
    /// No certificate in PEM.
    None,
    /// A certificate cannot be read.
    Invalid,
}

impl Authorities {
    /// Reads certificates in PEM.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, AuthoritiesError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let added = certificate.map(|certificate| roots.add(certificate));
            if !matches!(added, Ok(Ok(()))) {
                return Err(AuthoritiesError::Invalid);
            }
        }
        if roots.is_empty() {
            return Err(AuthoritiesError::None);
        }
        Ok(Self(Arc::new(roots)))
    }

    /// For a client's configuration.
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}
