//! Certificates and keys in PEM, from a file or inline. Errors name the place and repeat nothing of the content.

use std::str;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::zeroize::Zeroizing;

use super::reading::{Reading, text};
use crate::document::Findings;
use crate::document::walk::Mapping;

/// The largest file of certificates or keys. The authorities of an operating system have 250 KB.
const LARGEST: u64 = 1024 * 1024;

/// A PEM text and the key of the web configuration that it comes from.
pub(super) struct Pem {
    pub(super) place: String,
    content: Zeroizing<Vec<u8>>,
}

/// The keys of one PEM text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) file: &'static str,
    pub(super) inline: &'static str,
}

/// What `section` has under one of two keys.
pub(super) enum Given {
    Nothing,
    /// A problem was reported.
    Unreadable,
    Text(Pem),
}

impl Given {
    pub(super) const fn is_given(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    pub(super) fn text(self) -> Option<Pem> {
        match self {
            Self::Text(pem) => Some(pem),
            Self::Nothing | Self::Unreadable => None,
        }
    }
}

/// Reads the file of one key, or the text of the other one. The file has priority, as in the exporter-toolkit.
pub(super) fn read(
    section: &mut Mapping<'_>,
    keys: Keys,
    reading: &mut Reading<'_>,
    findings: &mut Findings,
) -> Given {
    let is_wrong = findings.problems.len();
    let path = text(section, keys.file, findings);
    let inline = text(section, keys.inline, findings);
    if findings.problems.len() > is_wrong {
        return Given::Unreadable;
    }
    if let Some(path) = path {
        let place = section.place_of(keys.file);
        if inline.is_some() {
            let message = format!("without effect, because {} is given too", keys.file);
            findings.notice(&section.place_of(keys.inline), message);
        }
        let path = reading.directory.join(path);
        return match reading.files.read(&path, LARGEST) {
            Ok(content) => Given::Text(Pem {
                place,
                content: content.as_bytes().to_vec().into(),
            }),
            Err(error) => {
                let path = path.display();
                findings.problem(&place, format_args!("cannot read {path}: {error}"));
                Given::Unreadable
            }
        };
    }
    match inline {
        Some(text) => Given::Text(Pem {
            place: section.place_of(keys.inline),
            content: text.as_bytes().to_vec().into(),
        }),
        None => Given::Nothing,
    }
}

impl Pem {
    /// At least one certificate.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.content).collect();
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            Ok(_) if self.has("PRIVATE KEY-----") => {
                Err("holds a key and no certificate; perhaps two files are mixed up".to_owned())
            }
            Ok(_) => Err("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned()),
            Err(_) => Err("is no valid PEM; perhaps it was cut off".to_owned()),
        }
    }

    /// The first private key.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        PrivateKeyDer::from_pem_slice(&self.content).map_err(|_| {
            let why = if self.has("BEGIN ENCRYPTED PRIVATE KEY") || self.has("4,ENCRYPTED") {
                "holds an encrypted key, which the exporter cannot decrypt. Decrypt it with `openssl pkey -in … -out …`"
            } else if self.has("-----BEGIN CERTIFICATE-----") {
                "holds a certificate and no key; perhaps two files are mixed up"
            } else {
                "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"
            };
            why.to_owned()
        })
    }

    fn has(&self, words: &str) -> bool {
        str::from_utf8(&self.content).is_ok_and(|text| text.contains(words))
    }
}
