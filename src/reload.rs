//! Reloads the configuration while the exporter runs. A new configuration is applied completely or not at all; after an error the
//! current one stays. Reloads run one at a time, and none blocks an executor thread.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::collector::Collector;
use crate::config::{Config, ConfigError, Problem};
use crate::diagnosis::FailedReload;
use crate::exposition::Instruments;

/// The longest time for reading the configuration and its secrets. These are a few files; only a hanging mount takes longer.
const LOAD_TIMEOUT: Duration = Duration::from_secs(3);

/// Loads the configuration in the same way as at the start.
pub type Load = Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// Loads and applies new configurations, one at a time.
pub struct Reload {
    load: Load,
    collector: Arc<Collector>,
    instruments: Instruments,
    clock: Clock,
    /// The store's directory since the exporter started.
    storage: Option<PathBuf>,
    /// Locked during a reload. Holds a load that hangs, until it finishes, because another load would hang as well.
    hanging_load: Mutex<Option<Loading>>,
    /// The last reload, if it failed.
    failed: parking_lot::Mutex<Option<FailedReload>>,
}

type Loading = JoinHandle<Result<Config, ConfigError>>;

/// Why a reload failed. The current configuration stays active.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The new configuration is wrong; with all its problems.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The new configuration cannot be applied: the machine has no TLS certificates, or the saved state of a new account cannot
    /// be read.
    #[error("the new configuration cannot be applied: {0}")]
    Impossible(String),
    /// A disk or a mount hangs.
    #[error("reading it takes longer than {} s; check the disks or mounts that it and its secrets are on", LOAD_TIMEOUT.as_secs())]
    Hangs,
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

impl Reload {
    /// A reload calls `load`; `config` is the configuration at the start.
    #[must_use]
    pub fn new(
        load: Load,
        config: &Config,
        collector: Arc<Collector>,
        instruments: Instruments,
        clock: Clock,
    ) -> Self {
        Self {
            load,
            collector,
            instruments,
            clock,
            storage: config.storage.path.clone(),
            hanging_load: Mutex::default(),
            failed: parking_lot::Mutex::default(),
        }
    }

    /// The last reload, if it failed.
    #[must_use]
    pub fn failed(&self) -> Option<FailedReload> {
        self.failed.lock().clone()
    }

    /// Loads and applies the configuration. Returns notices for the operator, such as settings that take effect only after a
    /// restart.
    ///
    /// # Errors
    /// When the configuration is wrong or cannot be applied. The current one stays then.
    pub async fn reload(self: &Arc<Self>) -> Result<Vec<Problem>, ReloadError> {
        let this = Arc::clone(self);
        // A task of its own, because the client of `/-/reload` may disconnect. It reads files and maybe the store.
        let task = tokio::spawn(async move {
            let mut hanging_load = this.hanging_load.lock().await;
            let result = match this.load(&mut hanging_load).await {
                Ok(config) => {
                    let here = Arc::clone(&this);
                    let applied = spawn_blocking(move || here.apply(config)).await;
                    applied.unwrap_or_else(|error| Err(stopped(&error)))
                }
                Err(error) => Err(error),
            };
            this.report(&result);
            result
        });
        task.await.unwrap_or_else(|error| Err(stopped(&error)))
    }

    /// Loads the configuration. A load that takes too long is never applied.
    async fn load(self: &Arc<Self>, hanging: &mut Option<Loading>) -> Result<Config, ReloadError> {
        if let Some(load) = hanging
            && load.now_or_never().is_none()
        {
            return Err(ReloadError::Hangs);
        }
        let here = Arc::clone(self);
        let load = hanging.insert(spawn_blocking(move || (here.load)()));
        let Ok(loaded) = timeout(LOAD_TIMEOUT, load).await else {
            return Err(ReloadError::Hangs);
        };
        *hanging = None;
        Ok(loaded.map_err(|error| stopped(&error))??)
    }

    fn apply(&self, config: Config) -> Result<Vec<Problem>, ReloadError> {
        self.collector
            .reload(&config)
            .map_err(|error| ReloadError::Impossible(error.to_string()))?;
        let mut notices = config.notices;
        if config.storage.path != self.storage {
            notices.push(Problem {
                place: "storage.path".to_owned(),
                message: "takes effect after a restart; until then the exporter uses the previous directory"
                    .to_owned(),
            });
        }
        Ok(notices)
    }

    /// Keeps the problems of a failed reload, and the time when reloads began to fail.
    fn note_failure(&self, error: Option<&ReloadError>) {
        let mut failed = self.failed.lock();
        let since = failed.take().map(|before| before.since);
        *failed = error.map(|error| FailedReload {
            problems: problems(error),
            since: since.unwrap_or_else(|| self.clock.now()),
        });
    }

    /// Logs the result and updates the metrics.
    fn report(&self, result: &Result<Vec<Problem>, ReloadError>) {
        self.note_failure(result.as_ref().err());
        match result {
            Ok(notices) => {
                self.instruments.config_loaded(self.clock.now());
                tracing::info!("reloaded the configuration");
                for notice in notices {
                    tracing::warn!("{notice}");
                }
            }
            Err(ReloadError::Config(error)) => {
                self.instruments.config_rejected();
                for problem in &error.problems {
                    tracing::error!(
                        origin = error.origin,
                        "cannot reload the configuration: {problem}"
                    );
                }
            }
            Err(error) => {
                self.instruments.config_rejected();
                tracing::error!("cannot reload the configuration: {error}");
            }
        }
    }
}

fn problems(error: &ReloadError) -> Vec<String> {
    match error {
        ReloadError::Config(error) => error.problems.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    }
}

fn stopped(error: &JoinError) -> ReloadError {
    ReloadError::Impossible(error.to_string())
}
