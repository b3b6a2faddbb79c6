//! `simulate`: serves the simulated Twilio Email API without an exporter. `demo` has the same options for the simulated account.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use tokio::net::TcpListener;

use super::exit::ProgramError;
use super::options::{LogLevel, LogOptions, whole_number};
use super::{logging, signals};
use crate::clock::Clock;
use crate::config::parse_duration;
use crate::operation::CountingMode;
use crate::simulator::{
    ApiSettings, Fault, MailboxSettings, Simulator, SimulatorSettings, WorldSettings,
};

/// The largest body of an email: a page of a thousand such rows is a gigabyte.
const LARGEST_EMAIL_BODY: u32 = 1 << 20;
/// The interval of received emails in `demo`.
const DEMONSTRATED_INBOUND: Duration = Duration::from_mins(5);
/// A list of seven days has at most one row per interval.
const SHORTEST_INBOUND_INTERVAL: Duration = Duration::from_millis(100);

/// The options of `simulate`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Address to listen on; any user name and password are accepted
    #[arg(
        long = "simulator.listen-address",
        env = "TWILIO_EMAIL_SIMULATOR_LISTEN_ADDRESS"
    )]
    #[arg(
        value_name = "ADDRESS",
        default_value = "127.0.0.1:10203",
        value_parser = listen_address,
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
    /// Seed of all random numbers: the same seed and start time give the same account
    #[arg(long = "simulator.seed", env = "TWILIO_EMAIL_SIMULATOR_SEED")]
    #[arg(value_name = "N", default_value_t = 1, value_parser = whole_number(0..=u64::MAX), hide_env_values = true)]
    seed: u64,
    /// How much faster than real time campaigns run: at 60, six hours take six minutes
    #[arg(long = "simulator.speed", env = "TWILIO_EMAIL_SIMULATOR_SPEED")]
    #[arg(value_name = "FACTOR", default_value = "60", value_parser = speed, hide_env_values = true)]
    speed: f64,
    /// Operations at the start, spread over the last seven days; for load tests, up to millions
    #[arg(
        long = "simulator.operations",
        env = "TWILIO_EMAIL_SIMULATOR_OPERATIONS"
    )]
    #[arg(value_name = "N", default_value_t = 0, value_parser = whole_number(0..=u32::MAX), hide_env_values = true)]
    preloaded: u32,
    /// How many of those are large and active
    #[arg(long = "simulator.active", env = "TWILIO_EMAIL_SIMULATOR_ACTIVE")]
    #[arg(value_name = "N", default_value_t = 0, value_parser = whole_number(0..=u32::MAX), hide_env_values = true)]
    active: u32,
    /// Whether campaigns are generated: true or false
    #[arg(long = "simulator.traffic", env = "TWILIO_EMAIL_SIMULATOR_TRAFFIC", action = clap::ArgAction::Set)]
    #[arg(
        value_name = "BOOL",
        default_value_t = true,
        hide_env_values = true,
        hide_possible_values = true
    )]
    traffic: bool,
    /// Whether recipients are at different mailbox providers: true or false. One of them defers emails after a while and rejects them later
    /// [default: false, in `demo` true]
    #[arg(long = "simulator.mailboxes", env = "TWILIO_EMAIL_SIMULATOR_MAILBOXES", action = clap::ArgAction::Set)]
    #[arg(
        value_name = "BOOL",
        hide_env_values = true,
        hide_possible_values = true
    )]
    mailboxes: Option<bool>,
    /// Whether the account tracks opens: true or false
    #[arg(long = "simulator.open-tracking", env = "TWILIO_EMAIL_SIMULATOR_OPEN_TRACKING", action = clap::ArgAction::Set)]
    #[arg(
        value_name = "BOOL",
        default_value_t = true,
        hide_env_values = true,
        hide_possible_values = true
    )]
    open_tracking: bool,
    /// The time between emails that the account receives [default: none are received, in `demo` 5m]
    #[arg(
        long = "simulator.inbound-interval",
        env = "TWILIO_EMAIL_SIMULATOR_INBOUND_INTERVAL"
    )]
    #[arg(value_name = "DURATION", value_parser = inbound_interval, hide_env_values = true)]
    inbound_interval: Option<Duration>,
    /// The size of the body in each row of the list of emails; without it, rows have no bodies
    #[arg(
        long = "simulator.email-body",
        env = "TWILIO_EMAIL_SIMULATOR_EMAIL_BODY"
    )]
    #[arg(value_name = "BYTES", value_parser = whole_number(0..=LARGEST_EMAIL_BODY), hide_env_values = true)]
    email_body: Option<u32>,
    /// How an opened email counts: exclusive (only as opened) or cumulative (also as delivered)
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
    /// The shortest time that a response takes
    #[arg(long = "simulator.latency", env = "TWILIO_EMAIL_SIMULATOR_LATENCY")]
    #[arg(value_name = "DURATION", default_value = "0s", value_parser = parse_duration, hide_env_values = true)]
    latency: Duration,
    /// How long an access token of POST /v2/token is valid; any OAuth client gets one
    #[arg(
        long = "simulator.token-life",
        env = "TWILIO_EMAIL_SIMULATOR_TOKEN_LIFE"
    )]
    #[arg(value_name = "DURATION", default_value = "1h", value_parser = parse_duration, hide_env_values = true)]
    token_life: Duration,
    /// A fault, such as 429:retry-after=5 or list=403; repeatable, or comma-separated
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
        let clock = Clock::System;
        Simulator::new(self.settings(), move || clock.now())
    }

    /// Like [`Self::simulator`], with mailbox providers and inbound emails unless the options say otherwise.
    pub(super) fn demonstration(&self) -> Simulator {
        let mut settings = self.settings();
        let world = &mut settings.world;
        if self.mailboxes.is_none() {
            world.mailboxes = Some(MailboxSettings::default());
        }
        world.inbound_every.get_or_insert(DEMONSTRATED_INBOUND);
        let clock = Clock::System;
        Simulator::new(settings, move || clock.now())
    }

    fn settings(&self) -> SimulatorSettings {
        let reading = match self.reading {
            StatsReading::Exclusive => CountingMode::Exclusive,
            StatsReading::Cumulative => CountingMode::Cumulative,
        };
        let world = if self.traffic {
            WorldSettings::default()
        } else {
            WorldSettings::empty()
        };
        SimulatorSettings {
            world: WorldSettings {
                seed: self.seed,
                speed: self.speed,
                operations: self.preloaded,
                active: self.active,
                mailboxes: self
                    .mailboxes
                    .unwrap_or(false)
                    .then(MailboxSettings::default),
                tracks_opens: self.open_tracking,
                inbound_every: self.inbound_interval,
                ..world
            },
            api: ApiSettings {
                reading,
                latency: self.latency,
                token_life: self.token_life,
                email_body: self.email_body.map(|bytes| bytes as usize),
                faults: self.faults.clone(),
                ..ApiSettings::default()
            },
        }
    }
}

/// Parses the address of the simulated API.
fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "expected an IP address and a port, such as 127.0.0.1:10203 or [::1]:10203")
}

/// Parses the speed: from real time to a week in ten seconds.
fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse::<f64>()
        .ok()
        .filter(|speed| (1.0..=60_000.0).contains(speed));
    speed.ok_or_else(|| "expected a number from 1 to 60000".to_owned())
}

/// Parses the time between inbound emails.
fn inbound_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|error| error.to_string())?;
    if interval < SHORTEST_INBOUND_INTERVAL {
        return Err("expected at least 100ms".to_owned());
    }
    Ok(interval)
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
        .context("cannot determine the bound address")?;
    tracing::info!(base_url = %format!("http://{address}/v1"), token_url = %format!("http://{address}/v2/token"), "simulating the Email API of Twilio");
    let simulator = options.world.simulator();
    // The simulation stops without waiting for responses: a request with the fault `hang` would never finish.
    tokio::select! {
        served = simulator.serve(listener, std::future::pending()) => served.context("the HTTP server failed")?,
        () = stop => {}
    }
    Ok(())
}
