//! Credentials that can change while the exporter runs. Secrets from files are read again, so a change needs no restart.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use crate::config::{Secret, SecretError, SecretFile};
use crate::ongoing_failure::OngoingFailure;

/// The longest time to read a file. It has a few bytes; only a network file system that hangs takes longer.
const LIMIT: Duration = Duration::from_secs(1);

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

/// One secret, and the state of reading its file.
#[derive(Debug)]
struct LiveSecret {
    account: Arc<str>,
    file: Option<SecretFile>,
    text: Mutex<SecretString>,
    reading: tokio::sync::Mutex<FileRead>,
}

#[derive(Debug)]
struct FileRead {
    /// A read that took too long. It continues, and no other one starts meanwhile, so that hanging threads do not pile up.
    under_way: Option<JoinHandle<Result<Option<SecretString>, SecretError>>>,
    /// What reading it fails with.
    failure: OngoingFailure<String>,
}

/// Why a secret could not be read again.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("nothing came within {} s", LIMIT.as_secs())]
    Timeout,
    #[error("{0}")]
    Thread(#[from] JoinError),
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
            name: self.name.text.lock().clone(),
            secret: self.secret.text.lock().clone(),
        }
    }

    /// Reads the files again.
    pub(super) async fn refresh(&self) {
        self.name.refresh().await;
        self.secret.refresh().await;
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
        same(&self.name, &other.name) && same(&self.secret, &other.secret)
    }
}

impl LiveSecret {
    fn new(account: &Arc<str>, secret: &Secret) -> Self {
        Self {
            account: Arc::clone(account),
            file: secret.file().cloned(),
            text: Mutex::new(secret.text().clone()),
            reading: tokio::sync::Mutex::new(FileRead {
                under_way: None,
                failure: OngoingFailure::new(),
            }),
        }
    }

    /// Reads the file again. The last secret stays while the file holds none.
    async fn refresh(&self) {
        let Some(file) = &self.file else { return };
        let mut reading = self.reading.lock().await;
        let outcome = reading.read(file).await;
        let (account, place) = (&self.account, file.place());
        match outcome {
            Ok(text) => {
                if reading.failure.recovered() {
                    tracing::info!(account = %account, place, "the secret's file can be read again");
                }
                if text.is_some_and(|text| self.replace(text)) {
                    tracing::info!(account = %account, place, "the file holds another secret, which is used from now on");
                }
            }
            Err(error) => {
                let error = error.to_string();
                if reading.failure.failed(error.clone(), Instant::now()) {
                    tracing::warn!(account = %account, place, error, "the file holds no secret; the one read last is used until it does: write the secret into the file and let the exporter read it");
                }
            }
        }
    }

    /// Replaces the secret. Returns whether it differs.
    fn replace(&self, text: SecretString) -> bool {
        let mut now = self.text.lock();
        let other = !same(&now, &text);
        *now = text;
        other
    }
}

impl FileRead {
    /// Reads the file on a thread of its own, because a file system can block for any time.
    async fn read(&mut self, file: &SecretFile) -> Result<Option<SecretString>, ReadError> {
        let task = self.under_way.get_or_insert_with(|| {
            let file = file.clone();
            tokio::task::spawn_blocking(move || file.read_again())
        });
        let Ok(ended) = tokio::time::timeout(LIMIT, task).await else {
            return Err(ReadError::Timeout);
        };
        self.under_way = None;
        Ok(ended??)
    }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
