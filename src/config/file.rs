//! Combines the sections of the file, the environment and the command line into a [`Config`]. Every section reports its problems, so that
//! the user sees all of them together.

use std::path::Path;

use super::account::Account;
use super::account::Defaults;
use super::collectors::EmailsCollector;
use super::environment::Environment;
use super::network::Network;
use super::overrides::Overrides;
use super::problem::Findings;
use super::problem::{ConfigError, Problem};
use super::scrape::Scrape;
use super::series::Series;
use super::storage::Storage;
use super::walk::Value;
use super::web::Web;
use super::yaml;
use super::{accounts, base_url, bounded_file};

/// The most values and keys in the file: more than ten thousand operations with labels need.
const NODES: usize = 250_000;

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// At least one, in the order of the file; the names are unique.
    pub accounts: Vec<Account>,
    /// Which operations have series of their own.
    pub series: Series,
    /// The collector of single emails.
    pub emails: EmailsCollector,
    /// The HTTP server of the exporter.
    pub web: Web,
    /// The limits of a scrape.
    pub scrape: Scrape,
    /// The place of the saved state.
    pub storage: Storage,
    /// Notices for the operator at startup: keys that do nothing in this version, credentials without TLS.
    pub notices: Vec<Problem>,
}

impl Config {
    /// Reads the file that `overrides` names, if any, and the secrets it names; `environment` looks up variables
    /// (`&|name| std::env::var(name).ok()`).
    ///
    /// # Errors
    /// All problems together.
    pub fn load(
        overrides: &Overrides,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        load(overrides, environment)
    }
}

/// See [`Config::load`].
fn load(overrides: &Overrides, environment: Environment) -> Result<Config, ConfigError> {
    let mut findings = Findings::default();
    let path = overrides.config_file.as_deref();
    let config = match path.map(bounded_file::read) {
        None => config("", None, overrides, environment, &mut findings),
        Some(Ok(source)) => config(&source, path, overrides, environment, &mut findings),
        Some(Err(error)) => {
            findings.problem("", format_args!("cannot read the file: {error}"));
            None
        }
    };
    let origin = path.map_or_else(
        || "the environment".to_owned(),
        |path| path.display().to_string(),
    );
    let Findings {
        problems, notices, ..
    } = findings;
    match config {
        Some(config) if problems.is_empty() => Ok(Config { notices, ..config }),
        _ => Err(ConfigError { origin, problems }),
    }
}

/// `None` if a problem was reported. The notices stay in `findings`.
pub(super) fn config(
    source: &str,
    path: Option<&Path>,
    overrides: &Overrides,
    environment: Environment,
    findings: &mut Findings,
) -> Option<Config> {
    let node = yaml::parse(source, NODES, findings)?;
    let root = Value::root(&node);
    let mut file = if root.is_nothing() {
        None
    } else {
        Some(root.mapping(findings)?)
    };
    let base_url = overrides.base_url.as_deref().unwrap_or(base_url::DEFAULT);
    let defaults = Defaults {
        base_url: base_url::read("--twilio.base-url", base_url, findings),
        discovery: overrides.discovery.unwrap_or(true),
        operations: &overrides.operations,
        directory: path.and_then(Path::parent).unwrap_or(Path::new("")),
        environment,
        network: Network::from_options(
            overrides.proxy_from_environment == Some(true),
            overrides.ca_file.as_deref(),
            environment,
            findings,
        ),
    };
    let accounts = match file.as_mut().and_then(|file| file.take("accounts")) {
        Some(value) => accounts::from_file(&value, &defaults, findings),
        None => accounts::from_environment(environment, &defaults, findings),
    };
    let mut section = |name| file.as_mut().and_then(|file| file.take(name));
    let series = Series::read(section("series").as_ref(), overrides, findings);
    let emails = EmailsCollector::read(
        section("collectors").as_ref(),
        overrides,
        defaults.directory,
        findings,
    );
    let storage = Storage::read(section("storage").as_ref(), overrides, findings);
    if let Some(file) = file {
        file.finish(findings);
    }
    let web = Web::read(overrides, findings);
    let mut scrape = Scrape::default();
    if let Some(offset) = overrides.timeout_offset {
        scrape.timeout_offset = offset;
    }
    Some(Config {
        accounts,
        series,
        emails,
        web,
        scrape,
        storage,
        notices: Vec::new(),
    })
}
