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
pub mod keys;
mod limits;
mod listen_address;
mod oauth;
mod operation_url;
mod operations;
mod overrides;
mod problem;
mod scrape;
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

pub use account::{Account, DEFAULT_NAME};
pub use base_url::DEFAULT as DEFAULT_BASE_URL;
pub use credentials::{Credentials, OAuthClient};
pub use duration::{DurationError, parse as parse_duration};
pub use file::Config;
pub use file_pattern::FilePattern;
pub use limits::Limits;
pub use listen_address::{ListenAddress, ListenAddressError};
pub use oauth::DEFAULT_TOKEN_URL;
pub use operation_url::{OperationUrl, Tls, UrlInFull, UrlLogin};
pub use overrides::Overrides;
pub use problem::{ConfigError, Problem};
pub use scrape::{DEFAULT_TIMEOUT_OFFSET, Scrape};
pub use secret::{Secret, SecretError, SecretFile};
pub use series::Series;
pub use storage::{DEFAULT_PATH as DEFAULT_STORAGE_PATH, Storage};
pub use web::{DEFAULT_GRACE_PERIOD, DEFAULT_LISTEN_ADDRESS, DEFAULT_TELEMETRY_PATH, Web};

use crate::document::{walk, yaml};
use crate::label;
