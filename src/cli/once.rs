//! `once`: one collection, printed.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::exit::Failure;
use super::options::{LogOptions, ServeOptions};
use super::{logging, signals};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::exposition;

/// A cron job that takes longer than this overlaps with the next one.
const LONGEST: Duration = Duration::from_mins(5);

/// Options of `once`: those of `serve`; the ones about the web do nothing here.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    serve: ServeOptions,
    #[command(flatten)]
    log: LogOptions,
}

pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    logging::start(&options.log);
    let config = Config::load(&options.serve.overrides(), &super::environment)?;
    logging::tell_notices(&config);
    let stop = signals::stop()?;
    let (collector, instruments) = app::collector(&config, &Clock::System)?;
    let snapshot = tokio::select! {
        snapshot = collector.collect(LONGEST) => snapshot,
        () = stop => return Err(anyhow!("stopped before the collection had ended").into()),
    };
    let mut exposition = Vec::new();
    exposition::render(&snapshot, &instruments, &mut exposition);
    let written = std::io::stdout().lock().write_all(&exposition);
    written.context("cannot write the exposition to stdout")?;
    if snapshot.accounts.iter().any(|account| account.standing.up) {
        Ok(())
    } else {
        Err(anyhow!("nothing could be read from Twilio; the lines above say why").into())
    }
}
