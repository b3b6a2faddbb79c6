//! The web configuration (`--web.config.file`): TLS, Basic authentication, headers and a rate limit of the exporter's own HTTP server.
//!
//! The file has the keys of Prometheus' exporter-toolkit
//! (<https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>), so that an existing file works unchanged.
//! [`load`] returns checked values or all problems together. What rustls does not support is a problem and is never ignored. No problem
//! contains a hash, a key or any content of a file.

mod certificate;
mod cipher_suites;
mod client_auth;
mod client_certificates;
#[cfg(test)]
mod corpus;
mod curves;
mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod go_duration;
mod headers;
mod http_server;
mod password_hash;
mod pem;
mod rate_limit;
mod read_files;
mod reading;
mod tls;
mod users;
mod versions;

pub use self::file::{WebConfig, load};
pub use self::headers::Header;
pub use self::password_hash::PasswordHash;
pub use self::rate_limit::RateLimit;
pub use self::read_files::ReadFiles;
pub use self::tls::Tls;
pub use self::users::{User, Users};
