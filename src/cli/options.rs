//! The options of the exporter, each with its environment variable. `config` interprets them.
//!
//! The first paragraph of an option is its text in `--help`; further ones are its text in `docs/configuration.md`. An option that is also
//! a key of the file has no default here, because a default would override the file: the help names the default, and a test compares it
//! with `config`. An empty variable counts as not set, because compose files set unused variables to an empty text.

mod given;
mod log;
mod number;
mod reference;
#[cfg(test)]
mod tests;
mod web;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{BoolValueParser, PathBufValueParser, StringValueParser};
use clap::{Args, value_parser};

pub use self::log::{LogFormat, LogLevel, LogOptions};
pub use self::reference::{option_table, with_tables};
pub use self::web::{ListenOptions, WebOptions};

use self::given::values;
pub(super) use self::given::{NonEmpty, given};
pub(super) use self::number::whole_number;
use crate::config::{DEFAULT_BASE_URL, MAX_OPERATIONS, Overrides};
use crate::operation::OperationId;

/// The text about credentials at the end of `--help`.
pub const CREDENTIALS_HELP: &str = "\
Credentials (no options, because the process list shows options):
  TWILIO_API_KEY and TWILIO_API_SECRET       an API key's SID and its secret, or
  TWILIO_OAUTH_CLIENT_ID and                 an OAuth client's id and
    TWILIO_OAUTH_CLIENT_SECRET               its secret, or
  TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN   the account's SID and its auth token
  Each can be in a file instead: TWILIO_API_SECRET_FILE, TWILIO_AUTH_TOKEN_FILE, …
  With --config.file, the file has the credentials of its accounts.";

/// The help of `--storage.path` in commands that save nothing by default.
pub(super) const STORAGE_IN_MEMORY_HELP: &str =
    "Directory of the counters and high-water marks [default: none, everything in memory]";

/// The options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// The account and its operations.
    #[command(flatten)]
    pub account: AccountOptions,
    /// The store.
    #[command(flatten)]
    pub storage: StorageOptions,
    /// The series.
    #[command(flatten)]
    pub series: SeriesOptions,
    /// The HTTP server.
    #[command(flatten)]
    pub web: WebOptions,
}

/// The options of the account and its operations.
#[derive(Debug, Clone, Args)]
pub struct AccountOptions {
    /// How requests reach Twilio.
    #[command(flatten)]
    pub connection: ConnectionOptions,

    /// Discover operations by listing them: true or false [default: true]
    ///
    /// find operations by listing them at Twilio, in accounts without a `discovery` of their own; `--discovery` alone means `true`
    #[arg(long, env = "TWILIO_EMAIL_DISCOVERY", value_name = "BOOL")]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true, help_heading = TWILIO)]
    discovery: Option<NonEmpty<bool>>,

    /// An operation that always has series; repeatable, or comma-separated [default: none]
    ///
    /// an operation that the exporter always watches and that always has series; repeatable, comma-separated in the variable; only
    /// with one account
    #[arg(long = "operation", env = "TWILIO_EMAIL_OPERATIONS", value_name = "ID")]
    #[arg(value_delimiter = ',', value_parser = given(|text: &str| text.trim().parse::<OperationId>()))]
    #[arg(hide_env_values = true, help_heading = TWILIO)]
    operations: Vec<NonEmpty<OperationId>>,

    /// Read single emails, too: true or false [default: false]
    ///
    /// read single emails, too: delivery times and outcomes by mailbox provider (see [emails](emails.md)); costs requests
    #[arg(
        long = "collector.emails",
        env = "TWILIO_EMAIL_COLLECTOR_EMAILS",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true, help_heading = TWILIO)]
    emails_collector: Option<NonEmpty<bool>>,
}

