//! Tests once whether everything that the exporter needs works: the command `check`. It reads the configuration as `serve` does, then tests
//! each account, the storage and the addresses in parallel.
//!
//! It disturbs no running exporter: it takes no address that is in use, keeps no lock, and writes nothing but a temporary file without a
//! name. Everything has a time limit. The texts are those of [`diagnosis`](crate::diagnosis) and of the log.

mod account;
mod configuration;
mod emails;
mod listening;
mod mounts;
mod requests;
mod result;
mod settings;
mod sources;
mod storage;
mod text;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use self::emails::EmailLists;
pub use self::result::{Area, CheckResult, Report, Section, Status};
use self::settings::DISK_LIMIT;
pub use self::settings::Settings;
pub use self::text::{Marks, Style};
use crate::config::{Config, ConfigError};

/// Checks everything, and passes each section to `show` as soon as it and all before it are complete: the configuration, the HTTP
/// server, the storage, then the accounts in the order of the configuration. `load` loads the configuration as `serve` does.
pub async fn check(
    load: impl FnOnce() -> Result<Config, ConfigError> + Send + 'static,
    settings: &Settings<'_>,
    mut show: impl FnMut(&Section),
) -> Report {
    let mut report = Report::new(settings.offline, settings.clock.now());
    let loaded = timeout(DISK_LIMIT, spawn_blocking(load)).await;
    let (section, config) = configuration::judge(loaded, settings.config_file.as_deref());
    show(&section);
    report.sections.push(section);
    let Some(config) = config else {
        return report;
    };
    // All run at the same time. A section that is complete waits for those before it.
    let mut sections = begin(&config, settings);
    while let Some(section) = sections.next().await {
        show(&section);
        report.sections.push(section);
    }
    report
}

fn begin<'a>(
    config: &'a Config,
    settings: &'a Settings<'_>,
) -> FuturesOrdered<BoxFuture<'a, Section>> {
    let mut sections = FuturesOrdered::new();
    let server = listening::check(&config.web, settings).boxed().shared();
    let has_exporter = server.clone().map(|server| server.has_exporter);
    sections.push_back(server.map(|server| server.section).boxed());
    let directory = config.storage.path.as_deref();
    sections.push_back(storage::check(directory, settings, has_exporter).boxed());
    let emails = EmailLists::of(config);
    for account in &config.accounts {
        sections.push_back(account::check(account, emails, settings).boxed());
    }
    sections
}
