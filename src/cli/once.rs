//! `once`: runs one collection and prints the metrics, or writes them to a file. It keeps everything in memory unless
//! `--storage.path` is set.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::builder::PathBufValueParser;

use super::exit::ProgramError;
use super::options::{
    AccountOptions, CREDENTIALS_HELP, LogLevel, LogOptions, NonEmpty, SeriesOptions,
    StorageOptions, given,
};
use super::output::write_result;
use super::{environment, logging, output_file, signals};
use crate::app;
use crate::clock::Clock;
use crate::config::{Config, Overrides};
use crate::exposition;

/// The longest time for the collection. A cron job that takes longer would overlap with the next one.
const LONGEST: Duration = Duration::from_mins(5);

/// The options of `once`: those of `serve` without the HTTP server's.
#[derive(Debug, clap::Args)]
#[command(after_help = CREDENTIALS_HELP)]
pub(super) struct Options {
    /// File for the metrics instead of stdout; replaced only when it is complete [default: none]
    #[arg(
        long,
        env = "TWILIO_EMAIL_ONCE_OUTPUT",
        value_name = "FILE",
        hide_env_values = true
    )]
    #[arg(value_parser = given(PathBufValueParser::new()))]
    output: Option<NonEmpty<PathBuf>>,
    #[command(flatten)]
    account: AccountOptions,
    #[command(flatten)]
    storage: StorageOptions,
    #[command(flatten)]
    series: SeriesOptions,
    #[command(flatten)]
    log: LogOptions,
}

pub(super) async fn run(options: &Options) -> Result<(), ProgramError> {
    logging::start(&options.log, LogLevel::Info);
    let mut overrides = Overrides::default();
    options.account.write_to(&mut overrides);
    // The default is memory, so that `once` leaves no files and does not lock the store of a running exporter.
    options.storage.write_to_or_memory(&mut overrides);
    options.series.write_to(&mut overrides);
    let config = Config::load(&overrides, &environment::variable)?;
    logging::log_notices(&config);
    let stop = signals::stop()?;
    let (collector, instruments) = app::collector(&config, &Clock::System)?;
    let collect = async {
        collector.poll_urls_once().await;
        collector.collect_fully(LONGEST).await;
        collector.snapshot().await
    };
    let snapshot = tokio::select! {
        snapshot = collect => snapshot,
        () = stop => return Err(anyhow!("stopped before the collection finished").into()),
    };
    let mut exposition = Vec::new();
    exposition::render_accounts(&snapshot, &instruments, &mut exposition);
    match NonEmpty::value(options.output.as_ref()) {
        None => write_result(&exposition).context("cannot write the metrics to stdout")?,
        Some(path) => output_file::replace(&path, &exposition)
            .with_context(|| format!("cannot write the metrics to {}", path.display()))?,
    }
    let unread: Vec<_> = snapshot
        .accounts
        .iter()
        .filter(|account| !account.status.up)
        .map(|account| &*account.name)
        .collect();
    if unread.is_empty() {
        return Ok(());
    }
    let accounts = unread.join(", ");
    Err(
        anyhow!("cannot read accounts from Twilio: {accounts}. The log above has the causes")
            .into(),
    )
}
