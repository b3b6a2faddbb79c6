//! The options of the exporter, each with its environment variable; what they mean is `config`'s to say.
//!
//! An option that the file knows too has no default here, or its default would win over the file: the help names it, and a
//! test holds it to what `config` says. An empty variable counts as unset, as compose files leave one out.

mod given;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::builder::{
    BoolValueParser, EnumValueParser, PathBufValueParser, RangedU64ValueParser, StringValueParser,
};
use clap::{Args, ValueEnum, value_parser};

use self::given::{Given, given, values};
use crate::config::{DEFAULT_BASE_URL, ListenAddress, Overrides, parse_duration};
use crate::operation::OperationId;

/// What `--help` says at its end about what is no option.
pub const CREDENTIALS_HELP: &str = "\
Credentials (never options: those stand in the process list):
  TWILIO_API_KEY and TWILIO_API_SECRET       an API key's SID and its secret, or
  TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN   the account's SID and its auth token
  Each may name a file instead: TWILIO_API_SECRET_FILE, TWILIO_AUTH_TOKEN_FILE, …
  With --config.file, the accounts of the file bring their own.";

/// Options of everything that reads from Twilio: which account, which operations, what is served and kept.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// YAML file with accounts and their operations [default: none, one account from the environment]
    #[arg(
        long = "config.file",
        env = "TWILIO_EMAIL_CONFIG_FILE",
        value_name = "FILE"
    )]
    #[arg(value_parser = given(PathBufValueParser::new()), hide_env_values = true)]
    config_file: Option<Given<PathBuf>>,

    // Not as a comment: rustdoc would want the address as a link.
    #[arg(
        long = "twilio.base-url",
        help = format!("Where Twilio's API is, for accounts that do not say it [default: {DEFAULT_BASE_URL}]"),
        env = "TWILIO_EMAIL_BASE_URL",
        value_name = "URL"
    )]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true, help_heading = TWILIO)]
    base_url: Option<Given<String>>,

    /// An operation to watch always; may be repeated, the variable takes a comma-separated list
    #[arg(long = "operation", env = "TWILIO_EMAIL_OPERATIONS", value_name = "ID")]
    #[arg(value_delimiter = ',', value_parser = given(|text: &str| text.trim().parse::<OperationId>()))]
    #[arg(hide_env_values = true, help_heading = TWILIO)]
    operations: Vec<Given<OperationId>>,

    /// Find operations through Twilio's list of them [default: true]
    #[arg(long, env = "TWILIO_EMAIL_DISCOVERY", value_name = "BOOL")]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, help_heading = TWILIO)]
    discovery: Option<Given<bool>>,

    /// Read single emails, too; not part of this version [default: false]
    #[arg(
        long = "collector.emails",
        env = "TWILIO_EMAIL_COLLECTOR_EMAILS",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, help_heading = TWILIO)]
    emails_collector: Option<Given<bool>>,

    /// The most operations with series of their own; 0: only configured ones [default: 1000]
    #[arg(
        long = "series.max-operations",
        env = "TWILIO_EMAIL_SERIES_MAX_OPERATIONS",
        value_name = "N"
    )]
    #[arg(value_parser = given(RangedU64ValueParser::<usize>::new()), hide_env_values = true, help_heading = METRICS)]
    max_operations: Option<Given<usize>>,

    /// Taken off Prometheus' scrape timeout, so that the answer arrives in time [default: 0.5s]
    #[arg(
        long = "scrape.timeout-offset",
        env = "TWILIO_EMAIL_SCRAPE_TIMEOUT_OFFSET",
        value_name = "DURATION"
    )]
    #[arg(value_parser = given(parse_duration), hide_env_values = true, help_heading = METRICS)]
    timeout_offset: Option<Given<Duration>>,

    /// Directory for what must survive a restart; "" keeps everything in memory [default: data]
    // Not `Given`: here an empty value means something.
    #[arg(
        long = "storage.path",
        env = "TWILIO_EMAIL_STORAGE_PATH",
        value_name = "DIR"
    )]
    #[arg(value_parser = value_parser!(OsString), hide_env_values = true, help_heading = METRICS)]
    storage_path: Option<OsString>,

    /// Address to listen on; may be repeated, the variable takes a comma-separated list [default: :10202]
    #[arg(
        long = "web.listen-address",
        env = "TWILIO_EMAIL_WEB_LISTEN_ADDRESS",
        value_name = "ADDRESS"
    )]
    #[arg(value_delimiter = ',', value_parser = given(|text: &str| text.trim().parse::<ListenAddress>()))]
    #[arg(hide_env_values = true, help_heading = WEB)]
    listen: Vec<Given<ListenAddress>>,

    /// Path of the metrics [default: /metrics]
    #[arg(
        long = "web.telemetry-path",
        env = "TWILIO_EMAIL_WEB_TELEMETRY_PATH",
        value_name = "PATH"
    )]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true, help_heading = WEB)]
    telemetry_path: Option<Given<String>>,

    /// TLS and authentication of the exporter itself: refused by this version
    #[arg(
        long = "web.config.file",
        env = "TWILIO_EMAIL_WEB_CONFIG_FILE",
        value_name = "FILE"
    )]
    #[arg(value_parser = given(PathBufValueParser::new()), hide = true)]
    web_config_file: Option<Given<PathBuf>>,

    /// Registering operations over HTTP: refused by this version
    #[arg(
        long = "web.enable-api",
        env = "TWILIO_EMAIL_WEB_ENABLE_API",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()), hide = true)]
    enable_api: Option<Given<bool>>,

    /// Reloading over HTTP: refused by this version
    #[arg(
        long = "web.enable-lifecycle",
        env = "TWILIO_EMAIL_WEB_ENABLE_LIFECYCLE",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()), hide = true)]
    enable_lifecycle: Option<Given<bool>>,
}

