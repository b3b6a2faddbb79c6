//! The current web configuration. It is read again when one of its files changes, and at a reload. A new one is applied completely
//! or not at all: while it is wrong, the current one stays.
//!
//! A file that is being written may be incomplete and still be valid, without the users or the client certificates at its end.
//! So a change is applied only when two checks in a row read the same, and a running exporter never turns protection off.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::clock::Clock;
use crate::config::{ConfigError, Problem};
use crate::exposition::WebInstruments;
use crate::ongoing_failure::OngoingFailure;
use crate::reload::ReloadError;
use crate::web_config::{ReadFiles, User, WebConfig, load};

/// The interval at which the files are read again. They have a few KiB, so a check takes far less than a millisecond.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The longest time for reading them. Only a hanging disk or mount takes longer.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// The web configuration in use.
pub struct CurrentWebConfig {
    path: PathBuf,
    clock: Clock,
    instruments: WebInstruments,
    current: Mutex<Arc<WebConfig>>,
    files: tokio::sync::Mutex<Files>,
}

/// The files as they were read last. Locked during a check.
struct Files {
    /// What the current configuration was read from.
    current: Arc<ReadFiles>,
    /// What the last check read, if it differs.
    changed: Option<ReadFiles>,
    /// A read that hangs, until it finishes: another one would hang as well.
    hanging: Option<Read>,
    failure: OngoingFailure<String>,
}

type Read = JoinHandle<Option<Loaded>>;
type Loaded = (Result<WebConfig, ConfigError>, ReadFiles);

/// The cause of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The interval has passed.
    Interval,
    /// A reload was requested.
    Reload,
}

impl CurrentWebConfig {
    /// Reads the web configuration at `path`.
    ///
    /// # Errors
    /// All problems together.
    pub fn open(
        path: &Path,
        clock: Clock,
        instruments: WebInstruments,
    ) -> Result<Self, ConfigError> {
        let (config, files) = load(path, clock.now(), &ReadFiles::default());
        let config = config?;
        log_notices(&config.notices);
        instruments.config_loaded(clock.now());
        Ok(Self {
            path: path.to_owned(),
            clock,
            instruments,
            current: Mutex::new(Arc::new(config)),
            files: tokio::sync::Mutex::new(Files {
                current: Arc::new(files),
                changed: None,
                hanging: None,
                failure: OngoingFailure::new(),
            }),
        })
    }

    /// The current web configuration.
    #[must_use]
    pub fn get(&self) -> Arc<WebConfig> {
        Arc::clone(&self.current.lock())
    }

    /// Applies changes of the files until it is dropped.
    pub async fn watch(&self) {
        let mut checks = interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            checks.tick().await;
            // The error is logged.
            let _ = self.check(Cause::Interval).await;
        }
    }

    /// Reads the files and applies the web configuration in them. Returns its notices.
    ///
    /// # Errors
    /// When it cannot be used. The current one stays then.
    pub async fn reload(&self) -> Result<Vec<Problem>, ReloadError> {
        self.check(Cause::Reload).await
    }

    async fn check(&self, cause: Cause) -> Result<Vec<Problem>, ReloadError> {
        let mut files = self.files.lock().await;
        let read = self.read(&mut files, cause).await;
        let outcome = match read {
            Ok(None) => {
                files.changed = None;
                self.recovered(&mut files);
                return Ok(Vec::new());
            }
            Ok(Some((config, read))) => {
                let is_settled = files
                    .changed
                    .as_ref()
                    .is_some_and(|changed| changed.has_same_content(&read));
                if cause == Cause::Interval && !is_settled {
                    files.changed = Some(read);
                    return Ok(Vec::new());
                }
                config
                    .map_err(ReloadError::Config)
                    .and_then(|config| self.apply(config, read, &mut files))
            }
            Err(error) => Err(error),
        };
        self.report(&outcome, cause, &mut files);
        outcome
    }

    /// Reads the files. `None` if they are those of the current configuration.
    async fn read(&self, files: &mut Files, cause: Cause) -> Result<Option<Loaded>, ReloadError> {
        if let Some(read) = &mut files.hanging
            && read.now_or_never().is_none()
        {
            return Err(ReloadError::Hangs);
        }
        let (path, now, current) = (
            self.path.clone(),
            self.clock.now(),
            Arc::clone(&files.current),
        );
        let read = files.hanging.insert(spawn_blocking(move || {
            (cause == Cause::Reload || current.have_changed()).then(|| load(&path, now, &current))
        }));
        let Ok(read) = timeout(READ_TIMEOUT, read).await else {
            return Err(ReloadError::Hangs);
        };
        files.hanging = None;
        // The text of a panic may quote a file.
        read.map_err(|_| ReloadError::Impossible("reading it was aborted".to_owned()))
    }

    fn apply(
        &self,
        config: WebConfig,
        read: ReadFiles,
        files: &mut Files,
    ) -> Result<Vec<Problem>, ReloadError> {
        let problems = needs_restart(&self.get(), &config);
        if !problems.is_empty() {
            return Err(ReloadError::Config(ConfigError {
                origin: self.path.display().to_string(),
                problems,
            }));
        }
        let notices = config.notices.clone();
        *self.current.lock() = Arc::new(config);
        files.current = Arc::new(read);
        files.changed = None;
        Ok(notices)
    }

    /// Notes that the files are valid again and are those of the current configuration.
    fn recovered(&self, files: &mut Files) {
        if files.failure.recovered() {
            self.instruments.config_loaded(self.clock.now());
            tracing::info!("the file of the web configuration has its current content again");
        }
    }

    /// Logs the outcome and updates the metrics. A failure that lasts is logged when it begins and once an hour.
    fn report(&self, outcome: &Result<Vec<Problem>, ReloadError>, cause: Cause, files: &mut Files) {
        match outcome {
            Ok(notices) => {
                files.failure.recovered();
                self.instruments.config_loaded(self.clock.now());
                tracing::info!("reloaded the web configuration");
                log_notices(notices);
            }
            Err(error) => {
                self.instruments.config_rejected();
                let is_new = files.failure.failed(error.to_string(), Instant::now());
                if is_new || cause == Cause::Reload {
                    log_error(error);
                }
            }
        }
    }
}

