//! `simulate`: serves the simulated Twilio Email API without an exporter.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use tokio::net::TcpListener;

use super::exit::ProgramError;
use super::options::{LogLevel, LogOptions};
use super::{logging, signals};
use crate::clock::Clock;
use crate::config::parse_duration;
use crate::operation::CountingMode;
use crate::simulator::{ApiSettings, Fault, Simulator, SimulatorSettings, WorldSettings};

/// The options of `simulate`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Address to listen on; any user name and password are let in
    #[arg(
        long = "simulator.listen-address",
        env = "TWILIO_EMAIL_SIMULATOR_LISTEN_ADDRESS"
    )]
    #[arg(
        value_name = "ADDRESS",
        default_value = "127.0.0.1:10203",
        hide_env_values = true
    )]
    listen: SocketAddr,
    #[command(flatten)]
    world: WorldOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// The options of the simulated account.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Simulated account")]
pub(super) struct WorldOptions {
    /// Decides everything left to chance: the same seed and start, the same account
    #[arg(long = "simulator.seed", env = "TWILIO_EMAIL_SIMULATOR_SEED")]
    #[arg(value_name = "N", default_value_t = 1, hide_env_values = true)]
    seed: u64,
    /// How much faster than life campaigns go: at 60, six hours take six minutes
    #[arg(long = "simulator.speed", env = "TWILIO_EMAIL_SIMULATOR_SPEED")]
    #[arg(value_name = "FACTOR", default_value = "60", value_parser = speed, hide_env_values = true)]
    speed: f64,
    /// Operations to begin with, spread over the last seven days; for load tests, up to millions
    #[arg(
        long = "simulator.operations",
        env = "TWILIO_EMAIL_SIMULATOR_OPERATIONS"
    )]
    #[arg(value_name = "N", default_value_t = 0, hide_env_values = true)]
    preloaded: u32,
    /// How many of those are large and still move
    #[arg(long = "simulator.active", env = "TWILIO_EMAIL_SIMULATOR_ACTIVE")]
    #[arg(value_name = "N", default_value_t = 0, hide_env_values = true)]
    active: u32,
    /// Whether campaigns come by themselves: true or false
    #[arg(long = "simulator.traffic", env = "TWILIO_EMAIL_SIMULATOR_TRAFFIC", action = clap::ArgAction::Set)]
    #[arg(
        value_name = "BOOL",
        default_value_t = true,
        hide_env_values = true,
        hide_possible_values = true
    )]
    traffic: bool,
    /// How an opened email counts: exclusive (opened alone) or cumulative (delivered as well)
    #[arg(
        long = "simulator.stats-reading",
        env = "TWILIO_EMAIL_SIMULATOR_STATS_READING"
    )]
    #[arg(
        value_name = "READING",
        default_value = "exclusive",
        hide_env_values = true,
        hide_possible_values = true
    )]
    reading: StatsReading,
    /// The least time that an answer takes
    #[arg(long = "simulator.latency", env = "TWILIO_EMAIL_SIMULATOR_LATENCY")]
    #[arg(value_name = "DURATION", default_value = "0s", value_parser = parse_duration, hide_env_values = true)]
    latency: Duration,
    /// For how long an access token of POST /v2/token is good; any OAuth client gets one
    #[arg(
        long = "simulator.token-life",
        env = "TWILIO_EMAIL_SIMULATOR_TOKEN_LIFE"
    )]
    #[arg(value_name = "DURATION", default_value = "1h", value_parser = parse_duration, hide_env_values = true)]
    token_life: Duration,
    /// What goes wrong, such as 429:retry-after=5 or list=403; repeatable, or comma-separated
    #[arg(
        long = "simulator.fault",
        env = "TWILIO_EMAIL_SIMULATOR_FAULTS",
        value_delimiter = ','
    )]
    #[arg(value_name = "FAULT", hide_env_values = true)]
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StatsReading {
    Exclusive,
    Cumulative,
}

impl WorldOptions {
    /// A simulator with these options and the system's clock.
    pub(super) fn simulator(&self) -> Simulator {
        let reading = match self.reading {
            StatsReading::Exclusive => CountingMode::Exclusive,
            StatsReading::Cumulative => CountingMode::Cumulative,
        };
        let world = if self.traffic {
            WorldSettings::default()
        } else {
            WorldSettings::empty()
        };
        let settings = SimulatorSettings {
            world: WorldSettings {
                seed: self.seed,
                speed: self.speed,
                operations: self.preloaded,
                active: self.active,
                ..world
            },
            api: ApiSettings {
                reading,
                latency: self.latency,
                token_life: self.token_life,
                faults: self.faults.clone(),
                ..ApiSettings::default()
            },
        };
        let clock = Clock::System;
        Simulator::new(settings, move || clock.now())
    }
}

/// Parses the speed: from real time to a week in ten seconds.
fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse::<f64>()
        .ok()
        .filter(|speed| (1.0..=60_000.0).contains(speed));
    speed.ok_or_else(|| "expected a number from 1 to 60000".to_owned())
}

pub(super) async fn run(options: Options) -> Result<(), ProgramError> {
    logging::start(&options.log, LogLevel::Info);
    let stop = signals::stop()?;
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| {
        format!(
            "cannot listen on {} (--simulator.listen-address)",
            options.listen
        )
    })?;
    let address = listener
        .local_addr()
        .context("cannot tell the address that was bound")?;
    tracing::info!(base_url = %format!("http://{address}/v1"), token_url = %format!("http://{address}/v2/token"), "simulating the Email API of Twilio");
    let simulator = options.world.simulator();
    // The simulation stops without waiting for responses: a request with the fault `hang` would never finish.
    tokio::select! {
        served = simulator.serve(listener, std::future::pending()) => served.context("the HTTP server failed")?,
        () = stop => {}
    }
    Ok(())
}
