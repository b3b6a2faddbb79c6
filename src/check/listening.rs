//! The HTTP server: its web configuration, and whether its addresses are free. If an address is in use, a request shows whether an
//! exporter with this configuration uses it.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::configuration::{hangs, notices, problems};
use super::result::{Area, CheckResult, Section, WEB_CONFIGURATION};
use super::settings::{Settings, on_disk};
use crate::config::{DEFAULT_LISTEN_ADDRESS, ListenAddress, Web};
use crate::web::listeners::{self, ListenError};
use crate::web::{HealthError, check_health};
use crate::web_config::{self, ReadFiles, WebConfig};

/// The name of the check of an address.
const LISTEN: &str = "listen_address";

/// The longest time for binding addresses, which may have to resolve a name.
const BIND_LIMIT: Duration = Duration::from_secs(10);
/// A socket on this machine accepts or refuses immediately.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// The results about the HTTP server.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) section: Section,
    /// Whether an exporter responds at one of the addresses.
    pub(super) has_exporter: bool,
}

/// Checks the web configuration and the addresses of `web`.
pub(super) async fn check(web: &Web, settings: &Settings<'_>) -> Server {
    let mut results = Vec::new();
    let config = match &web.config_file {
        None => Some(WebConfig::default()),
        Some(path) => web_config(path, settings, &mut results).await,
    };
    let has_exporter = addresses(web, config.as_ref(), settings, &mut results).await;
    Server {
        section: Section {
            area: Area::Server,
            results,
        },
        has_exporter,
    }
}

async fn web_config(
    path: &Path,
    settings: &Settings<'_>,
    results: &mut Vec<CheckResult>,
) -> Option<WebConfig> {
    let (file, now) = (path.to_owned(), settings.clock.now());
    let loaded = on_disk(move || web_config::load(&file, now, &ReadFiles::default()).0).await;
    match loaded {
        None => {
            results.push(hangs(WEB_CONFIGURATION, "the web configuration"));
            None
        }
        Some(Err(error)) => {
            results.extend(problems(WEB_CONFIGURATION, &error));
            None
        }
        Some(Ok(config)) => {
            results.push(CheckResult::ok(WEB_CONFIGURATION, valid(path, &config)));
            results.extend(notices(WEB_CONFIGURATION, &config.notices));
            Some(config)
        }
    }
}

fn valid(path: &Path, config: &WebConfig) -> String {
    let tls = match &config.tls {
        None => "no TLS",
        Some(tls) if tls.verifies_clients => "TLS with client certificates",
        Some(_) => "TLS",
    };
    let users = match config.users.all().len() {
        0 => "no passwords".to_owned(),
        1 => "1 user".to_owned(),
        many => format!("{many} users"),
    };
    format!("{} is valid: {tls}, {users}", path.display())
}

/// Returns whether an exporter responds at one of the addresses.
async fn addresses(
    web: &Web,
    config: Option<&WebConfig>,
    settings: &Settings<'_>,
    results: &mut Vec<CheckResult>,
) -> bool {
    if web.systemd_socket {
        let why = "systemd passes the sockets when it starts the exporter";
        results.push(CheckResult::skipped(LISTEN, why));
        return false;
    }
    let mut has_exporter = false;
    let mut free = Vec::new();
    for address in &web.listen {
        if settings.offline && matches!(address, ListenAddress::Name { .. }) {
            let why = format!("With --offline, the name in {address} is not resolved");
            results.push(CheckResult::skipped(LISTEN, why));
        } else if is_stale_socket(address).await {
            let what =
                format!("{address} is the socket of a dead process; the exporter replaces it");
            results.push(CheckResult::ok(LISTEN, what));
        } else {
            match bind(web, std::slice::from_ref(address)).await {
                Ok(()) => {
                    free.push(address.clone());
                    let what = format!("The exporter can listen on {address}");
                    results.push(CheckResult::ok(LISTEN, what));
                }
                Err(error) if error.is_in_use() && is_exporter(address, config, settings).await => {
                    has_exporter = true;
                    let what = format!("{error} It may be the running exporter");
                    results.push(CheckResult::warning(LISTEN, what));
                }
                Err(error) => results.push(CheckResult::failed(LISTEN, error)),
            }
        }
    }
    // Addresses that are each free may conflict with each other, such as `:10202` and `127.0.0.1:10202`.
    if let Err(error) = bind(web, &free).await {
        results.push(CheckResult::failed(LISTEN, error));
    }
    has_exporter
}

/// Binds the addresses as the exporter does, for a moment.
async fn bind(web: &Web, addresses: &[ListenAddress]) -> Result<(), ListenError> {
    let web = Web {
        listen: addresses.to_vec(),
        ..web.clone()
    };
    let bound = timeout(BIND_LIMIT, listeners::bind(&web)).await;
    let late = |_| {
        let address = addresses.first().cloned().unwrap_or(DEFAULT_LISTEN_ADDRESS);
        let seconds = BIND_LIMIT.as_secs();
        Err(ListenError::Address {
            address,
            problem: format!(
                "resolving its name takes longer than {seconds} s. Check DNS, or give an IP address."
            ),
        })
    };
    bound.unwrap_or_else(late).map(drop)
}

/// Whether the address is a unix socket that nobody listens on any more. Binding would remove it.
async fn is_stale_socket(address: &ListenAddress) -> bool {
    let ListenAddress::Unix(path) = address else {
        return false;
    };
    let connected = timeout(CONNECT_LIMIT, UnixStream::connect(path)).await;
    matches!(connected, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused)
}

/// Whether an exporter with this configuration may listen on `address`. With `--offline` it makes no request and returns true.
async fn is_exporter(
    address: &ListenAddress,
    config: Option<&WebConfig>,
    settings: &Settings<'_>,
) -> bool {
    if settings.offline {
        return true;
    }
    let Some(config) = config else {
        return false;
    };
    match check_health(address, config).await {
        Ok(()) | Err(HealthError::ClientCertificate | HealthError::Password) => true,
        Err(HealthError::NotReady { status, .. }) => status == 503,
        Err(_) => false,
    }
}
