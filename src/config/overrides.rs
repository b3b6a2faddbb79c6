//! The options of the command line that set values of the configuration.

use std::path::PathBuf;
use std::time::Duration;

use super::host::Host;
use super::listen_address::ListenAddress;
use crate::operation::OperationId;

/// The values of the command line and its environment variables. They have priority over the file; `None` (or an empty list)
/// leaves the value to the file and the defaults.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--config.file`.
    pub config_file: Option<PathBuf>,
    /// `--twilio.base-url`: for accounts without their own.
    pub base_url: Option<String>,
    /// `--twilio.ca-file`: for accounts without their own.
    pub ca_file: Option<PathBuf>,
    /// `--twilio.proxy-from-environment`: for accounts without a proxy of their own.
    pub proxy_from_environment: Option<bool>,
    /// `--operation`: for the only account.
    pub operations: Vec<OperationId>,
    /// `--discovery`: for accounts without their own.
    pub discovery: Option<bool>,
    /// `--collector.emails`.
    pub emails_collector: Option<bool>,
    /// `--storage.path`; an empty one keeps everything in memory.
    pub storage_path: Option<PathBuf>,
    /// `--series.max-operations`.
    pub max_operations: Option<usize>,
    /// `--web.listen-address`.
    pub listen: Vec<ListenAddress>,
    /// `--web.systemd-socket`.
    pub systemd_socket: Option<bool>,
    /// `--web.allowed-host`.
    pub allowed_hosts: Vec<Host>,
    /// `--web.telemetry-path`.
    pub telemetry_path: Option<String>,
    /// `--scrape.timeout-offset`.
    pub timeout_offset: Option<Duration>,
    /// `--web.config.file`.
    pub web_config_file: Option<PathBuf>,
    /// `--web.enable-api`.
    pub enable_api: Option<bool>,
    /// `--web.enable-lifecycle`.
    pub enable_lifecycle: Option<bool>,
    /// `--web.grafana-url`.
    pub grafana_url: Option<String>,
    /// `--web.max-requests`; 0 for no limit.
    pub max_requests: Option<usize>,
    /// `--shutdown.grace-period`.
    pub grace_period: Option<Duration>,
}
