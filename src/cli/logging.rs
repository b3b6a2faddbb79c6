//! Sets up the log: one line per event on stderr, in logfmt (the format of Prometheus' components) or JSON.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::log_line::LogLine;
use super::options::{LogLevel, LogOptions};
use super::output::LogOutput;
use crate::config::Config;

/// The level of libraries' messages: at `debug`, hyper alone logs dozens of lines per request.
const LIBRARIES: LevelFilter = LevelFilter::WARN;

/// Libraries that log a line for each connection that they close: a client could fill the disk. Metrics count these connections.
const LOUD: [&str; 1] = ["h2"];

/// The libraries whose messages contain domains of recipients. The prefix covers all crates of that project.
const SILENT: [&str; 1] = ["hickory"];

/// Starts the log, at `default_level` unless an option sets another level. Call this once.
pub(super) fn start(options: &LogOptions, default_level: LogLevel) {
    let level = LevelFilter::from_level(options.level_or(default_level).into());
    let targets = Targets::new()
        .with_default(LIBRARIES.min(level))
        .with_targets(LOUD.map(|library| (library, LevelFilter::ERROR)))
        .with_targets(SILENT.map(|library| (library, LevelFilter::OFF)))
        .with_target("twilio_email_exporter", level);
    let registry = tracing_subscriber::registry().with(targets);
    let lines = tracing_subscriber::fmt::layer()
        .event_format(LogLine(options.format()))
        .with_writer(LogOutput);
    // Only a second call fails; then the first log stays.
    let _ = registry.with(lines).try_init();
}

/// Logs the notices about a configuration.
pub(super) fn log_notices(config: &Config) {
    for notice in &config.notices {
        tracing::warn!(place = %notice.place, "{}", notice.message);
    }
}
