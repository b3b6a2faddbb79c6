//! How an account's requests reach Twilio: the proxy, and the certificate authorities that the exporter trusts. The keys of the
//! proxy are those of Prometheus' HTTP clients
//! (<https://prometheus.io/docs/prometheus/latest/configuration/configuration/#http_config>).
//!
//! No problem contains a proxy's URL, which may hold a password.

use std::fmt;
use std::path::Path;

use url::Url;

use super::environment::Environment;
use super::problem::Findings;
use super::walk::{Mapping, Value};
use crate::http::{Authorities, AuthoritiesError};
use crate::rotation;

/// The largest file of authorities. Those of all operating systems have about 250 KiB.
const LARGEST: u64 = 1024 * 1024;
/// The schemes of proxies. `socks5h` lets the proxy resolve the host's name.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
/// Requests to this machine use no proxy from the environment, as in Go
/// (<https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config.ProxyFunc>).
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// How requests reach Twilio.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// `None`: no proxy.
    pub proxy: Option<Proxy>,
    /// The only trusted authorities; `None`: those of the operating system.
    pub(crate) authorities: Option<Authorities>,
}

/// The proxies between the exporter and Twilio.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxy {
    /// For `http://`.
    pub http: Option<ProxyUrl>,
    /// For `https://`.
    pub https: Option<ProxyUrl>,
    /// The hosts without a proxy, as in the variable `NO_PROXY`.
    pub no_proxy: String,
}

/// The URL of a proxy. It may hold a password, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(pub Url);

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.0.host_str(), self.0.port());
        write!(f, "{}://{}", self.0.scheme(), host.unwrap_or_default())?;
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Network {
    /// Reads the options, which are for accounts without their own keys.
    pub(super) fn from_options(
        proxy_from_environment: bool,
        ca_file: Option<&Path>,
        environment: Environment,
        findings: &mut Findings,
    ) -> Self {
        let place = "--twilio.proxy-from-environment";
        let proxy = proxy_from_environment
            .then(|| from_environment(place, environment, findings))
            .flatten();
        let authorities =
            ca_file.and_then(|path| read_authorities("--twilio.ca-file", path, findings));
        Self { proxy, authorities }
    }

    /// Reads the keys of an account. Missing keys have the values of `defaults`.
    pub(super) fn read(
        account: &mut Mapping,
        directory: &Path,
        environment: Environment,
        defaults: &Self,
        findings: &mut Findings,
    ) -> Self {
        let proxy_url = account.take("proxy_url");
        let no_proxy = account.take("no_proxy");
        let from_variables = account.take("proxy_from_environment");
        let is_set = proxy_url.is_some() || from_variables.is_some();
        if proxy_url.is_none()
            && let Some(no_proxy) = &no_proxy
        {
            let message =
                "needs `proxy_url`; with `proxy_from_environment`, set the variable NO_PROXY";
            findings.problem(&no_proxy.place, message);
        }
        let no_proxy = no_proxy.and_then(|value| value.text(findings));
        let mut proxy = proxy_url
            .as_ref()
            .and_then(|value| read_proxy(value, no_proxy.unwrap_or(""), findings));
        if let Some(value) = from_variables
            && value.boolean(findings) == Some(true)
        {
            if proxy_url.is_some() {
                let message = "set together with `proxy_url`; remove one of the two";
                findings.problem(&value.place, message);
            }
            proxy = from_environment(&value.place, environment, findings);
        }
        let authorities = match account.take("ca_file") {
            None => defaults.authorities.clone(),
            Some(value) => value
                .text(findings)
                .and_then(|path| read_authorities(&value.place, &directory.join(path), findings)),
        };
        Self {
            proxy: if is_set {
                proxy
            } else {
                defaults.proxy.clone()
            },
            authorities,
        }
    }
}

fn read_proxy(value: &Value, no_proxy: &str, findings: &mut Findings) -> Option<Proxy> {
    let text = value.text(findings)?;
    let url = ProxyUrl(findings.take(&value.place, parse(text))?);
    Some(Proxy {
        http: Some(url.clone()),
        https: Some(url),
        no_proxy: no_proxy.to_owned(),
    })
}

/// The proxies of the environment; `None` if it names none.
fn from_environment(
    place: &str,
    environment: Environment,
    findings: &mut Findings,
) -> Option<Proxy> {
    let variable = |name: &str| {
        let names = [name.to_owned(), name.to_lowercase()];
        let mut values = names.iter().filter_map(|name| environment(name));
        values.find(|value| !value.trim().is_empty())
    };
    let mut proxy = |name: &str| {
        let text = variable(name)?;
        // A variable may contain only host and port.
        let text = if text.contains("://") {
            text
        } else {
            format!("http://{text}")
        };
        let url = parse(&text).map_err(|error| format!("the variable {name}: {error}"));
        findings.take(place, url).map(ProxyUrl)
    };
    let (http, https) = (proxy("HTTP_PROXY"), proxy("HTTPS_PROXY"));
    let no_proxy = match variable("NO_PROXY") {
        Some(hosts) => format!("{LOOPBACK},{hosts}"),
        None => LOOPBACK.to_owned(),
    };
    (http.is_some() || https.is_some()).then_some(Proxy {
        http,
        https,
        no_proxy,
    })
}

/// The error does not contain the text.
fn parse(text: &str) -> Result<Url, String> {
    let expected = "expected the URL of a proxy, such as http://proxy:3128";
    let url =
        Url::parse(text.trim()).map_err(|error| format!("not a URL ({error}); {expected}"))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(format!("{expected}, with http, https, socks5 or socks5h"));
    }
    if url.host().is_none() {
        return Err(format!("no host; {expected}"));
    }
    Ok(url)
}

fn read_authorities(place: &str, path: &Path, findings: &mut Findings) -> Option<Authorities> {
    if path.to_string_lossy().contains("-----BEGIN") {
        let message = "expected the name of a file; write the certificates to a file";
        findings.problem(place, message);
        return None;
    }
    let content = rotation::read(path, LARGEST)
        .map_err(|error| format!("cannot read {}: {error}", path.display()));
    let content = findings.take(place, content)?;
    let authorities = Authorities::from_pem(content.as_bytes()).map_err(|error| {
        let cause = match error {
            AuthoritiesError::None => "has no certificates in PEM",
            AuthoritiesError::Invalid => "has a certificate that cannot be read",
        };
        format!("{} {cause}", path.display())
    });
    findings.take(place, authorities)
}

#[cfg(test)]
mod tests;
