//! The options of the exporter's HTTP server. Those about its addresses are a group of their own, because `health` needs only
//! these.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{BoolValueParser, PathBufValueParser, StringValueParser};

use super::given::{NonEmpty, given, values};
use super::number::whole_number;
use crate::config::{Host, ListenAddress, MAX_REQUESTS, Overrides, parse_duration};

/// Where the exporter listens, and its web configuration.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Web")]
pub struct ListenOptions {
    /// Address to listen on; repeatable, or comma-separated [default: :10202]
    ///
    /// where to listen: `:10202`, `127.0.0.1:10202`, `[::1]:10202`, a host's name (all its addresses) or `unix:/path` (see
    /// [Listening](#listening)); repeatable, comma-separated in the variable
    #[arg(
        long = "web.listen-address",
        env = "TWILIO_EMAIL_WEB_LISTEN_ADDRESS",
        value_name = "ADDRESS"
    )]
    #[arg(value_delimiter = ',', value_parser = given(|text: &str| text.trim().parse::<ListenAddress>()))]
    #[arg(hide_env_values = true)]
    listen: Vec<NonEmpty<ListenAddress>>,

    /// File with TLS and authentication of the exporter itself, as in Prometheus [default: none]
    ///
    /// the file with TLS, Basic authentication, headers and a rate limit of the exporter itself (see
    /// [Web configuration](web-configuration.md))
    #[arg(
        long = "web.config.file",
        env = "TWILIO_EMAIL_WEB_CONFIG_FILE",
        value_name = "FILE"
    )]
    #[arg(value_parser = given(PathBufValueParser::new()), hide_env_values = true)]
    web_config_file: Option<NonEmpty<PathBuf>>,
}

/// The options of the HTTP server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Web")]
pub struct WebOptions {
    /// Where it listens, and its web configuration.
    #[command(flatten)]
    pub listen: ListenOptions,

    /// Listen on the sockets that systemd passes: true or false [default: false]
    ///
    /// listen on the sockets that systemd passes, TCP or unix, instead of `--web.listen-address` (see [Listening](#listening))
    #[arg(
        long = "web.systemd-socket",
        env = "TWILIO_EMAIL_WEB_SYSTEMD_SOCKET",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true)]
    systemd_socket: Option<NonEmpty<bool>>,

    /// Host name or address by which clients reach the exporter; repeatable, or comma-separated [default: none, any host]
    ///
    /// a host name or an address by which clients reach the exporter; repeatable, comma-separated in the variable. With one or more,
    /// requests for other hosts get 421 (see [Security](security.md#names-of-the-exporter)). Ports are ignored
    #[arg(
        long = "web.allowed-host",
        env = "TWILIO_EMAIL_WEB_ALLOWED_HOST",
        value_name = "HOST"
    )]
    #[arg(value_delimiter = ',', value_parser = given(Host::from_option))]
    #[arg(hide_env_values = true)]
    allowed_hosts: Vec<NonEmpty<Host>>,

    /// Path of the metrics [default: /metrics]
    ///
    /// path of the metrics; not `/`, nor at or below `/-`, `/probe`, `/sd`, `/api`, `/operations` or `/assets`
    #[arg(
        long = "web.telemetry-path",
        env = "TWILIO_EMAIL_WEB_TELEMETRY_PATH",
        value_name = "PATH"
    )]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true)]
    telemetry_path: Option<NonEmpty<String>>,

    /// Subtracted from Prometheus' scrape timeout, so that the response is in time [default: 0.5s]
    ///
    /// subtracted from Prometheus' scrape timeout, so that the response arrives in time
    #[arg(
        long = "scrape.timeout-offset",
        env = "TWILIO_EMAIL_SCRAPE_TIMEOUT_OFFSET",
        value_name = "DURATION"
    )]
    #[arg(value_parser = given(parse_duration), hide_env_values = true)]
    timeout_offset: Option<NonEmpty<Duration>>,

    /// Allow senders to register operations at /api/v1/operations: true or false [default: false]
    ///
    /// allow senders to register operations at `/api/v1/operations` (see [the API](api.md))
    #[arg(
        long = "web.enable-api",
        env = "TWILIO_EMAIL_WEB_ENABLE_API",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true)]
    enable_api: Option<NonEmpty<bool>>,

    /// Reload the configuration at POST /-/reload, as at SIGHUP: true or false [default: false]
    ///
    /// reload the configuration at `POST /-/reload` (see [Reloading](#reloading))
    #[arg(
        long = "web.enable-lifecycle",
        env = "TWILIO_EMAIL_WEB_ENABLE_LIFECYCLE",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true)]
    enable_lifecycle: Option<NonEmpty<bool>>,

    /// A Grafana with the project's dashboards, for links on pages [default: none]
    ///
    /// URL of a Grafana that has the dashboards of `grafana/`: pages link to it. It must not contain a password
    #[arg(
        long = "web.grafana-url",
        env = "TWILIO_EMAIL_WEB_GRAFANA_URL",
        value_name = "URL"
    )]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true)]
    grafana_url: Option<NonEmpty<String>>,

    /// The most scrapes and probes at the same time, 0 for no limit; more get 503 [default: 40]
    ///
    /// the most scrapes and probes at the same time, 0 to 512; 0: no limit. Further ones get 503 with `Retry-After`, which Prometheus
    /// counts as a failed scrape
    #[arg(
        long = "web.max-requests",
        env = "TWILIO_EMAIL_WEB_MAX_REQUESTS",
        value_name = "N"
    )]
    #[arg(value_parser = given(whole_number(MAX_REQUESTS)), hide_env_values = true)]
    max_requests: Option<NonEmpty<usize>>,

    /// The longest time of a graceful shutdown (SIGTERM), in which running scrapes still respond [default: 8s]
    ///
    /// the longest time of a graceful shutdown, from SIGTERM or SIGINT to the end. Running scrapes respond before its end, with the
    /// values known by then. It must be shorter than the time after which your platform kills the process: Docker 10 s, Kubernetes
    /// 30 s, systemd 90 s. `0s` stops immediately; at most `1h`
    #[arg(
        long = "shutdown.grace-period",
        env = "TWILIO_EMAIL_SHUTDOWN_GRACE_PERIOD",
        value_name = "DURATION"
    )]
    #[arg(value_parser = given(parse_duration), hide_env_values = true)]
    grace_period: Option<NonEmpty<Duration>>,
}

impl ListenOptions {
    /// Adds the options that were set.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.listen = values(&self.listen);
        overrides.web_config_file = NonEmpty::value(self.web_config_file.as_ref());
    }
}

impl WebOptions {
    /// Adds the options that were set.
    pub fn write_to(&self, overrides: &mut Overrides) {
        self.listen.write_to(overrides);
        overrides.systemd_socket = NonEmpty::value(self.systemd_socket.as_ref());
        overrides.allowed_hosts = values(&self.allowed_hosts);
        overrides.telemetry_path = NonEmpty::value(self.telemetry_path.as_ref());
        overrides.timeout_offset = NonEmpty::value(self.timeout_offset.as_ref());
        overrides.enable_api = NonEmpty::value(self.enable_api.as_ref());
        overrides.enable_lifecycle = NonEmpty::value(self.enable_lifecycle.as_ref());
        overrides.grafana_url = NonEmpty::value(self.grafana_url.as_ref());
        overrides.max_requests = NonEmpty::value(self.max_requests.as_ref());
        overrides.grace_period = NonEmpty::value(self.grace_period.as_ref());
    }
}
