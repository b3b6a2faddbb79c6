//! The configuration: whether it can be loaded, and the notices that the exporter would log. Its problems have the same texts as at
//! the start of the exporter.

use std::path::Path;

use tokio::task::JoinError;
use tokio::time::error::Elapsed;

use super::result::{Area, CONFIGURATION, CheckResult, Section};
use super::settings::DISK_LIMIT;
use crate::config::{Config, ConfigError, Problem};

/// The section about the configuration, and the configuration if it can be used.
pub(super) fn judge(
    loaded: Result<Result<Result<Config, ConfigError>, JoinError>, Elapsed>,
    file: Option<&Path>,
) -> (Section, Option<Config>) {
    let (results, config) = match loaded {
        Ok(Ok(Ok(config))) => {
            let mut results = vec![CheckResult::ok(CONFIGURATION, valid(&config, file))];
            results.extend(notices(CONFIGURATION, &config.notices));
            (results, Some(config))
        }
        Ok(Ok(Err(error))) => (problems(CONFIGURATION, &error).collect(), None),
        Ok(Err(_)) => {
            // The text of a panic may quote the file.
            let what = "Reading the configuration was aborted. Please report this bug";
            (vec![CheckResult::failed(CONFIGURATION, what)], None)
        }
        Err(_) => (vec![hangs(CONFIGURATION, "the configuration")], None),
    };
    let section = Section {
        area: Area::Configuration,
        results,
    };
    (section, config)
}

fn valid(config: &Config, file: Option<&Path>) -> String {
    let accounts = match config.accounts.len() {
        1 => "1 account".to_owned(),
        many => format!("{many} accounts"),
    };
    match file {
        Some(file) => format!("{} is valid: {accounts}", file.display()),
        None => format!("The environment is a valid configuration: {accounts}"),
    }
}

/// The problems of a configuration, in the words of `serve`.
pub(super) fn problems(
    check: &'static str,
    error: &ConfigError,
) -> impl Iterator<Item = CheckResult> {
    error
        .problems
        .iter()
        .map(move |problem| CheckResult::failed(check, format_args!("{}: {problem}", error.origin)))
}

/// What the log of `serve` notes about a configuration.
pub(super) fn notices(
    check: &'static str,
    notices: &[Problem],
) -> impl Iterator<Item = CheckResult> {
    notices
        .iter()
        .map(move |notice| CheckResult::warning(check, notice))
}

/// Reading `what` takes too long.
pub(super) fn hangs(check: &'static str, what: &str) -> CheckResult {
    let limit = DISK_LIMIT.as_secs();
    CheckResult {
        cause: "The disk or the mount does not respond, or a pipe has no writer.".to_owned(),
        cure: "Check the disks or mounts that it and its secrets are on.".to_owned(),
        ..CheckResult::failed(
            check,
            format_args!("Reading {what} takes longer than {limit} s"),
        )
    }
}
