//! Checks passwords against bcrypt hashes, which takes milliseconds to seconds of CPU time. Checks run outside the async threads, a
//! bounded number at once, and each password of a user is checked only once.
//!
//! A check takes the same work for an unknown user as for a known one, so the time of a response does not reveal names. Neither a
//! password nor a name is kept: results are cached under a hash whose key is random and never leaves the process.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use ring::hmac;
use ring::rand::SystemRandom;
use secrecy::zeroize::Zeroizing;
use tokio::sync::Semaphore;
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::task::spawn_blocking;

use super::check_queue::{CheckQueue, QueuePlace};
use super::credentials::Credentials;
use super::verdicts::{Key, Verdicts};
use crate::exposition::WebInstruments;
use crate::web_config::{Users, WebConfig};

/// Checks run on at most 1/`PART_OF_CORES` of the cores, so that the exporter still serves scrapes during an attack on passwords.
const PART_OF_CORES: usize = 2;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted {
        may_write: bool,
    },
    Rejected,
    /// Too many checks wait already.
    Busy,
}

/// The system has no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot authenticate clients: the operating system has no random numbers")]
pub struct NoRandomNumbers;

/// Checks passwords, and caches the results.
pub(super) struct Passwords {
    key: hmac::Key,
    results: Arc<Mutex<Results>>,
    queue: CheckQueue,
    computing: Arc<Semaphore>,
    instruments: WebInstruments,
}

#[derive(Debug, Default)]
struct Results {
    verdicts: Verdicts,
    /// The current checks. Requests with the same credentials wait for the same check.
    pending: BTreeMap<Key, Receiver<Option<bool>>>,
}

/// The progress of a check.
enum Progress {
    Known(bool),
    Pending(Receiver<Option<bool>>),
    /// Too many checks wait already.
    QueueFull,
}

/// The check of one password.
struct Check {
    config: Arc<WebConfig>,
    /// The index of the user whose hash is used.
    at: usize,
    name: Box<[u8]>,
    password: Zeroizing<Vec<u8>>,
    key: Key,
}

impl Passwords {
    /// A cache without results.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn new(instruments: WebInstruments) -> Result<Self, NoRandomNumbers> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let key = key.map_err(|_| NoRandomNumbers)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            results: Arc::default(),
            queue: CheckQueue::default(),
            computing: Arc::new(Semaphore::new((cores / PART_OF_CORES).max(1))),
            instruments,
        })
    }

    /// Checks `credentials` of a client at `address`. If the request ends earlier, the check continues and its result is cached: otherwise
    /// a hash that takes longer than a scrape's timeout would never be finished.
    pub(super) async fn check(
        &self,
        config: &Arc<WebConfig>,
        credentials: &Credentials,
        address: Option<IpAddr>,
    ) -> Verdict {
        let name = credentials.name();
        let Some(at) = self.candidate(&config.users, name) else {
            return Verdict::Rejected;
        };
        let key = self.cache_key(&config.users, at, credentials);
        let verdict = |is_accepted| match config.users.get(name) {
            Some(user) if is_accepted => Verdict::Accepted {
                may_write: user.may_write,
            },
            _ => Verdict::Rejected,
        };
        let check = || Check {
            config: Arc::clone(config),
            at,
            name: name.into(),
            password: Zeroizing::new(credentials.password().to_vec()),
            key,
        };
        let mut result = match self.result(name, &key, address, check) {
            Progress::Known(is_accepted) => return verdict(is_accepted),
            Progress::Pending(result) => result,
            Progress::QueueFull => return Verdict::Busy,
        };
        // Without a result, the check panicked.
        let result = result.wait_for(Option::is_some).await;
        result.map_or(Verdict::Busy, |result| verdict(*result == Some(true)))
    }

    /// The result of a check, or the check in progress. Begins one if there is neither.
    fn result(
        &self,
        name: &[u8],
        key: &Key,
        address: Option<IpAddr>,
        check: impl FnOnce() -> Check,
    ) -> Progress {
        let mut results = self.results.lock();
        if let Some(known) = results.verdicts.get(name, key) {
            return Progress::Known(known);
        }
        if let Some(pending) = results.pending.get(key) {
            return Progress::Pending(pending.clone());
        }
        let Some(place) = self.queue.enter(address) else {
            return Progress::QueueFull;
        };
        let (sender, result) = watch::channel(None);
        results.pending.insert(*key, result.clone());
        self.begin(check(), place, sender);
        Progress::Pending(result)
    }

    /// Checks a password on a task of its own, within the limit of concurrent checks.
    fn begin(&self, check: Check, place: QueuePlace, sender: Sender<Option<bool>>) {
        self.instruments.password_checked();
        let (computing, results) = (Arc::clone(&self.computing), Arc::clone(&self.results));
        tokio::spawn(async move {
            // The semaphore is never closed.
            let permit = computing.acquire_owned().await;
            let (key, name, config) = (check.key, check.name.clone(), Arc::clone(&check.config));
            let result = spawn_blocking(move || check.is_accepted()).await;
            drop((permit, place));
            let mut results = results.lock();
            results.pending.remove(&key);
            match result {
                Ok(true) => results.verdicts.accept(&name, key, &config.users),
                Ok(false) => results.verdicts.reject(key),
                Err(_) => return,
            }
            drop(results);
            // An error means that the clients have disconnected.
            let _ = sender.send(result.ok());
        });
    }

    /// The index of the user `name`. For an unknown name it is always the same other user, whose hash costs the same; the result is not
    /// used. `None` without users.
    fn candidate(&self, users: &Users, name: &[u8]) -> Option<usize> {
        let known = users
            .all()
            .iter()
            .position(|user| user.name.as_bytes() == name);
        known.or_else(|| {
            let tag = hmac::sign(&self.key, name);
            let number = tag.as_ref().iter().take(7);
            let number = number.fold(0, |number, byte| number << 8 | usize::from(*byte));
            number.checked_rem(users.all().len())
        })
    }

    /// The key of a result. It contains the user's hash, so a changed password is valid immediately.
    fn cache_key(&self, users: &Users, at: usize, credentials: &Credentials) -> Key {
        let mut context = hmac::Context::with_key(&self.key);
        let hash = users.all()[at].hash.as_bytes();
        for part in [credentials.name(), hash, credentials.password()] {
            context.update(&part.len().to_le_bytes());
            context.update(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.sign().as_ref());
        key
    }
}

impl Check {
    /// Whether the password is right. It takes as long for an unknown user.
    fn is_accepted(&self) -> bool {
        let user = &self.config.users.all()[self.at];
        let matches = user.hash.matches(&self.password);
        matches && user.name.as_bytes() == &*self.name
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}
