//! `health`: checks whether the running exporter is ready, for the health checks of containers.

use anyhow::anyhow;

use super::exit::ProgramError;
use super::options::ListenOptions;
use super::output::write_notice;
use crate::clock::Clock;
use crate::config::{DEFAULT_LISTEN_ADDRESS, Overrides};
use crate::web::check_health;
use crate::web_config::{self, ReadFiles, WebConfig};

/// The options of `health`: those of the running exporter about its address and its web configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    listen: ListenOptions,
}

pub(super) async fn run(options: &Options) -> Result<(), ProgramError> {
    let mut overrides = Overrides::default();
    options.listen.write_to(&mut overrides);
    let config = match &overrides.web_config_file {
        None => WebConfig::default(),
        Some(path) => {
            let (config, _) = web_config::load(path, Clock::System.now(), &ReadFiles::default());
            config?
        }
    };
    // All addresses belong to one exporter.
    let address = overrides.listen.first().unwrap_or(&DEFAULT_LISTEN_ADDRESS);
    check_health(address, &config)
        .await
        .map_err(|error| anyhow!(error))?;
    write_notice("ready");
    Ok(())
}
