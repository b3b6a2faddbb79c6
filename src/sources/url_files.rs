//! What the configuration names for a URL and keeps in files: secrets, authorities, certificates. Read for each request, so
//! that a rotation needs no restart.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::error::SourceError;
use crate::config::{self, Form, OperationUrl, UrlLogin};

/// The largest file of certificates: the authorities of a whole operating system are a quarter of it.
const LARGEST: u64 = 1024 * 1024;

/// Everything that stands in files, as it is now.
pub(super) struct UrlFiles {
    /// The value of `Authorization`.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) material: Material,
}

/// What TLS is set up from, in PEM.
#[derive(PartialEq, Eq)]
pub(super) struct Material {
    pub(super) authorities: Option<Vec<u8>>,
    /// A certificate and its key.
    pub(super) client: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
}

impl UrlFiles {
    /// Reads the files that `url` names.
    pub(super) fn read(url: &OperationUrl) -> Result<Self, SourceError> {
        let authorization = url.login.as_ref().map(authorization).transpose()?;
        let tls = &url.tls;
        let authorities = tls.ca_file.as_deref();
        let authorities = authorities
            .map(|path| content("ca_file", path))
            .transpose()?;
        let client = match &tls.client {
            Some((certificate, key)) => Some((
                content("cert_file", certificate)?,
                Zeroizing::new(content("key_file", key)?),
            )),
            None => None,
        };
        Ok(Self {
            authorization,
            material: Material {
                authorities,
                client,
            },
        })
    }
}

impl Hash for Material {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.authorities.hash(state);
        let client = self.client.as_ref();
        client
            .map(|(certificate, key)| (certificate, &**key))
            .hash(state);
    }
}

/// Marked as sensitive, so that nobody shows it by accident.
fn authorization(login: &UrlLogin) -> Result<HeaderValue, SourceError> {
    let (key, text) = match login {
        UrlLogin::Basic {
            username,
            password_file,
        } => {
            let password = secret("password_file", password_file, Form::Password)?;
            let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
            (
                "password_file",
                format!("Basic {}", STANDARD.encode(&*pair)),
            )
        }
        UrlLogin::Authorization {
            scheme,
            credentials_file,
        } => {
            let credentials = secret("credentials_file", credentials_file, Form::Credentials)?;
            let text = format!("{scheme} {}", credentials.expose_secret());
            ("credentials_file", text)
        }
    };
    let text = Zeroizing::new(text);
    let mut value = HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| SourceError::Settings(format!("{key}: it cannot stand in a header")))?;
    value.set_sensitive(true);
    Ok(value)
}

fn secret(key: &str, path: &Path, form: Form) -> Result<secrecy::SecretString, SourceError> {
    config::read_secret(path, form)
        .map_err(|error| SourceError::Settings(format!("{key}: {error}")))
}

fn content(key: &str, path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut content = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut content))
        .and_then(|length| match length as u64 {
            0..=LARGEST => Ok(()),
            _ => Err(io::Error::other("it is larger than 1 MiB")),
        });
    let wrong = |error| format!("{key}: cannot read {}: {error}", path.display());
    read.map_err(|error| SourceError::Settings(wrong(error)))?;
    Ok(content)
}
