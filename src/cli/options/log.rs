//! The options of the log. Each command has its own default level.

use clap::builder::EnumValueParser;
use clap::{Args, ValueEnum};

use super::given::{NonEmpty, given};

/// The options of the log, which is on standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Log messages of this level and above: error, warn, info, debug or trace [default: info]
    ///
    /// `error`, `warn`, `info`, `debug` or `trace`
    #[arg(
        long = "log.level",
        env = "TWILIO_EMAIL_LOG_LEVEL",
        value_name = "LEVEL"
    )]
    #[arg(value_parser = given(EnumValueParser::<LogLevel>::new()), hide_env_values = true, hide_possible_values = true)]
    level: Option<NonEmpty<LogLevel>>,

    /// Format of the log: logfmt or json [default: logfmt]
    ///
    /// `logfmt` or `json`, on standard error
    #[arg(
        long = "log.format",
        env = "TWILIO_EMAIL_LOG_FORMAT",
        value_name = "FORMAT"
    )]
    #[arg(value_parser = given(EnumValueParser::<LogFormat>::new()), hide_env_values = true, hide_possible_values = true)]
    format: Option<NonEmpty<LogFormat>>,
}

/// The importance of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogLevel {
    /// A failure that the operator has to fix.
    Error,
    /// Something that the operator should look at.
    Warn,
    /// Events that happen rarely.
    #[default]
    Info,
    /// Each collection.
    Debug,
    /// Each request.
    Trace,
}

/// The format of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Pairs of key=value, as Prometheus' components write.
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

impl LogOptions {
    /// The least important messages to log; `default_level` if the option is not set.
    #[must_use]
    pub fn level_or(&self, default_level: LogLevel) -> LogLevel {
        NonEmpty::value(self.level.as_ref()).unwrap_or(default_level)
    }

    /// The format of messages.
    #[must_use]
    pub fn format(&self) -> LogFormat {
        NonEmpty::value(self.format.as_ref()).unwrap_or_default()
    }
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
