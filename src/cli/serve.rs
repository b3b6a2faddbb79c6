//! `serve`: runs the exporter until SIGTERM or SIGINT.

use super::exit::ProgramError;
use super::options::{LogLevel, LogOptions, ServeOptions};
use super::{environment, logging, signals};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, shown_url};
use crate::reload::Load;
use crate::systemd;

pub(super) async fn run(options: &ServeOptions, log: &LogOptions) -> Result<(), ProgramError> {
    logging::start(log, LogLevel::Info);
    let overrides = options.overrides();
    let config = Config::load(&overrides, &environment::variable)?;
    let load = move || Config::load(&overrides, &environment::variable);
    serve(&config, Some(Box::new(load)), |_| {}).await
}

/// Serves `config` until a signal. A reload calls `load`; `announce` is called once the exporter listens.
pub(super) async fn serve(
    config: &Config,
    load: Option<Load>,
    announce: impl FnOnce(&App),
) -> Result<(), ProgramError> {
    let mut stop = Box::pin(signals::stop()?);
    logging::log_notices(config);
    for account in &config.accounts {
        tracing::info!(
            account = %account.name,
            discovery = account.discovery,
            operations = account.operations.len(),
            base_url = shown_url(&account.base_url, &account.base_url),
            "watching"
        );
    }
    let app = tokio::select! {
        app = App::bind(config, Clock::System, load) => app?,
        // For example, the web configuration is a pipe that no process writes to.
        () = &mut stop => return Ok(()),
    };
    let hang_ups = signals::hang_ups(app.reload(), app.web_config())?;
    for address in app.listening() {
        tracing::info!(%address, path = %config.web.telemetry_path, "listening");
    }
    announce(&app);
    systemd::ready();
    let progress = app.progress();
    let stop = async {
        stop.await;
        systemd::stopping();
    };
    tokio::select! {
        () = app.run(stop) => {}
        () = hang_ups => {}
        () = systemd::watchdog(progress) => {}
    }
    tracing::info!("stopped");
    Ok(())
}
