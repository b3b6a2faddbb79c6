//! What to paste into `prometheus.yml`: the exporter's address as the request came in.

use axum::http::HeaderMap;
use axum::http::header::HOST;

use crate::config::{DEFAULT_LISTEN_ADDRESS, DEFAULT_TELEMETRY_PATH};
use crate::web::service::text_of;

/// The longest host with its port: 253 characters of a name, and the port.
const LONGEST_HOST: usize = 260;
/// Set by a proxy that ends TLS before the exporter.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The scrape configuration for a request with these headers. `is_tls`: the exporter itself speaks TLS.
pub(super) fn snippet(headers: &HeaderMap, telemetry_path: &str, is_tls: bool) -> String {
    let host = text_of(headers, HOST.as_str()).filter(|host| is_host(host));
    let host = host.map_or_else(
        || format!("localhost{DEFAULT_LISTEN_ADDRESS}"),
        str::to_owned,
    );
    let is_tls = is_tls || text_of(headers, FORWARDED_PROTO) == Some("https");
    let scheme = if is_tls { "    scheme: https\n" } else { "" };
    let path = if telemetry_path == DEFAULT_TELEMETRY_PATH {
        String::new()
    } else {
        format!("    metrics_path: {telemetry_path}\n")
    };
    format!(
        "scrape_configs:\n  - job_name: twilio-email\n{scheme}{path}    scrape_interval: 30s\n    scrape_timeout: 25s\n    static_configs:\n      - targets: [\"{host}\"]\n"
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

    #[test]
    fn the_snippet_has_the_address_of_the_request() {
        let plain = snippet(&headers(&[("host", "[::1]:10202")]), "/metrics", false);
        assert!(plain.contains("targets: [\"[::1]:10202\"]"), "{plain}");
        assert!(
            !plain.contains("scheme") && !plain.contains("metrics_path"),
            "{plain}"
        );
        let behind = headers(&[("host", "mail.example.com"), ("x-forwarded-proto", "https")]);
        let behind = snippet(&behind, "/m", false);
        for line in [
            "scheme: https",
            "metrics_path: /m",
            "[\"mail.example.com\"]",
        ] {
            assert!(behind.contains(line), "{behind}");
        }
        assert!(snippet(&headers(&[]), "/metrics", true).contains("scheme: https"));
    }

    #[test]
    fn a_host_that_is_none_is_not_repeated() {
        for hostile in ["a\"]\nx", "<b>", "a b", ""] {
            assert!(!is_host(hostile), "{hostile}");
        }
        let shown = snippet(&headers(&[("host", "\"><script>")]), "/metrics", false);
        assert!(shown.contains("[\"localhost:10202\"]"), "{shown}");
    }
}
