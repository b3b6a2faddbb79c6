//! `demo`: a simulated account and an exporter that watches it. It needs no Twilio account and leaves no files.

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpListener;

use super::exit::ProgramError;
use super::options::{LogLevel, LogOptions, SeriesOptions, StorageOptions, WebOptions};
use super::output::write_notice;
use super::simulate::WorldOptions;
use super::{logging, serve};
use crate::app::App;
use crate::config::{Config, ListenAddress, Overrides};

/// The exporter's registered port, on loopback only: a demo is for the user who started it.
const LISTEN: ListenAddress = ListenAddress::Socket(SocketAddr::new(
    std::net::IpAddr::V4(Ipv4Addr::LOCALHOST),
    10202,
));

/// The recipient domains with counters of their own: more than the simulated account has.
const DOMAINS: usize = 10;

/// The help of options whose default differs here.
pub(super) const LISTEN_HELP: &str =
    "Address to listen on; repeatable, or comma-separated [default: 127.0.0.1:10202]";
pub(super) const LEVEL_HELP: &str = "Log messages of this level and above: error, warn, info, debug or trace [default: info, on a terminal warn]";

/// The options of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    world: WorldOptions,
    #[command(flatten)]
    storage: StorageOptions,
    #[command(flatten)]
    series: SeriesOptions,
    #[command(flatten)]
    web: WebOptions,
    #[command(flatten)]
    log: LogOptions,
}

pub(super) async fn run(options: Options) -> Result<(), ProgramError> {
    // On a terminal the announcement is enough; a collected log has all messages.
    let usual = if std::io::stderr().is_terminal() {
        LogLevel::Warn
    } else {
        LogLevel::Info
    };
    logging::start(&options.log, usual);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("cannot bind a port for the simulated API")?;
    let api = listener
        .local_addr()
        .context("cannot determine the port of the simulated API")?;
    let simulator = options.world.demonstration();
    let simulator = tokio::spawn(async move {
        let served = simulator.serve(listener, std::future::pending());
        served.await
    });
    let config = config(&options, api)?;
    let result = serve::serve(&config, None, |app| {
        announce(app, &config.web.telemetry_path, api);
    })
    .await;
    simulator.abort();
    result
}

/// The configuration of the simulated account. It contains none of the user's settings.
fn config(options: &Options, api: SocketAddr) -> Result<Config, ProgramError> {
    let mut overrides = Overrides {
        base_url: Some(format!("http://{api}/v1")),
        ..Overrides::default()
    };
    // A demo leaves no files.
    options.storage.write_to_or_memory(&mut overrides);
    options.series.write_to(&mut overrides);
    options.web.write_to(&mut overrides);
    if overrides.listen.is_empty() {
        overrides.listen.push(LISTEN);
    }
    let credentials = |name: &str| match name {
        "TWILIO_ACCOUNT_SID" => Some(format!("AC{}", "0".repeat(32))),
        "TWILIO_AUTH_TOKEN" => Some("demo".to_owned()),
        _ => None,
    };
    let mut config = Config::load(&overrides, &credentials)?;
    // The tags of the simulated emails.
    config.series.tags = vec!["kind".to_owned()];
    config.series.aggregate_by = vec!["kind".into()];
    // Otherwise the deliverability dashboard would be empty.
    config.emails.enabled = true;
    config.emails.max_domains = DOMAINS;
    Ok(config)
}

/// Prints the addresses to stdout, because stderr with the log may be redirected.
fn announce(app: &App, telemetry_path: &str, api: SocketAddr) {
    let Some(address) = app.addresses().first().copied() else {
        return;
    };
    let host = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    write_notice(format_args!(
        "\nA simulated Twilio account and an exporter that watches it. Nothing leaves this machine.\n\n\
         \x20 Page             http://{host}/\n\
         \x20 Metrics          http://{host}{telemetry_path}\n\
         \x20 Simulated API    http://{api}/v1\n\n\
         A campaign has just begun, and a third of its emails are lost. Watch undelivered and failed rise:\n\n\
         \x20 curl -s http://{host}{telemetry_path} | grep '^twilio_email_emails{{'\n\n\
         One mailbox provider defers emails after a while, and rejects them later:\n\n\
         \x20 curl -s http://{host}{telemetry_path} | grep '^twilio_email_provider_emails{{'\n\n\
         Stop with Ctrl-C.\n"
    ));
}
