//! A new configuration while the exporter runs: in force as a whole, or not at all.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::collector::Collector;
use crate::config::{Config, ConfigError, Problem};
use crate::exposition::Instruments;

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
    turn: Mutex<()>,
}

/// The configuration before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It cannot be used; with every problem.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It cannot be carried out: the machine has no TLS certificates, or what was saved of a new account cannot be read.
    #[error("the new configuration cannot be carried out: {0}")]
    Impossible(String),
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
            let _turn = this.turn.lock().await;
            let here = Arc::clone(&this);
            let reloaded = tokio::task::spawn_blocking(move || here.put_into_force()).await;
            let reloaded = reloaded.unwrap_or_else(|error| Err(stopped(&error)));
            this.tell(&reloaded);
            reloaded
        });
        task.await.unwrap_or_else(|error| Err(stopped(&error)))
    }

    fn put_into_force(&self) -> Result<Vec<Problem>, ReloadError> {
        let config = (self.load)()?;
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

fn stopped(error: &tokio::task::JoinError) -> ReloadError {
    ReloadError::Impossible(error.to_string())
}
