//! The configuration: from "as written" (a YAML file, environment variables, the command line) to "as meant".
//!
//! [`Config::load`] gives ready values or every problem there is, each with its place and its cure. Whoever has a
//! [`Config`] checks nothing again. What was said wins in this order: command line, its environment variables, file, default.
//!
//! No secret is ever part of an error, a notice or a `Debug` text, and none is taken from the file itself or an option.

mod account;
mod accounts;
mod base_url;
mod collectors;
mod credentials;
mod duration;
mod environment;
mod file;
mod file_credentials;
mod file_pattern;
mod form;
mod limits;
mod listen_address;
mod oauth;
mod operation_url;
mod operations;
mod overrides;
mod problem;
mod secret;
mod series;
mod sid;
mod source_name;
mod sources;
mod storage;
mod web;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use account::{Account, DEFAULT_NAME};
pub use base_url::DEFAULT as DEFAULT_BASE_URL;
pub use credentials::{Credentials, OAuthClient};
pub use duration::{DurationError, parse as parse_duration};
pub use file_pattern::FilePattern;
pub(crate) use form::Form;
pub use limits::Limits;
pub use listen_address::{ListenAddress, ListenAddressError};
pub use oauth::DEFAULT_TOKEN_URL;
pub use operation_url::{Login, OperationUrl, Tls, UrlInFull};
pub use overrides::Overrides;
pub use problem::{ConfigError, Problem};
pub(crate) use secret::from_file as read_secret;
pub use secret::{Secret, SecretError, SecretFile};
pub use series::Series;
pub use storage::{DEFAULT_PATH as DEFAULT_STORAGE_PATH, Storage};
pub use web::{DEFAULT_GRACE_PERIOD, DEFAULT_LISTEN_ADDRESS, DEFAULT_TELEMETRY_PATH, Web};

use crate::document::{walk, yaml};
use crate::label;

/// What is taken off the scrape's deadline, unless said otherwise: time for the answer to travel.
pub const DEFAULT_TIMEOUT_OFFSET: Duration = Duration::from_millis(500);

/// The configuration as meant.
#[derive(Debug, Clone)]
pub struct Config {
    /// At least one, in the order of the file; the names are unique.
    pub accounts: Vec<Account>,
    /// Which operations have series of their own.
    pub series: Series,
    /// What the exporter itself serves.
    pub web: Web,
    /// How scrapes are bounded.
    pub scrape: Scrape,
    /// What outlives the process.
    pub storage: Storage,
    /// What the operator should be told at the start: keys that do nothing in this version, credentials in the clear.
    pub notices: Vec<Problem>,
}

/// How scrapes are bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrape {
    /// Taken off the deadline that Prometheus announces.
    pub timeout_offset: Duration,
}

impl Default for Scrape {
    fn default() -> Self {
        Self {
            timeout_offset: DEFAULT_TIMEOUT_OFFSET,
        }
    }
}

impl Config {
    /// Reads the file that `overrides` names, if any, and the secrets it names; `environment` looks up variables
    /// (`&|name| std::env::var(name).ok()`).
    ///
    /// # Errors
    /// Everything that is wrong, all at once.
    pub fn load(
        overrides: &Overrides,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        file::load(overrides, environment)
    }
}
