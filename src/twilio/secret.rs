//! Credentials that rotate while the exporter runs. Secrets from files are read again, so a rotation needs no restart.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::config::{Secret, SecretFile};
use crate::rotation::{Origin, RotatingFile, RotatingValue};

/// The credentials of an account or of an OAuth client. They change with their files.
#[derive(Debug)]
pub(super) struct LiveCredentials {
    name: LiveSecret,
    secret: LiveSecret,
}

/// A name and its secret, as last read.
#[derive(Debug, Clone)]
pub(super) struct CredentialPair {
    pub(super) name: SecretString,
    pub(super) secret: SecretString,
}

/// One secret, and its file if it has one.
#[derive(Debug)]
struct LiveSecret {
    first: SecretString,
    rotating: Option<RotatingValue<SecretString>>,
}

impl LiveCredentials {
    pub(super) fn new(account: &Arc<str>, name: &Secret, secret: &Secret) -> Self {
        Self {
            name: LiveSecret::new(account, name),
            secret: LiveSecret::new(account, secret),
        }
    }

    /// The credentials as they were read last.
    pub(super) fn now(&self) -> CredentialPair {
        CredentialPair {
            name: self.name.now(),
            secret: self.secret.now(),
        }
    }

    /// Reads the files again. Both at the same time: they may be on a disk that hangs.
    pub(super) async fn refresh(&self) {
        tokio::join!(self.name.refresh(), self.secret.refresh());
    }

    /// Reads the files again after `refused` was rejected. Returns the credentials if they differ now.
    pub(super) async fn newer_than(&self, refused: &CredentialPair) -> Option<CredentialPair> {
        self.refresh().await;
        Some(self.now()).filter(|now| !now.is(refused))
    }
}

impl CredentialPair {
    /// Whether both halves are the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        is_same(&self.name, &other.name) && is_same(&self.secret, &other.secret)
    }
}

impl LiveSecret {
    fn new(account: &Arc<str>, secret: &Secret) -> Self {
        Self {
            first: secret.text().clone(),
            rotating: secret.file().map(|file| rotating(account, file)),
        }
    }

    fn now(&self) -> SecretString {
        let current = self.rotating.as_ref().and_then(RotatingValue::current);
        current.unwrap_or_else(|| self.first.clone())
    }

    async fn refresh(&self) {
        if let Some(rotating) = &self.rotating {
            // An error changes nothing and is logged there: the first secret was good when the configuration was loaded.
            let _ = rotating.refreshed().await;
        }
    }
}

fn rotating(account: &Arc<str>, file: &SecretFile) -> RotatingValue<SecretString> {
    let origin = Origin {
        account: Arc::clone(account),
        place: file.place().to_owned(),
        files: vec![RotatingFile {
            key: None,
            path: file.path().to_owned(),
        }],
        largest: SecretFile::LARGEST,
        parse: {
            let file = file.clone();
            Box::new(move |contents| {
                let content = contents.first().ok_or("there is no content")?;
                file.parse(content).map_err(|error| error.to_string())
            })
        },
    };
    RotatingValue::from_contents(origin, &[file.first().clone()])
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
