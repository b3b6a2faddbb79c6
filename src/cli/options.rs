//! The options of the exporter, each with its environment variable; what they mean is `config`'s to say.
//!
//! The first paragraph of each is its text in `--help`, the others are its text in `docs/configuration.md`, if there are any.
//! An option that the file knows too has no default here, or its default would win over the file: the help names it, and a
//! test holds it to what `config` says. An empty variable counts as unset, as compose files leave one out.

mod given;
mod log;
mod reference;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::builder::{BoolValueParser, PathBufValueParser, RangedU64ValueParser, StringValueParser};
use clap::{Args, value_parser};

pub use self::log::{LogFormat, LogLevel, LogOptions};
pub use self::reference::{option_table, with_tables};

use self::given::{Given, given, values};
use crate::config::{DEFAULT_BASE_URL, ListenAddress, Overrides, parse_duration};
use crate::operation::OperationId;

/// What `--help` says at its end about what is no option.
pub const CREDENTIALS_HELP: &str = "\
Credentials (never options: those stand in the process list):
  TWILIO_API_KEY and TWILIO_API_SECRET       an API key's SID and its secret, or
  TWILIO_OAUTH_CLIENT_ID and                 an OAuth client's id and
    TWILIO_OAUTH_CLIENT_SECRET               its secret, or
  TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN   the account's SID and its auth token
  Each may name a file instead: TWILIO_API_SECRET_FILE, TWILIO_AUTH_TOKEN_FILE, …
  With --config.file, the accounts of the file bring their own.";

/// Options of the exporter: which account, which operations, what is shown and where.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// What is watched.
    #[command(flatten)]
    pub account: AccountOptions,
    /// What is kept.
    #[command(flatten)]
    pub storage: StorageOptions,
    /// What has series.
    #[command(flatten)]
    pub series: SeriesOptions,
    /// Where it is served.
    #[command(flatten)]
    pub web: WebOptions,
}

/// Which account is watched, and how.
#[derive(Debug, Clone, Args)]
pub struct AccountOptions {
    /// YAML file with accounts and operations [default: none, one account from the environment]
    ///
    /// the YAML file below, at most 1 MiB
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
        help = base_url_help(),
        long_help = base_url_help() + "\n\nURL of Twilio's API, for accounts that have none of their own",
        env = "TWILIO_EMAIL_BASE_URL",
        value_name = "URL"
    )]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true, help_heading = TWILIO)]
    base_url: Option<Given<String>>,

    /// Find operations through Twilio's list of them: true or false [default: true]
    ///
    /// find operations through Twilio's list of them, in accounts that do not say it themselves; `--discovery` alone means `true`
    #[arg(long, env = "TWILIO_EMAIL_DISCOVERY", value_name = "BOOL")]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true, help_heading = TWILIO)]
    discovery: Option<Given<bool>>,

    /// An operation to watch always; repeatable, or comma-separated [default: none]
    ///
    /// an operation that is always watched and has series; repeatable, comma-separated in the variable; only with one account
    #[arg(long = "operation", env = "TWILIO_EMAIL_OPERATIONS", value_name = "ID")]
    #[arg(value_delimiter = ',', value_parser = given(|text: &str| text.trim().parse::<OperationId>()))]
    #[arg(hide_env_values = true, help_heading = TWILIO)]
    operations: Vec<Given<OperationId>>,

    /// Read single emails, too; not part of this version [default: false]
    ///
    /// read single emails, too; not part of this version: accepted with a warning
    #[arg(
        long = "collector.emails",
        env = "TWILIO_EMAIL_COLLECTOR_EMAILS",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true, help_heading = TWILIO)]
    emails_collector: Option<Given<bool>>,
}

/// What outlives the process.
#[derive(Debug, Clone, Args)]
pub struct StorageOptions {
    /// Directory for what must survive a restart; "" keeps everything in memory [default: data]
    ///
    /// directory of the counters and figures that survive a restart (see [storage](storage.md)); `""`: everything in memory, as
    /// `demo` and `once` do unless the option or its variable says otherwise
    // Not `Given`: here an empty value means something.
    #[arg(
        long = "storage.path",
        env = "TWILIO_EMAIL_STORAGE_PATH",
        value_name = "DIR"
    )]
    #[arg(value_parser = value_parser!(OsString), hide_env_values = true)]
    storage_path: Option<OsString>,
}

/// Which operations have series.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = METRICS)]
pub struct SeriesOptions {
    /// The most operations with series of their own; 0: only configured ones [default: 1000]
    ///
    /// the most operations with series of their own, 0 to 1,000,000. Configured ones count towards it, but have series even beyond
    /// it; 0: only those
    #[arg(
        long = "series.max-operations",
        env = "TWILIO_EMAIL_SERIES_MAX_OPERATIONS",
        value_name = "N"
    )]
    #[arg(value_parser = given(RangedU64ValueParser::<usize>::new()), hide_env_values = true)]
    max_operations: Option<Given<usize>>,
}

