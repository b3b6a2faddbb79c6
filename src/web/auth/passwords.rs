//! Checks passwords against bcrypt hashes, which takes milliseconds to seconds of CPU time: off the async threads, a bounded number at
//! once, and each password of a user only once.
//!
//! A check takes the same work for an unknown user as for a known one, so that nobody finds out names by the time. Neither a password
//! nor a name is kept: results are cached under a hash whose key is random and never leaves the process.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use ring::hmac;
use ring::rand::SystemRandom;
use secrecy::zeroize::Zeroizing;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::credentials::Credentials;
use super::line::Line;
use super::verdicts::{Key, Verdicts};
use crate::exposition::WebInstruments;
use crate::web_config::{Users, WebConfig};

/// Checks run on at most 1/`PART_OF_CORES` of the cores, so that scrapes go on while somebody tries passwords.
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

/// Checks passwords, and remembers the results.
pub(super) struct Passwords {
    key: hmac::Key,
    verdicts: Arc<Mutex<Verdicts>>,
    line: Line,
    computing: Arc<Semaphore>,
    instruments: WebInstruments,
}

impl Passwords {
    /// No results yet.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn new(instruments: WebInstruments) -> Result<Self, NoRandomNumbers> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let key = key.map_err(|_| NoRandomNumbers)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            verdicts: Arc::default(),
            line: Line::default(),
            computing: Arc::new(Semaphore::new((cores / PART_OF_CORES).max(1))),
            instruments,
        })
    }

    /// Checks `credentials` of a client at `address`. If the request ends before, the check goes on and its result is remembered:
    /// otherwise a hash that takes longer than a scrape's timeout would never be done.
    pub(super) async fn check(
        &self,
        config: &Arc<WebConfig>,
        credentials: &Credentials,
        address: Option<IpAddr>,
    ) -> Verdict {
        let name = credentials.name();
        let user = config.users.get(name);
        let Some(at) = self.candidate(&config.users, name) else {
            return Verdict::Rejected;
        };
        let key = self.cache_key(&config.users, at, credentials);
        let verdict = |is_accepted| match user {
            Some(user) if is_accepted => Verdict::Accepted {
                may_write: user.may_write,
            },
            _ => Verdict::Rejected,
        };
        if let Some(known) = self.verdicts.lock().get(name, &key) {
            return verdict(known);
        }
        let Some(place) = self.line.enter(address) else {
            return Verdict::Busy;
        };
        let Ok(permit) = Arc::clone(&self.computing).acquire_owned().await else {
            return Verdict::Busy;
        };
        // Another request may have had the same credentials.
        if let Some(known) = self.verdicts.lock().get(name, &key) {
            return verdict(known);
        }
        self.instruments.password_checked();
        let (config, verdicts) = (Arc::clone(config), Arc::clone(&self.verdicts));
        let is_known = user.is_some();
        let name: Box<[u8]> = name.into();
        let password = Zeroizing::new(credentials.password().to_vec());
        let check = spawn_blocking(move || {
            let matches = config.users.all()[at].hash.matches(&password);
            let is_accepted = matches && is_known;
            let mut verdicts = verdicts.lock();
            if is_accepted {
                verdicts.accept(&name, key, &config.users);
            } else {
                verdicts.reject(key);
            }
            drop((permit, place));
            is_accepted
        });
        verdict(check.await.unwrap_or(false))
    }

    /// The index of the user `name`. For an unknown name, always the same other user, whose hash costs the same; the result is not
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

    /// A new hash of the same user is another key, so a changed password is valid at once.
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

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}
