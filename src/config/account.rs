//! One entry of `accounts`: its credentials, its API, its limits and its operations. Its problems are reported with those of all other
//! entries.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::credentials::Credentials;
use super::environment::Environment;
use super::file_pattern::FilePattern;
use super::limits::Limits;
use super::network::Network;
use super::operation_url::OperationUrl;
use super::problem::Findings;
use super::walk::{Mapping, Value};
use super::{base_url, file_credentials, operations, sources};
use crate::operation::{CountingMode, OperationId};
use crate::snapshot::Labels;

/// The name of the account from the environment.
pub const DEFAULT_NAME: &str = "default";

/// The longest name. It is a label's value on every series.
const LONGEST_NAME: usize = 64;
/// One Twilio account, with checked values.
#[derive(Debug, Clone)]
pub struct Account {
    /// The value of the label `account`; unique.
    pub name: Arc<str>,
    /// The credentials of its requests.
    pub credentials: Credentials,
    /// The base URL of the API. Its path ends with `/`, so that relative paths (`Emails/Operations`) can be joined.
    pub base_url: Url,
    /// Whether operations are found through the list endpoint.
    pub discovery: bool,
    /// The operations that are always watched, with the user's labels.
    pub operations: BTreeMap<OperationId, Labels>,
    /// Files that list operations, in the format of Prometheus' `file_sd`.
    pub operation_files: Vec<FilePattern>,
    /// URLs that list operations, in the format of Prometheus' `http_sd`; each has its own `source`.
    pub operation_urls: Vec<OperationUrl>,
    /// The limits of its requests.
    pub limits: Limits,
    /// How its requests reach Twilio.
    pub network: Network,
    /// The counting mode of its stats; `None`: the exporter detects it from Twilio's responses.
    pub stats_reading: Option<CountingMode>,
}

/// The defaults of an account, from the command line.
pub(super) struct Defaults<'a> {
    pub(super) base_url: Option<Url>,
    pub(super) discovery: bool,
    /// The operations of the only account.
    pub(super) operations: &'a [OperationId],
    /// The directory of the configuration file. Relative paths in the file start there.
    pub(super) directory: &'a Path,
    /// Looks up a variable.
    pub(super) environment: Environment<'a>,
    pub(super) network: Network,
}

/// The names of the accounts so far, with their places, including accounts with problems.
pub(super) type Names<'d> = BTreeMap<&'d str, String>;

/// The account from the environment; its operations come from the command line.
pub(super) fn default(credentials: Option<Credentials>, defaults: &Defaults) -> Option<Account> {
    Some(Account {
        name: Arc::from(DEFAULT_NAME),
        credentials: credentials?,
        base_url: defaults.base_url.clone()?,
        discovery: defaults.discovery,
        operations: BTreeMap::new(),
        operation_files: Vec::new(),
        operation_urls: Vec::new(),
        limits: Limits::default(),
        network: defaults.network.clone(),
        stats_reading: None,
    })
}

/// Reads one item of `accounts`; `None` if a problem was reported.
pub(super) fn read<'d>(
    value: &Value<'d>,
    defaults: &Defaults,
    names: &mut Names<'d>,
    findings: &mut Findings,
) -> Option<Account> {
    let mut mapping = value.mapping(findings)?;
    let name = read_name(&mut mapping, names, findings);
    let credentials = file_credentials::read(&mut mapping, defaults.directory, findings);
    let base_url = match mapping.take("base_url") {
        Some(value) => {
            let text = value.text(findings);
            text.and_then(|text| base_url::read(&value.place, text, findings))
        }
        None => defaults.base_url.clone(),
    };
    let discovery = mapping
        .take("discovery")
        .and_then(|value| value.boolean(findings));
    let operations = match mapping.take("operations") {
        Some(value) => operations::read(&value, findings),
        None => BTreeMap::new(),
    };
    let operation_files = sources::files(&mut mapping, defaults.directory, findings);
    let operation_urls = sources::urls(&mut mapping, defaults.directory, findings);
    let limits = Limits::read(&mut mapping, findings);
    let network = Network::read(
        &mut mapping,
        defaults.directory,
        defaults.environment,
        &defaults.network,
        findings,
    );
    let stats_reading = mapping
        .take("stats_reading")
        .and_then(|value| read_reading(&value, findings));
    mapping.finish(findings);
    Some(Account {
        name: Arc::from(name?),
        credentials: credentials?,
        base_url: base_url?,
        discovery: discovery.unwrap_or(defaults.discovery),
        operations,
        operation_files,
        operation_urls,
        limits,
        network,
        stats_reading,
    })
}

fn read_name<'d>(
    mapping: &mut Mapping<'d>,
    names: &mut Names<'d>,
    findings: &mut Findings,
) -> Option<&'d str> {
    let Some(value) = mapping.take("name") else {
        findings.problem(
            &mapping.place_of("name"),
            "missing; every series has it as the label `account`",
        );
        return None;
    };
    let name = value.text(findings)?;
    let wrong = if name.trim().is_empty() {
        "empty; every series has it as the label `account`".to_owned()
    } else if name.chars().count() > LONGEST_NAME {
        format!("longer than {LONGEST_NAME} characters")
    } else if name.contains(char::is_control) {
        "has a control character or a line break".to_owned()
    } else if let Some(first) = names.get(name) {
        format!("the same name as {first}")
    } else {
        names.insert(name, value.place);
        return Some(name);
    };
    findings.problem(&value.place, wrong);
    None
}

fn read_reading(value: &Value, findings: &mut Findings) -> Option<CountingMode> {
    let text = value.text(findings)?;
    let reading = CountingMode::ALL
        .into_iter()
        .find(|reading| reading.as_str() == text);
    if reading.is_none() && text != "auto" {
        findings.problem(&value.place, "expected `auto`, `exclusive` or `cumulative`");
    }
    reading
}
