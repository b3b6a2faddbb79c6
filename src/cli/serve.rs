//! `serve`: the exporter.

use super::exit::Failure;
use super::options::{LogLevel, LogOptions, ServeOptions};
use super::{logging, signals};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;

pub(super) async fn run(options: &ServeOptions, log: &LogOptions) -> Result<(), Failure> {
    logging::start(log, LogLevel::Info);
    let config = Config::load(&options.overrides(), &super::environment)?;
    serve(&config, |_| {}).await
}

/// Serves `config` until a signal; `announce` is told once it listens.
pub(super) async fn serve(config: &Config, announce: impl FnOnce(&App)) -> Result<(), Failure> {
    let stop = signals::stop()?;
    logging::tell_notices(config);
    for account in &config.accounts {
        tracing::info!(
            account = %account.name,
            discovery = account.discovery,
            operations = account.operations.len(),
            base_url = %account.base_url,
            "watching"
        );
    }
    let app = App::bind(config, Clock::System).await?;
    for address in app.addresses() {
        tracing::info!(%address, path = %config.web.telemetry_path, "listening");
    }
    announce(&app);
    app.run(stop).await?;
    tracing::info!("stopped");
    Ok(())
}
