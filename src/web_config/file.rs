//! The file as a whole: reads it, and combines its sections. All problems are reported together, and no text contains a hash, a key
//! or the content of a file.

use std::path::Path;

use secrecy::zeroize::Zeroizing;

use super::headers::Header;
use super::http_server::HttpServer;
use super::rate_limit::{self, RateLimit};
use super::read_files::ReadFiles;
use super::reading::{Reading, flag};
use super::tls::{self, Tls};
use super::users::{self, Users};
use crate::config::{ConfigError, Problem};
use crate::document::walk::Value;
use crate::document::{Findings, yaml};
use crate::timestamp::Timestamp;

/// The largest web configuration. With certificates inline it has a few KiB.
const LARGEST: u64 = 256 * 1024;
/// The most values and keys in it: more than a thousand users need.
const NODES: usize = 10_000;

/// The checked web configuration.
#[derive(Debug, Default)]
pub struct WebConfig {
    /// `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// Added to every response.
    pub headers: Vec<Header>,
    /// Empty: no authentication.
    pub users: Users,
    /// The limit for all requests together.
    pub rate_limit: Option<RateLimit>,
    /// Whether `/-/healthy` and `/-/ready` need no password.
    pub health_without_auth: bool,
    /// Notices for the operator: keys without effect.
    pub notices: Vec<Problem>,
}

/// Reads the web configuration at `path` and the files that it names. Returns the files even after an error. A file of `before` that can be
/// read only once, such as a pipe, keeps its content.
///
/// # Errors
/// All problems together.
pub fn load(
    path: &Path,
    now: Timestamp,
    before: &ReadFiles,
) -> (Result<WebConfig, ConfigError>, ReadFiles) {
    let mut findings = Findings::default();
    let mut files = ReadFiles::after(before);
    let config = source(path, &mut files, &mut findings).and_then(|source| {
        let mut reading = Reading {
            directory: path.parent().unwrap_or(Path::new("")),
            now,
            files: &mut files,
        };
        parse(&source, &mut reading, &mut findings)
    });
    let Findings {
        problems, notices, ..
    } = findings;
    let loaded = match config {
        Some(config) if problems.is_empty() => Ok(WebConfig { notices, ..config }),
        _ => Err(ConfigError {
            origin: path.display().to_string(),
            problems,
        }),
    };
    (loaded, files)
}

/// The text of the file. It may contain a key.
fn source(
    path: &Path,
    files: &mut ReadFiles,
    findings: &mut Findings,
) -> Option<Zeroizing<String>> {
    let content = files.read(path, LARGEST).map_err(|error| error.to_string());
    let text = content.and_then(|content| {
        let text = std::str::from_utf8(content.as_bytes());
        let text = text.map_err(|_| "it is not UTF-8".to_owned())?;
        Ok(Zeroizing::new(text.to_owned()))
    });
    let text = text.map_err(|error| format!("cannot read the file: {error}"));
    findings.take("", text)
}

/// The notices stay in `findings`.
pub(super) fn parse(
    source: &str,
    reading: &mut Reading<'_>,
    findings: &mut Findings,
) -> Option<WebConfig> {
    let node = yaml::parse_1_1(source, NODES, findings)?;
    let root = Value::root(&node);
    if root.is_nothing() {
        return Some(WebConfig::default());
    }
    let mut file = root.mapping(findings)?;
    let http = file.take("http_server_config");
    let http = http.and_then(|section| HttpServer::read(&section, findings));
    let http = http.unwrap_or_default();
    let tls = file.take("tls_server_config");
    let tls = tls.and_then(|section| tls::read(&section, http.http_2, reading, findings));
    let users = users::read(&mut file, findings);
    let rate_limit = file.take("rate_limit");
    let rate_limit = rate_limit.and_then(|section| rate_limit::read(&section, findings));
    let health_without_auth = flag(&mut file, "health_without_auth", findings);
    file.finish(findings);
    Some(WebConfig {
        tls,
        headers: http.headers,
        users,
        rate_limit,
        health_without_auth: health_without_auth.unwrap_or(false),
        notices: Vec::new(),
    })
}
