//! The files that the configuration names for a URL: its secret, and the certificates and keys of its TLS.
//!
//! They are read again before each request, so that a rotation needs no restart. While a rotation is incomplete, the last good
//! header and the last good TLS setup stay in use.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::error::SourceError;
use super::tls::{self, Material};
use crate::config::{OperationUrl, SecretFile, UrlLogin};
use crate::http;
use crate::rotation::{Content, Origin, RotatingFile, RotatingValue};

/// The largest file of certificates, in bytes. The authorities of an operating system need a quarter of it.
const LARGEST: u64 = 1024 * 1024;

/// What requests to one URL need from files.
#[derive(Debug)]
pub(super) struct UrlFiles {
    authorization: Option<RotatingValue<HeaderValue>>,
    client: RotatingValue<Arc<http::HttpClient>>,
}

impl UrlFiles {
    /// The files of `url`, one of the sources of `account`.
    pub(super) fn new(account: &Arc<str>, url: &Arc<OperationUrl>) -> Self {
        let login = url.login.as_ref();
        Self {
            authorization: login.map(|login| authorization(account, login)),
            client: client(account, url),
        }
    }

    /// The value of `Authorization` and the client for the next request.
    pub(super) async fn refreshed(
        &self,
    ) -> Result<(Option<HeaderValue>, Arc<http::HttpClient>), SourceError> {
        let authorization = async {
            match &self.authorization {
                Some(authorization) => authorization.refreshed().await.map(Some),
                None => Ok(None),
            }
        };
        // Both at the same time: each may be on a disk that hangs.
        let (authorization, client) = tokio::join!(authorization, self.client.refreshed());
        let unusable = SourceError::Settings;
        Ok((authorization.map_err(unusable)?, client.map_err(unusable)?))
    }
}

fn authorization(account: &Arc<str>, login: &UrlLogin) -> RotatingValue<HeaderValue> {
    let (key, file) = match login {
        UrlLogin::Basic { password_file, .. } => ("password_file", password_file),
        UrlLogin::Authorization {
            credentials_file, ..
        } => ("credentials_file", credentials_file),
    };
    let first = [file.first().clone()];
    let origin = Origin {
        account: Arc::clone(account),
        place: file.place().to_owned(),
        files: vec![RotatingFile {
            key: Some(key),
            path: file.path().to_owned(),
        }],
        largest: SecretFile::LARGEST,
        parse: {
            let login = login.clone();
            Box::new(move |contents| {
                header(&login, contents).map_err(|error| format!("{key}: {error}"))
            })
        },
    };
    RotatingValue::from_contents(origin, &first)
}

/// The header is sensitive, so that `Debug` does not show it.
fn header(login: &UrlLogin, contents: &[Content]) -> Result<HeaderValue, String> {
    let secret = |file: &SecretFile| {
        let content = contents.first().ok_or("there is no content")?;
        file.parse(content).map_err(|error| error.to_string())
    };
    let text = match login {
        UrlLogin::Basic {
            username,
            password_file,
        } => {
            let password = secret(password_file)?;
            let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
            format!("Basic {}", STANDARD.encode(&*pair))
        }
        UrlLogin::Authorization {
            scheme,
            credentials_file,
        } => format!("{scheme} {}", secret(credentials_file)?.expose_secret()),
    };
    let text = Zeroizing::new(text);
    let mut value = HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| "a header cannot contain it".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The client is the value, not the certificates: only files that belong together build a client.
fn client(account: &Arc<str>, url: &Arc<OperationUrl>) -> RotatingValue<Arc<http::HttpClient>> {
    let has_authorities = url.tls.ca_file.is_some();
    let settings = Arc::clone(url);
    RotatingValue::unread(Origin {
        account: Arc::clone(account),
        place: format!("tls_config of {}", url.source),
        files: tls_files(url),
        largest: LARGEST,
        parse: Box::new(move |contents| {
            let material = material(has_authorities, contents);
            let client = tls::client(&settings, &material);
            client.map(Arc::new).map_err(|error| error.to_string())
        }),
    })
}

/// In the order in which [`material`] reads them.
fn tls_files(url: &OperationUrl) -> Vec<RotatingFile> {
    let file = |key, path: &Path| RotatingFile {
        key: Some(key),
        path: path.to_owned(),
    };
    let mut files = Vec::new();
    if let Some(authorities) = &url.tls.ca_file {
        files.push(file("ca_file", authorities));
    }
    if let Some((certificate, key)) = &url.tls.client {
        files.push(file("cert_file", certificate));
        files.push(file("key_file", key));
    }
    files
}

fn material(has_authorities: bool, contents: &[Content]) -> Material<'_> {
    let (authorities, client) = contents.split_at(usize::from(has_authorities).min(contents.len()));
    Material {
        authorities: authorities.first().map(Content::as_bytes),
        client: match client {
            [certificate, key] => Some((certificate.as_bytes(), key.as_bytes())),
            _ => None,
        },
    }
}
