//! `demo`: a simulated account and an exporter that watches it, for someone without an account.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpListener;

use super::exit::Failure;
use super::options::{LogOptions, ServeOptions};
use super::simulate::WorldOptions;
use super::{logging, serve};
use crate::app::App;
use crate::config::{Config, ListenAddress};

/// The port that is registered for this exporter; on loopback alone, since a demo is for whoever started it.
const LISTEN: ListenAddress = ListenAddress::Socket(SocketAddr::new(
    std::net::IpAddr::V4(Ipv4Addr::LOCALHOST),
    10202,
));

/// Options of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    world: WorldOptions,
    #[command(flatten)]
    serve: ServeOptions,
    #[command(flatten)]
    log: LogOptions,
}

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    logging::start(&options.log);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("cannot bind a port for the simulated API")?;
    let api = listener
        .local_addr()
        .context("cannot tell the port of the simulated API")?;
    let router = options.world.simulator().router();
    let simulator = tokio::spawn(async move { axum::serve(listener, router).await });
    let config = config(&options.serve, api)?;
    let result = serve::serve(&config, |app| {
        announce(app, &config.web.telemetry_path, api);
    })
    .await;
    simulator.abort();
    result
}

/// The configuration as given, but with the simulated account and without the user's own credentials.
fn config(options: &ServeOptions, api: SocketAddr) -> Result<Config, Failure> {
    let mut overrides = options.overrides();
    overrides.config_file = None;
    overrides.base_url = Some(format!("http://{api}/v1"));
    if overrides.listen.is_empty() {
        overrides.listen.push(LISTEN);
    }
    let credentials = |name: &str| match name {
        "TWILIO_ACCOUNT_SID" => Some(format!("AC{}", "0".repeat(32))),
        "TWILIO_AUTH_TOKEN" => Some("demo".to_owned()),
        _ => None,
    };
    Ok(Config::load(&overrides, &credentials)?)
}

/// Tells where to look, on stdout: the log on stderr may be piped away.
fn announce(app: &App, telemetry_path: &str, api: SocketAddr) {
    let Some(address) = app.addresses().first().copied() else {
        return;
    };
    let host = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    println!(
        "\nA simulated Twilio account and an exporter that watches it. Nothing leaves this machine.\n\n\
         \x20 Open             http://{host}/\n\
         \x20 Metrics          http://{host}{telemetry_path}\n\
         \x20 Simulated API    http://{api}/v1\n\n\
         A campaign is about to go wrong. To see it:\n\n\
         \x20 curl -s http://{host}{telemetry_path} | grep undelivered\n\n\
         Stop with Ctrl-C.\n"
    );
}
