//! The options of the exporter's HTTP server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{BoolValueParser, PathBufValueParser, StringValueParser};

use super::given::{NonEmpty, given, values};
use crate::config::{ListenAddress, Overrides, parse_duration};

/// The options of the HTTP server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Web")]
pub struct WebOptions {
    /// Address to listen on; repeatable, or comma-separated [default: :10202]
    ///
    /// where to listen; repeatable, comma-separated in the variable
    #[arg(
        long = "web.listen-address",
        env = "TWILIO_EMAIL_WEB_LISTEN_ADDRESS",
        value_name = "ADDRESS"
    )]
    #[arg(value_delimiter = ',', value_parser = given(|text: &str| text.trim().parse::<ListenAddress>()))]
    #[arg(hide_env_values = true)]
    listen: Vec<NonEmpty<ListenAddress>>,

    /// Path of the metrics [default: /metrics]
    ///
    /// path of the metrics; not `/`, nor at or below `/-`, `/probe`, `/sd` or `/api`
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

    /// TLS and authentication of the exporter itself: refused by this version
    #[arg(
        long = "web.config.file",
        env = "TWILIO_EMAIL_WEB_CONFIG_FILE",
        value_name = "FILE"
    )]
    #[arg(value_parser = given(PathBufValueParser::new()), hide = true)]
    web_config_file: Option<NonEmpty<PathBuf>>,

    /// Let senders register operations at /api/v1/operations: true or false [default: false]
    ///
    /// let senders register operations at `/api/v1/operations` (see [the API](api.md))
    #[arg(
        long = "web.enable-api",
        env = "TWILIO_EMAIL_WEB_ENABLE_API",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true)]
    enable_api: Option<NonEmpty<bool>>,

    /// Let POST /-/reload load the configuration again, as SIGHUP does: true or false [default: false]
    ///
    /// let `POST /-/reload` load the configuration again (see [Reloading](#reloading))
    #[arg(
        long = "web.enable-lifecycle",
        env = "TWILIO_EMAIL_WEB_ENABLE_LIFECYCLE",
        value_name = "BOOL"
    )]
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = given(BoolValueParser::new()))]
    #[arg(hide_env_values = true, hide_possible_values = true)]
    enable_lifecycle: Option<NonEmpty<bool>>,

    /// The longest graceful shutdown (SIGTERM); current scrapes respond before its end [default: 8s]
    ///
    /// the longest time of a graceful shutdown, from SIGTERM or SIGINT to the end. Current scrapes respond before its end, with the
    /// values known by then. Keep it below the time after which your platform kills: Docker 10 s, Kubernetes 30 s, systemd 90 s. `0s`
    /// stops immediately; at most `1h`
    #[arg(
        long = "shutdown.grace-period",
        env = "TWILIO_EMAIL_SHUTDOWN_GRACE_PERIOD",
        value_name = "DURATION"
    )]
    #[arg(value_parser = given(parse_duration), hide_env_values = true)]
    grace_period: Option<NonEmpty<Duration>>,
}

impl WebOptions {
    /// Adds the options that were set.
    pub fn write_to(&self, overrides: &mut Overrides) {
        overrides.listen = values(&self.listen);
        overrides.telemetry_path = NonEmpty::value(self.telemetry_path.as_ref());
        overrides.timeout_offset = NonEmpty::value(self.timeout_offset.as_ref());
        overrides.web_config_file = NonEmpty::value(self.web_config_file.as_ref());
        overrides.enable_api = NonEmpty::value(self.enable_api.as_ref());
        overrides.enable_lifecycle = NonEmpty::value(self.enable_lifecycle.as_ref());
        overrides.grace_period = NonEmpty::value(self.grace_period.as_ref());
    }
}