/// The options of the accounts and of how their requests reach Twilio.
#[derive(Debug, Clone, Args)]
pub struct ConnectionOptions {
    /// YAML file with accounts and operations [default: none, one account from the environment]
    ///
    /// the YAML file below, at most 1 MiB
    #[arg(
        long = "config.file",
        env = "TWILIO_EMAIL_CONFIG_FILE",
        value_name = "FILE"
    )]
    #[arg(value_parser = given(PathBufValueParser::new()), hide_env_values = true)]
    config_file: Option<NonEmpty<PathBuf>>,

    // Not as a comment: rustdoc would want the address as a link.
    #[arg(
        long = "twilio.base-url",
        help = base_url_help(),
        long_help = base_url_help() + "\n\nURL of Twilio's API, for accounts that have none of their own",
        env = "TWILIO_EMAIL_BASE_URL",
        value_name = "URL"
    )]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true, help_heading = TWILIO)]
    base_url: Option<NonEmpty<String>>,

    /// File with the only certificate authorities to trust, for accounts without a `ca_file` [default: the system's]
    ///
    /// file (PEM) with the only certificate authorities to trust, for accounts that have none of their own; read at the start and at
    /// each reload
    #[arg(
        long = "twilio.ca-file",
        env = "TWILIO_EMAIL_CA_FILE",
        value_name = "FILE"
    )]
    #[arg(value_parser = given(PathBufValueParser::new()), hide_env_values = true, help_heading = TWILIO)]
    ca_file: Option<NonEmpty<PathBuf>>,

    /// Use the proxies that the environment names (`HTTPS_PROXY`): true or false [default: false]
    ///
    /// use the proxies that the variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name, for accounts that have no proxy of their own
    #[arg(
        long = "twilio.proxy-from-environment",
        env = "TWILIO_EMAIL_PROXY_FROM_ENVIRONMENT",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true, help_heading = TWILIO)]
    proxy_from_environment: Option<NonEmpty<bool>>,
}

/// The options of the store.
#[derive(Debug, Clone, Args)]
pub struct StorageOptions {
    /// Directory of the counters and high-water marks; "": everything in memory [default: data]
    ///
    /// directory of the counters and high-water marks that survive a restart (see [storage](storage.md)); `""`:
    /// everything in memory, as in `demo` and `once` unless the option or its variable is set
    // Not `NonEmpty`, because an empty value has a meaning here.
    #[arg(
        long = "storage.path",
        env = "TWILIO_EMAIL_STORAGE_PATH",
        value_name = "DIR"
    )]
    #[arg(value_parser = value_parser!(OsString), hide_env_values = true)]
    storage_path: Option<OsString>,
}

/// The options of series.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = METRICS)]
pub struct SeriesOptions {
    /// The most operations with series of their own; 0: only configured ones [default: 1000]
    ///
    /// the most operations of an account with series of their own, 0 to 1,000,000. Configured ones count toward it, but have series
    /// even beyond it; 0: only those
    #[arg(
        long = "series.max-operations",
        env = "TWILIO_EMAIL_SERIES_MAX_OPERATIONS",
        value_name = "N"
    )]
    #[arg(value_parser = given(whole_number(MAX_OPERATIONS)), hide_env_values = true)]
    max_operations: Option<NonEmpty<usize>>,
}

/// The help of `--twilio.base-url`. It is no comment, because the default is a constant of `config`.
fn base_url_help() -> String {
    format!("Twilio's API, for accounts without a `base_url` [default: {DEFAULT_BASE_URL}]")
}

const TWILIO: &str = "Twilio";
const METRICS: &str = "Metrics";

impl ServeOptions {
    /// The options that were set, for [`Config::load`](crate::config::Config::load).
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
    /// Adds the options that were set.
    pub fn write_to(&self, overrides: &mut Overrides) {
        self.connection.write_to(overrides);
        overrides.discovery = NonEmpty::value(self.discovery.as_ref());
        overrides.operations = values(&self.operations);
        overrides.emails_collector = NonEmpty::value(self.emails_collector.as_ref());
    }
}

impl ConnectionOptions {
    /// Adds the options that were set.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.config_file = NonEmpty::value(self.config_file.as_ref());
        overrides.base_url = NonEmpty::value(self.base_url.as_ref());
        overrides.ca_file = NonEmpty::value(self.ca_file.as_ref());
        overrides.proxy_from_environment = NonEmpty::value(self.proxy_from_environment.as_ref());
    }
}

impl StorageOptions {
    /// Adds the options that were set.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.storage_path = self.storage_path.as_ref().map(PathBuf::from);
    }

    /// Adds the options that were set. Without `--storage.path`, everything is in memory.
    pub fn write_to_or_memory(&self, overrides: &mut Overrides) {
        self.write_to(overrides);
        overrides.storage_path.get_or_insert_default();
    }
}

impl SeriesOptions {
    /// Adds the options that were set.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.max_operations = NonEmpty::value(self.max_operations.as_ref());
    }
}
