//! The scrape configuration that the page proposes for `prometheus.yml`. It uses the address of the exporter as the browser sent
//! it.

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

use crate::config::{DEFAULT_LISTEN_ADDRESS, DEFAULT_TELEMETRY_PATH};
use crate::web::service::text_of;

/// The longest host with its port: 253 characters of a name, and the port.
const LONGEST_HOST: usize = 260;
/// Set by a proxy that ends TLS before the exporter.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The address of the exporter as a client wrote it.
#[derive(Debug)]
pub(super) struct RequestAddress {
    host: String,
    is_tls: bool,
    /// The exporter, or a proxy before it, requires a password.
    has_password: bool,
}

impl RequestAddress {
    /// `is_tls`: the exporter itself serves TLS.
    pub(super) fn new(uri: &Uri, headers: &HeaderMap, is_tls: bool) -> Self {
        // HTTP/2 has the host in the URI.
        let host = text_of(headers, HOST.as_str()).or(uri.authority().map(Authority::as_str));
        let host = host.filter(|host| is_host(host));
        Self {
            host: host.map_or_else(
                || format!("localhost{DEFAULT_LISTEN_ADDRESS}"),
                str::to_owned,
            ),
            has_password: headers.contains_key(AUTHORIZATION),
            is_tls: is_tls || text_of(headers, FORWARDED_PROTO) == Some("https"),
        }
    }
}

/// The scrape configuration of an exporter at this address.
pub(super) fn snippet(address: &RequestAddress, telemetry_path: &str) -> String {
    let host = &address.host;
    let scheme = if address.is_tls {
        "    scheme: https\n"
    } else {
        ""
    };
    let password = if address.has_password {
        "    basic_auth:\n      username: NAME\n      password_file: /etc/prometheus/twilio-email-password\n"
    } else {
        ""
    };
    let path = if telemetry_path == DEFAULT_TELEMETRY_PATH {
        String::new()
    } else {
        format!("    metrics_path: {telemetry_path}\n")
    };
    format!(
        "scrape_configs:\n  - job_name: twilio-email\n{scheme}{path}{password}    scrape_interval: 30s\n    scrape_timeout: 25s\n    static_configs:\n      - targets: [\"{host}\"]\n"
    )
}

/// Whether the text is a host with or without a port: nothing that could end the quotes of YAML.
fn is_host(text: &str) -> bool {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !text.is_empty() && text.len() <= LONGEST_HOST && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn shown(uri: &str, pairs: &[(&'static str, &str)], path: &str, is_tls: bool) -> String {
        let uri = uri.parse().unwrap();
        snippet(&RequestAddress::new(&uri, &headers(pairs), is_tls), path)
    }

    #[test]
    fn the_snippet_has_the_address_of_the_request() {
        let plain = shown("/", &[("host", "[::1]:10202")], "/metrics", false);
        assert!(plain.contains("targets: [\"[::1]:10202\"]"), "{plain}");
        assert!(
            !plain.contains("scheme") && !plain.contains("metrics_path"),
            "{plain}"
        );
        let proxied = [("host", "mail.example.com"), ("x-forwarded-proto", "https")];
        let proxied = shown("/", &proxied, "/m", false);
        for line in [
            "scheme: https",
            "metrics_path: /m",
            "[\"mail.example.com\"]",
        ] {
            assert!(proxied.contains(line), "{proxied}");
        }
        let http2 = shown("https://mail.example.com:10202/", &[], "/metrics", true);
        for line in ["scheme: https", "[\"mail.example.com:10202\"]"] {
            assert!(http2.contains(line), "{http2}");
        }
    }

    #[test]
    fn a_request_with_a_password_gets_a_snippet_with_one_and_not_its_own() {
        let login = ("authorization", "Basic amFuZTptYWRlLXVw");
        let shown = shown("/", &[("host", "a:1"), login], "/metrics", false);
        for line in ["    basic_auth:\n", "      username: NAME\n"] {
            assert!(shown.contains(line), "{shown}");
        }
        assert!(
            !shown.contains("jane") && !shown.contains("amFu"),
            "{shown}"
        );
    }

    #[test]
    fn a_host_that_is_none_is_not_repeated() {
        for hostile in ["a\"]\nx", "<b>", "a b", ""] {
            assert!(!is_host(hostile), "{hostile}");
        }
        let shown = shown("/", &[("host", "\"><script>")], "/metrics", false);
        assert!(shown.contains("[\"localhost:10202\"]"), "{shown}");
    }
}