/// What the exporter serves, and where.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = WEB)]
pub struct WebOptions {
    /// Address to listen on; repeatable, or comma-separated [default: :10202]
    ///
    /// where to listen; repeatable, comma-separated in the variable
    #[arg(
        long = "web.listen-address",
        env = "TWILIO_EMAIL_WEB_LISTEN_ADDRESS",
        value_name = "ADDRESS"
    )]
    #[arg(value_delimiter = ',', value_parser = given(|text: &str| text.trim().parse::<ListenAddress>()))]
    #[arg(hide_env_values = true)]
    listen: Vec<Given<ListenAddress>>,

    /// Path of the metrics [default: /metrics]
    ///
    /// path of the metrics; not `/`, nor at or below `/-`, `/probe`, `/sd` or `/api`
    #[arg(
        long = "web.telemetry-path",
        env = "TWILIO_EMAIL_WEB_TELEMETRY_PATH",
        value_name = "PATH"
    )]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true)]
    telemetry_path: Option<Given<String>>,

    /// Taken off Prometheus' scrape timeout, so that the answer arrives in time [default: 0.5s]
    ///
    /// taken off Prometheus' scrape timeout, so that the answer arrives in time
    #[arg(
        long = "scrape.timeout-offset",
        env = "TWILIO_EMAIL_SCRAPE_TIMEOUT_OFFSET",
        value_name = "DURATION"
    )]
    #[arg(value_parser = given(parse_duration), hide_env_values = true)]
    timeout_offset: Option<Given<Duration>>,

    /// TLS and authentication of the exporter itself: refused by this version
    #[arg(
        long = "web.config.file",
        env = "TWILIO_EMAIL_WEB_CONFIG_FILE",
        value_name = "FILE"
    )]
    #[arg(value_parser = given(PathBufValueParser::new()), hide = true)]
    web_config_file: Option<Given<PathBuf>>,

    /// Let senders register operations at /api/v1/operations: true or false [default: false]
    ///
    /// let senders register operations at `/api/v1/operations` (see [the API](api.md))
    #[arg(
        long = "web.enable-api",
        env = "TWILIO_EMAIL_WEB_ENABLE_API",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true)]
    enable_api: Option<Given<bool>>,

    /// Let POST /-/reload load the configuration again, as SIGHUP does: true or false [default: false]
    ///
    /// let `POST /-/reload` load the configuration again (see [Reloading](#reloading))
    #[arg(
        long = "web.enable-lifecycle",
        env = "TWILIO_EMAIL_WEB_ENABLE_LIFECYCLE",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true)]
    enable_lifecycle: Option<Given<bool>>,

    /// The longest time a stop takes (SIGTERM); scrapes under way are answered before [default: 8s]
    ///
    /// the longest time a stop takes, from SIGTERM or SIGINT to the end. Scrapes under way are answered before it ends, with what
    /// is known by then. Keep it below the time after which your platform kills: Docker 10 s, Kubernetes 30 s, systemd 90 s. `0s`
    /// stops at once; at most `1h`
    #[arg(
        long = "shutdown.grace-period",
        env = "TWILIO_EMAIL_SHUTDOWN_GRACE_PERIOD",
        value_name = "DURATION"
    )]
    #[arg(value_parser = given(parse_duration), hide_env_values = true)]
    grace_period: Option<Given<Duration>>,
}

/// Not a comment, because the default is a constant of `config`.
fn base_url_help() -> String {
    format!("Twilio's API, for accounts that do not say it [default: {DEFAULT_BASE_URL}]")
}

const TWILIO: &str = "Twilio";
const METRICS: &str = "Metrics";
const WEB: &str = "Web";

impl ServeOptions {
    /// What was said, for [`Config::load`](crate::config::Config::load).
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let mut overrides = Overrides::default();
        self.account.write_to(&mut overrides);
        self.storage.write_to(&mut overrides);
        self.series.write_to(&mut overrides);
        self.web.write_to(&mut overrides);
        overrides
    }
}

impl AccountOptions {
    /// Adds what was said.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.config_file = Given::value(self.config_file.as_ref());
        overrides.base_url = Given::value(self.base_url.as_ref());
        overrides.discovery = Given::value(self.discovery.as_ref());
        overrides.operations = values(&self.operations);
        overrides.emails_collector = Given::value(self.emails_collector.as_ref());
    }
}

impl StorageOptions {
    /// Adds what was said.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.storage_path = self.storage_path.as_ref().map(PathBuf::from);
    }

    /// Adds what was said; where nothing was, everything is kept in memory.
    pub fn write_to_or_memory(&self, overrides: &mut Overrides) {
        self.write_to(overrides);
        overrides.storage_path.get_or_insert_default();
    }
}

impl SeriesOptions {
    /// Adds what was said.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.max_operations = Given::value(self.max_operations.as_ref());
    }
}

impl WebOptions {
    /// Adds what was said.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.listen = values(&self.listen);
        overrides.telemetry_path = Given::value(self.telemetry_path.as_ref());
        overrides.timeout_offset = Given::value(self.timeout_offset.as_ref());
        overrides.web_config_file = Given::value(self.web_config_file.as_ref());
        overrides.enable_api = Given::value(self.enable_api.as_ref());
        overrides.enable_lifecycle = Given::value(self.enable_lifecycle.as_ref());
        overrides.grace_period = Given::value(self.grace_period.as_ref());
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
