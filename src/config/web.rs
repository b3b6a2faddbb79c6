//! The HTTP server of the exporter. Only options set it; TLS and authentication are in the web configuration, see `web_config`.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Overrides;
use super::base_url::{self, BaseUrlError};
use super::host::Host;
use super::listen_address::ListenAddress;
use super::problem::Findings;
use super::walk::expected_whole;

/// The default path of the exposition.
pub const DEFAULT_TELEMETRY_PATH: &str = "/metrics";
/// The default address.
pub const DEFAULT_LISTEN_ADDRESS: ListenAddress = ListenAddress::AllInterfaces(10202);
/// The default time limit of a shutdown: Docker kills after 10 s, Kubernetes after 30 s, systemd after 90 s.
pub const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(8);
/// The default of `node_exporter`'s option of this name. Two Prometheus servers with ten probes each use half of it.
pub const DEFAULT_MAX_REQUESTS: NonZeroUsize = NonZeroUsize::new(40).unwrap();
/// The allowed values of `--web.max-requests`, up to the most connections; 0: no limit.
pub const MAX_REQUESTS: RangeInclusive<usize> = 0..=512;
/// No platform waits longer. A wrong unit is reported at startup, not at shutdown.
const LONGEST_GRACE_PERIOD: Duration = Duration::from_hours(1);

/// The other paths of the exporter, which the exposition cannot have.
const TAKEN: [&str; 6] = ["/-", "/probe", "/sd", "/api", "/operations", "/assets"];

/// The HTTP server of the exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// At least one, each once; unused with `systemd_socket`.
    pub listen: Vec<ListenAddress>,
    /// Whether systemd passes the sockets to listen on.
    pub systemd_socket: bool,
    /// The allowed hosts of requests; empty: all.
    pub allowed_hosts: Vec<Host>,
    /// The path of the exposition; starts with `/`, made of unreserved characters.
    pub telemetry_path: String,
    /// Whether operations can be registered over HTTP.
    pub enable_api: bool,
    /// Whether `POST /-/reload` loads the configuration again.
    pub enable_lifecycle: bool,
    /// The file with TLS and authentication of the exporter itself.
    pub config_file: Option<PathBuf>,
    /// The Grafana that pages link to.
    pub grafana: Option<Url>,
    /// The most scrapes and probes at the same time; `None` without a limit.
    pub max_requests: Option<NonZeroUsize>,
    /// The time limit of a shutdown.
    pub grace_period: Duration,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: vec![DEFAULT_LISTEN_ADDRESS],
            systemd_socket: false,
            allowed_hosts: Vec::new(),
            telemetry_path: DEFAULT_TELEMETRY_PATH.to_owned(),
            enable_api: false,
            enable_lifecycle: false,
            config_file: None,
            grafana: None,
            max_requests: Some(DEFAULT_MAX_REQUESTS),
            grace_period: DEFAULT_GRACE_PERIOD,
        }
    }
}

impl Web {
    /// Only the command line sets it.
    pub(super) fn read(overrides: &Overrides, findings: &mut Findings) -> Self {
        let mut web = Self::default();
        if !overrides.listen.is_empty() {
            findings.take("--web.listen-address", check_listen(&overrides.listen));
            web.listen.clone_from(&overrides.listen);
        }
        web.systemd_socket = overrides.systemd_socket == Some(true);
        if web.systemd_socket && !overrides.listen.is_empty() {
            let message =
                "the sockets of systemd replace --web.listen-address; remove one of the two";
            findings.problem("--web.systemd-socket", message);
        }
        web.allowed_hosts.clone_from(&overrides.allowed_hosts);
        if let Some(path) = &overrides.telemetry_path {
            findings.take("--web.telemetry-path", check_path(path));
            web.telemetry_path.clone_from(path);
        }
        web.enable_api = overrides.enable_api == Some(true);
        web.enable_lifecycle = overrides.enable_lifecycle == Some(true);
        if let Some(url) = &overrides.grafana_url {
            web.grafana = findings.take("--web.grafana-url", read_grafana(url));
        }
        if let Some(most) = overrides.max_requests {
            findings.take("--web.max-requests", check_max_requests(most));
            web.max_requests = NonZeroUsize::new(most);
        }
        if let Some(grace_period) = overrides.grace_period {
            findings.take("--shutdown.grace-period", check_grace_period(grace_period));
            web.grace_period = grace_period;
        }
        web.config_file.clone_from(&overrides.web_config_file);
        web
    }
}

fn check_listen(addresses: &[ListenAddress]) -> Result<(), String> {
    let mut seen = HashSet::new();
    match addresses.iter().find(|address| !seen.insert(*address)) {
        Some(twice) => Err(format!("{twice} is listed twice; remove one")),
        None => Ok(()),
    }
}

