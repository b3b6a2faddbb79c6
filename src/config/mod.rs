//! The configuration: parses and checks the YAML file, the environment variables and the command line.
//!
//! [`Config::load`] returns checked values, or all problems together, each with its place and what to do. Code that has a [`Config`] checks
//! nothing again. The command line has priority, then its environment variables, the file, and the defaults.
//!
//! A secret is never part of an error, a notice or a `Debug` text, and never comes from the file itself or an option.

mod account;
mod accounts;
mod base_url;
mod bounded_file;
mod collectors;
mod credentials;
mod duration;
mod environment;
mod file;
mod file_credentials;
mod file_pattern;
mod form;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod host;
pub mod keys;
mod limits;
mod listen_address;
mod name_servers;
mod network;
mod oauth;
mod operation_url;
mod operations;
mod overrides;
mod problem;
mod providers_file;
mod scrape;
mod secret;
mod series;
mod sid;
mod source_name;
mod sources;
mod storage;
mod web;

#[cfg(test)]
pub(crate) mod corpus;
#[cfg(test)]
mod tests;

pub use account::{Account, DEFAULT_NAME};
pub use base_url::{DEFAULT as DEFAULT_BASE_URL, shown as shown_url};
pub use collectors::EmailsCollector;
pub use credentials::{Credentials, OAuthClient};
pub use duration::{DurationError, parse as parse_duration};
pub use file::Config;
pub use file_pattern::FilePattern;
pub use host::{Authority, Host, HostError};
pub use limits::Limits;
pub use listen_address::{ListenAddress, ListenAddressError};
pub use network::{Network, Proxy, ProxyUrl};
pub use oauth::DEFAULT_TOKEN_URL;
pub use operation_url::{OperationUrl, Tls, UrlInFull, UrlLogin};
pub use overrides::Overrides;
pub use problem::{ConfigError, Problem};
pub use scrape::{DEFAULT_TIMEOUT_OFFSET, Scrape};
pub use secret::{Secret, SecretError, SecretFile};
pub use series::{MAX_OPERATIONS, Series};
pub use storage::{DEFAULT_PATH as DEFAULT_STORAGE_PATH, Storage};
pub use web::{
    DEFAULT_GRACE_PERIOD, DEFAULT_LISTEN_ADDRESS, DEFAULT_MAX_REQUESTS, DEFAULT_TELEMETRY_PATH,
    MAX_REQUESTS, Web,
};

use crate::document::{walk, yaml};
use crate::label;
