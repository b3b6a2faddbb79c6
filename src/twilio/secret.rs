//! Secrets while the exporter runs: one that came from a file is read again, so that it can be changed without a restart.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use crate::config::{Secret, SecretError, SecretFile};
use crate::ongoing_failure::OngoingFailure;

/// How long a file's content may take to come; it is a few bytes, unless a network file system is gone.
const LIMIT: Duration = Duration::from_secs(1);

/// A name and its secret, as they are now.
#[derive(Debug)]
pub(super) struct Login {
    name: Current,
    secret: Current,
}

/// A name and its secret, as they were at some moment.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) name: SecretString,
    pub(super) secret: SecretString,
}

/// One secret, and how reading it again goes.
#[derive(Debug)]
struct Current {
    account: Arc<str>,
    file: Option<SecretFile>,
    text: Mutex<SecretString>,
    reading: tokio::sync::Mutex<Reading>,
}

#[derive(Debug)]
struct Reading {
    /// What has not ended in time goes on, and nothing is begun beside it: threads that hang must not pile up.
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

impl Login {
    pub(super) fn new(account: &Arc<str>, name: &Secret, secret: &Secret) -> Self {
        Self {
            name: Current::new(account, name),
            secret: Current::new(account, secret),
        }
    }

    /// As they were read last.
    pub(super) fn now(&self) -> Pair {
        Pair {
            name: self.name.text.lock().clone(),
            secret: self.secret.text.lock().clone(),
        }
    }

    /// Reads again what came from files.
    pub(super) async fn refresh(&self) {
        self.name.refresh().await;
        self.secret.refresh().await;
    }

    /// Reads again what came from files, because `refused` was; gives what is there now if that is another.
    pub(super) async fn newer_than(&self, refused: &Pair) -> Option<Pair> {
        self.refresh().await;
        Some(self.now()).filter(|now| !now.is(refused))
    }
}

impl Pair {
    /// Whether both halves are the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        same(&self.name, &other.name) && same(&self.secret, &other.secret)
    }
}

impl Current {
    fn new(account: &Arc<str>, secret: &Secret) -> Self {
        Self {
            account: Arc::clone(account),
            file: secret.file().cloned(),
            text: Mutex::new(secret.text().clone()),
            reading: tokio::sync::Mutex::new(Reading {
                under_way: None,
                failure: OngoingFailure::new(),
            }),
        }
    }

    /// Takes what the file holds now. While there is no secret in it, the one read last stays.
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

    /// Whether `text` is another one.
    fn replace(&self, text: SecretString) -> bool {
        let mut now = self.text.lock();
        let other = !same(&now, &text);
        *now = text;
        other
    }
}

impl Reading {
    /// What is in the file, read aside: a file system may keep a thread for as long as it likes.
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
