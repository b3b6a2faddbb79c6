//! A new configuration while the exporter runs: in force as a whole, or not at all.

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
use crate::exposition::Instruments;

/// How long the configuration and the secrets it names may take to be read: a few files, unless a mount's server is gone.
const LIMIT: Duration = Duration::from_secs(3);

/// Loads the configuration again, as it was loaded at the start.
pub type Load = Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// Brings new configurations into force, one after the other.
pub struct Reload {
    load: Load,
    collector: Arc<Collector>,
    instruments: Instruments,
    clock: Clock,
    /// Where state was kept when the exporter started.
    storage: Option<PathBuf>,
    /// Held by the reload under way; with a load that hung, until it ends. Another one would hang beside it.
    turn: Mutex<Option<Loading>>,
}

type Loading = JoinHandle<Result<Config, ConfigError>>;

/// The configuration before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It cannot be used; with every problem.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It cannot be carried out: the machine has no TLS certificates, or what was saved of a new account cannot be read.
    #[error("the new configuration cannot be carried out: {0}")]
    Impossible(String),
    /// The disk, or the server of a mount, does not answer.
    #[error("reading it takes longer than {} s; check the disks or mounts that it and its secrets are on", LIMIT.as_secs())]
    Hangs,
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

impl Reload {
    /// Reloads by `load` what `config` began with.
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
            turn: Mutex::default(),
        }
    }

    /// Loads the configuration and puts it into force. Returns what the operator should know, above all what takes effect
    /// only at the next start.
    ///
    /// # Errors
    /// When there is anything wrong; everything stays as it is then.
    pub async fn reload(self: &Arc<Self>) -> Result<Vec<Problem>, ReloadError> {
        let this = Arc::clone(self);
        // Files are read, and maybe the store; and whoever asked for it may go away meanwhile.
        let task = tokio::spawn(async move {
            let mut turn = this.turn.lock().await;
            let reloaded = match this.read(&mut turn).await {
                Ok(config) => {
                    let here = Arc::clone(&this);
                    let applied = spawn_blocking(move || here.put_into_force(config)).await;
                    applied.unwrap_or_else(|error| Err(stopped(&error)))
                }
                Err(error) => Err(error),
            };
            this.tell(&reloaded);
            reloaded
        });
        task.await.unwrap_or_else(|error| Err(stopped(&error)))
    }

    /// Reads the configuration; one that comes too late is never applied.
    async fn read(self: &Arc<Self>, hanging: &mut Option<Loading>) -> Result<Config, ReloadError> {
        if let Some(load) = hanging
            && load.now_or_never().is_none()
        {
            return Err(ReloadError::Hangs);
        }
        let here = Arc::clone(self);
        let load = hanging.insert(spawn_blocking(move || (here.load)()));
        let Ok(loaded) = timeout(LIMIT, load).await else {
            return Err(ReloadError::Hangs);
        };
        *hanging = None;
        Ok(loaded.map_err(|error| stopped(&error))??)
    }

    fn put_into_force(&self, config: Config) -> Result<Vec<Problem>, ReloadError> {
        self.collector
            .reload(&config)
            .map_err(|error| ReloadError::Impossible(error.to_string()))?;
        let mut notices = config.notices;
        if config.storage.path != self.storage {
            notices.push(Problem {
                place: "storage.path".to_owned(),
                message: "takes effect when the exporter starts the next time; until then state is kept where it was"
                    .to_owned(),
            });
        }
        Ok(notices)
    }

    fn tell(&self, reloaded: &Result<Vec<Problem>, ReloadError>) {
        match reloaded {
            Ok(notices) => {
                self.instruments.config_loaded(self.clock.now());
                tracing::info!("the configuration was loaded again");
                for notice in notices {
                    tracing::warn!("{notice}");
                }
            }
            Err(ReloadError::Config(error)) => {
                self.instruments.config_refused();
                for problem in &error.problems {
                    tracing::error!(
                        origin = error.origin,
                        "the configuration stays as it was: {problem}"
                    );
                }
            }
            Err(error) => {
                self.instruments.config_refused();
                tracing::error!("the configuration stays as it was: {error}");
            }
        }
    }
}

fn stopped(error: &JoinError) -> ReloadError {
    ReloadError::Impossible(error.to_string())
}