fn check_max_requests(most: usize) -> Result<(), String> {
    if MAX_REQUESTS.contains(&most) {
        Ok(())
    } else {
        Err(expected_whole(&MAX_REQUESTS))
    }
}

fn check_grace_period(grace_period: Duration) -> Result<(), String> {
    if grace_period > LONGEST_GRACE_PERIOD {
        return Err("expected at most 1h; no scrape takes longer than ten minutes".to_owned());
    }
    Ok(())
}

/// The address of a Grafana. Pages show it to everybody, so it must not contain a password. The error does not repeat it.
fn read_grafana(text: &str) -> Result<Url, String> {
    base_url::plain(text).map_err(|error| match error {
        BaseUrlError::NotAUrl(error) => {
            format!("not a URL ({error}); expected one like https://grafana.example.com")
        }
        BaseUrlError::Credentials => {
            "the URL must not contain a user name or a password, because pages show it".to_owned()
        }
        other => other.to_string(),
    })
}

fn check_path(path: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '.' | '_' | '~');
    if !path.starts_with('/') {
        return Err("expected a path that starts with /".to_owned());
    }
    if path == "/" {
        return Err("the landing page is at /; choose another path, such as /metrics".to_owned());
    }
    if !path.chars().all(plain)
        || path.contains("//")
        || path.split('/').any(|part| matches!(part, "." | ".."))
    {
        return Err("expected a plain path of letters, digits, / - . _ and ~".to_owned());
    }
    let below = |taken: &&&str| {
        path.strip_prefix(**taken)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match TAKEN.iter().find(below) {
        Some(taken) => Err(format!(
            "{taken} is the exporter's own; choose another path, such as /metrics"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_address_is_a_problem() {
        let parse = |text: &str| text.parse::<ListenAddress>().unwrap();
        let different = [":1", "127.0.0.1:1", "localhost:1", "unix:/a"].map(parse);
        assert_eq!(check_listen(&different), Ok(()));
        let twice = ["unix:/a", ":1", "unix:/a"].map(parse);
        let reported = check_listen(&twice).unwrap_err();
        assert_eq!(reported, "unix:/a is listed twice; remove one");
    }

    #[test]
    fn sockets_of_systemd_and_addresses_exclude_each_other() {
        let mut overrides = Overrides {
            systemd_socket: Some(true),
            ..Overrides::default()
        };
        let mut findings = Findings::default();
        assert!(Web::read(&overrides, &mut findings).systemd_socket);
        assert!(findings.problems.is_empty());
        overrides.listen = vec![ListenAddress::AllInterfaces(1)];
        Web::read(&overrides, &mut findings);
        assert_eq!(findings.problems[0].place, "--web.systemd-socket");
    }

    #[test]
    fn the_number_of_scrapes_at_the_same_time_has_a_bound() {
        for (most, fits) in [(0, true), (1, true), (512, true), (513, false)] {
            assert_eq!(check_max_requests(most).is_ok(), fits, "{most}");
        }
        let overrides = Overrides {
            max_requests: Some(0),
            ..Overrides::default()
        };
        let web = Web::read(&overrides, &mut Findings::default());
        assert_eq!(web.max_requests, None);
        assert_eq!(Web::default().max_requests, Some(DEFAULT_MAX_REQUESTS));
    }

    #[test]
    fn a_grace_period_has_a_bound() {
        for (seconds, fits) in [
            (0, true),
            (25, true),
            (3600, true),
            (3601, false),
            (u64::MAX, false),
        ] {
            let checked = check_grace_period(Duration::from_secs(seconds));
            assert_eq!(checked.is_ok(), fits, "{seconds}");
        }
    }

    #[test]
    fn a_grafana_url_is_plain() {
        for url in [
            "https://grafana.example.com",
            "http://grafana:3000/sub/path/",
        ] {
            assert!(read_grafana(url).is_ok(), "{url}");
        }
        for url in [
            "grafana:3000",
            "javascript:alert(1)",
            "",
            "https://me:made-up@a",
            "https://a/?x=1",
        ] {
            let error = read_grafana(url).unwrap_err();
            assert!(!error.contains("made-up"), "{error}");
        }
    }

    #[test]
    fn the_exporters_own_paths_stay_its_own() {
        for path in ["/metrics", "/a/b-c_d.e~", "/sdk", "/-metrics", "/probes"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        for path in [
            "",
            "metrics",
            "/",
            "/-/healthy",
            "/operations/x",
            "/assets",
            "/probe",
            "/sd/",
            "/api/v1",
            "/a b",
            "/{a}",
            "/a?b",
            "//",
            "/../a",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
    }
}