/// How the exporter tells what it does; always on standard error.
#[derive(Debug, Clone, Args)]
pub struct LogOptions {
    /// Least important messages that are shown [default: info]
    #[arg(
        long = "log.level",
        env = "TWILIO_EMAIL_LOG_LEVEL",
        value_name = "LEVEL"
    )]
    #[arg(value_parser = given(EnumValueParser::<LogLevel>::new()), hide_env_values = true, help_heading = LOG)]
    level: Option<Given<LogLevel>>,

    /// Shape of a line [default: logfmt]
    #[arg(
        long = "log.format",
        env = "TWILIO_EMAIL_LOG_FORMAT",
        value_name = "FORMAT"
    )]
    #[arg(value_parser = given(EnumValueParser::<LogFormat>::new()), hide_env_values = true, help_heading = LOG)]
    format: Option<Given<LogFormat>>,
}

/// How important a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogLevel {
    /// Something failed that needs somebody.
    Error,
    /// Something should be looked at.
    Warn,
    /// What the exporter does, rarely.
    #[default]
    Info,
    /// Each collection.
    Debug,
    /// Each request.
    Trace,
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Pairs of key=value, as Prometheus' components write.
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

const TWILIO: &str = "Twilio";
const METRICS: &str = "Metrics";
const WEB: &str = "Web";
const LOG: &str = "Log";

impl ServeOptions {
    /// What was said, for [`Config::load`](crate::config::Config::load).
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides {
            config_file: Given::value(self.config_file.as_ref()),
            base_url: Given::value(self.base_url.as_ref()),
            operations: values(&self.operations),
            discovery: Given::value(self.discovery.as_ref()),
            emails_collector: Given::value(self.emails_collector.as_ref()),
            storage_path: self.storage_path.as_ref().map(PathBuf::from),
            max_operations: Given::value(self.max_operations.as_ref()),
            listen: values(&self.listen),
            telemetry_path: Given::value(self.telemetry_path.as_ref()),
            timeout_offset: Given::value(self.timeout_offset.as_ref()),
            web_config_file: Given::value(self.web_config_file.as_ref()),
            enable_api: Given::value(self.enable_api.as_ref()),
            enable_lifecycle: Given::value(self.enable_lifecycle.as_ref()),
        }
    }
}

impl LogOptions {
    /// The least important messages that are shown.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        Given::value(self.level.as_ref()).unwrap_or_default()
    }

    /// How they are written.
    #[must_use]
    pub fn format(&self) -> LogFormat {
        Given::value(self.format.as_ref()).unwrap_or_default()
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

/// The revision of the source that this was built from, where the build said it (`TWILIO_EMAIL_REVISION`).
#[must_use]
pub fn revision() -> Option<&'static str> {
    option_env!("TWILIO_EMAIL_REVISION").filter(|revision| !revision.is_empty())
}

/// What `--version` prints after the name: the version, and the revision where the build said it.
#[must_use]
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| match revision() {
        Some(revision) => format!("{} ({revision})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    })
}