/// The changes in `new` that a running exporter does not apply.
fn needs_restart(current: &WebConfig, new: &WebConfig) -> Vec<Problem> {
    let verifies = |config: &WebConfig| config.tls.as_ref().is_some_and(|tls| tls.verifies_clients);
    let limits_names = |config: &WebConfig| {
        config
            .tls
            .as_ref()
            .is_some_and(|tls| tls.limits_client_names)
    };
    let changes = [
        (
            current.tls.is_some() && new.tls.is_none(),
            "tls_server_config",
            "turns TLS off, which a running exporter never does. Restart it to do this",
        ),
        (
            current.tls.is_none() && new.tls.is_some(),
            "tls_server_config",
            "turns TLS on, which a running exporter cannot do. Restart it to do this",
        ),
        (
            new.tls.is_some() && verifies(current) && !verifies(new),
            "tls_server_config.client_auth_type",
            "no longer verifies clients, which a running exporter never applies. Restart it to do this",
        ),
        (
            new.tls.is_some() && limits_names(current) && !limits_names(new),
            "tls_server_config.client_allowed_sans",
            "allows every name of a client's certificate, which a running exporter never applies. Restart it to do this",
        ),
        (
            current
                .users
                .all()
                .iter()
                .any(|user| may_write_now(user, new)),
            "read_only_users",
            "no longer lists a user who may only read, and who could then write; a running exporter never applies that. Restart it to do this",
        ),
        (
            current.rate_limit.is_some() && new.rate_limit.is_none(),
            "rate_limit",
            "is missing, which would turn the limit off; a running exporter never does. Restart it to do this",
        ),
        (
            !current.users.is_empty() && new.users.is_empty(),
            "basic_auth_users",
            "has no users, which would turn authentication off; a running exporter never does. Restart it to do this",
        ),
    ];
    let refused = changes.into_iter().filter(|(refused, ..)| *refused);
    let problem = |(_, place, message): (bool, &str, &str)| Problem {
        place: place.to_owned(),
        message: message.to_owned(),
    };
    refused.map(problem).collect()
}

/// Whether `user` may only read now, but may write with `new`.
fn may_write_now(user: &User, new: &WebConfig) -> bool {
    let after = new.users.get(user.name.as_bytes());
    !user.may_write && after.is_some_and(|user| user.may_write)
}

fn log_error(error: &ReloadError) {
    match error {
        ReloadError::Config(error) => {
            for problem in &error.problems {
                tracing::error!(
                    origin = error.origin,
                    "cannot reload the web configuration: {problem}"
                );
            }
        }
        other => tracing::error!("cannot reload the web configuration: {other}"),
    }
}

fn log_notices(notices: &[Problem]) {
    for notice in notices {
        tracing::warn!(place = %notice.place, "{}", notice.message);
    }
}

impl fmt::Debug for CurrentWebConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentWebConfig")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
