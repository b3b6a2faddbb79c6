//! One entry of `operation_urls`: a URL that lists operations, and how to request it. The keys are those of Prometheus' `http_sd`.
//!
//! No problem contains the URL, which may hold a secret.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::form::Form;
use super::problem::Findings;
use super::secret::{self, SecretFile};
use super::walk::{Mapping, Value};
use super::{base_url, duration, source_name};

/// The default interval between requests, as in Prometheus.
pub(super) const REFRESH: Duration = Duration::from_mins(1);
/// A shorter interval is a typing error; with a longer one, the effect of a correction would be seen too late.
const REFRESHES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
/// The default time limit of a whole response.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// A limit shorter than a round trip fails every request; a longer one detects a dead server too late.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_mins(2);

/// A URL that lists operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationUrl {
    /// Without a user name, a password or a fragment. Its path and its query may be secret.
    pub url: UrlInFull,
    /// The name of the source in logs, pages and labels: the configured one, or scheme, host and port with a fingerprint of the rest.
    pub source: Arc<str>,
    /// The time from the start of one request to the next.
    pub refresh_interval: Duration,
    /// The time limit of one request with its response.
    pub timeout: Duration,
    /// The credentials of the requests.
    pub login: Option<UrlLogin>,
    /// The settings of TLS.
    pub tls: Tls,
}

/// A URL whose `Debug` text has neither path nor query.
#[derive(Clone, PartialEq, Eq)]
pub struct UrlInFull(pub Url);

/// The credentials for a URL. The secrets are in files, which are read again before each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlLogin {
    /// HTTP Basic.
    Basic {
        /// The user name.
        username: String,
        /// The file of the password.
        password_file: SecretFile,
    },
    /// `Authorization: SCHEME CREDENTIALS`.
    Authorization {
        /// `Bearer` by default.
        scheme: String,
        /// The file of the credentials.
        credentials_file: SecretFile,
    },
}

/// The settings of TLS. The files are read again before each request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The only trusted authorities; `None`: those of the operating system.
    pub ca_file: Option<PathBuf>,
    /// The certificate and the key of the client.
    pub client: Option<(PathBuf, PathBuf)>,
    /// The name in the server's certificate, if it differs from the URL's host.
    pub server_name: Option<String>,
    /// Whether every certificate is accepted.
    pub insecure_skip_verify: bool,
}

impl OperationUrl {
    /// Whether the user has named it.
    pub(super) fn is_named(&self) -> bool {
        *self.source != *source_name::of(&self.url.0)
    }
}

impl fmt::Debug for UrlInFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&source_name::of(&self.0))
    }
}

/// Reads one item of `operation_urls`; `None` if a problem was reported.
pub(super) fn read(
    value: &Value,
    directory: &Path,
    findings: &mut Findings,
) -> Option<OperationUrl> {
    let mut mapping = value.mapping(findings)?;
    let place = mapping.place_of("url");
    let url = mapping.require("url", findings);
    let url = url.and_then(|url| read_url(&url, findings));
    let name = mapping
        .take("name")
        .and_then(|name| read_source_name(&name, findings));
    let refresh_interval = span(
        &mut mapping,
        "refresh_interval",
        REFRESH,
        &REFRESHES,
        findings,
    );
    let timeout = span(&mut mapping, "timeout", TIMEOUT, &TIMEOUTS, findings);
    let login = read_login(&mut mapping, directory, findings);
    let tls = match mapping.take("tls_config") {
        Some(value) => read_tls(&value, directory, findings),
        None => Tls::default(),
    };
    mapping.finish(findings);
    let url = url?;
    if login.is_some() && url.scheme() == "http" && !base_url::is_loopback(&url) {
        findings.notice(&place, "credentials are sent unencrypted; use https://");
    }
    if tls != Tls::default() && url.scheme() == "http" {
        findings.notice(&place, "tls_config is for https:// and does nothing here");
    }
    Some(OperationUrl {
        source: name.map_or_else(|| Arc::from(source_name::of(&url)), Arc::from),
        url: UrlInFull(url),
        refresh_interval,
        timeout,
        login,
        tls,
    })
}

/// No problem contains the text itself, which may hold a password.
fn read_url(value: &Value, findings: &mut Findings) -> Option<Url> {
    let text = value.text(findings)?;
    let wrong = match Url::parse(text.trim()) {
        Err(error) => format!("not a URL ({error}); expected http:// or https://"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            "expected http:// or https://".to_owned()
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "the URL must not contain a user name or a password; use `basic_auth`".to_owned()
        }
        Ok(url) if url.fragment().is_some() => {
            "the fragment (from # on) is never sent; remove it".to_owned()
        }
        Ok(url) => return Some(url),
    };
    findings.problem(&value.place, wrong);
    None
}

fn read_source_name<'d>(value: &Value<'d>, findings: &mut Findings) -> Option<&'d str> {
    let name = value.text(findings)?;
    findings.take(&value.place, source_name::check(name))?;
    Some(name)
}

fn span(
    mapping: &mut Mapping,
    key: &'static str,
    usual: Duration,
    range: &RangeInclusive<Duration>,
    findings: &mut Findings,
) -> Duration {
    let Some(value) = mapping.take(key) else {
        return usual;
    };
    let text = value.text(findings);
    let given = text.and_then(|text| findings.take(&value.place, duration::parse(text)));
    match given {
        Some(given) if !range.contains(&given) => {
            let words = if *range == REFRESHES {
                "100ms to 1d"
            } else {
                "10ms to 2m"
            };
            findings.problem(&value.place, format_args!("expected {words}"));
            usual
        }
        given => given.unwrap_or(usual),
    }
}

fn read_login(
    account: &mut Mapping,
    directory: &Path,
    findings: &mut Findings,
) -> Option<UrlLogin> {
    let basic = account.take("basic_auth");
    let authorization = account.take("authorization");
    if let (Some(_), Some(second)) = (&basic, &authorization) {
        findings.problem(
            &second.place,
            "set together with `basic_auth`; remove one of the two",
        );
    }
    let basic = basic.and_then(|value| read_basic(&value, directory, findings));
    let authorization =
        authorization.and_then(|value| read_authorization(&value, directory, findings));
    basic.or(authorization)
}

fn read_basic(value: &Value, directory: &Path, findings: &mut Findings) -> Option<UrlLogin> {
    let mut mapping = value.mapping(findings)?;
    let username = mapping.require("username", findings);
    let place = mapping.place_of("username");
    let username = username.and_then(|value| value.text(findings));
    if username.is_some_and(|name| name.contains(|c: char| c == ':' || c.is_control())) {
        findings.problem(
            &place,
            "a user name must not contain `:` or control characters",
        );
    }
    let password_file = secret_file(
        &mut mapping,
        ["password_file", "password"],
        Form::Password,
        directory,
        findings,
    );
    mapping.finish(findings);
    Some(UrlLogin::Basic {
        username: username?.to_owned(),
        password_file: password_file?,
    })
}

fn read_authorization(
    value: &Value,
    directory: &Path,
    findings: &mut Findings,
) -> Option<UrlLogin> {
    let mut mapping = value.mapping(findings)?;
    let mut scheme = "Bearer";
    if let Some(value) = mapping.take("type")
        && let Some(text) = value.text(findings)
    {
        // A token as in RFC 9110, without its unusual characters.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.eq_ignore_ascii_case("basic") {
            findings.problem(&value.place, "for Basic, use `basic_auth`");
        } else if text.is_empty() || !text.chars().all(plain) {
            findings.problem(&value.place, "expected one word, such as Bearer");
        }
        scheme = text;
    }
    let names = ["credentials_file", "credentials"];
    let credentials_file = secret_file(&mut mapping, names, Form::Credentials, directory, findings);
    mapping.finish(findings);
    Some(UrlLogin::Authorization {
        scheme: scheme.to_owned(),
        credentials_file: credentials_file?,
    })
}

/// Reads the file in the key `file` for the first time; the key `inline` is refused.
fn secret_file(
    mapping: &mut Mapping,
    [file, inline]: [&'static str; 2],
    form: Form,
    directory: &Path,
    findings: &mut Findings,
) -> Option<SecretFile> {
    let refused = mapping.has_refused(inline);
    let value = mapping.take(file);
    if refused {
        let message = format_args!(
            "a secret must not be in this file: write it to a file of its own and set `{file}`"
        );
        findings.problem(&mapping.place_of(inline), message);
        return None;
    }
    let Some(value) = value else {
        findings.problem(&mapping.place_of(file), "missing");
        return None;
    };
    let named = file_name(&value, findings)?;
    let read = SecretFile::read(&value.place, directory, named, form);
    findings.take(&value.place, read).map(|(file, _)| file)
}

fn read_tls(value: &Value, directory: &Path, findings: &mut Findings) -> Tls {
    let Some(mut mapping) = value.mapping(findings) else {
        return Tls::default();
    };
    let mut file = |key: &'static str, findings: &mut Findings| {
        let value = mapping.take(key)?;
        let named = file_name(&value, findings)?;
        let path = directory.join(named);
        let readable = secret::check_readable(named, &path);
        findings.take(&value.place, readable).map(|()| path)
    };
    let ca_file = file("ca_file", findings);
    let cert_file = file("cert_file", findings);
    let key_file = file("key_file", findings);
    for (one, other) in [("cert_file", "key_file"), ("key_file", "cert_file")] {
        if mapping.has(one) && !mapping.has(other) {
            findings.problem(
                &mapping.place_of(other),
                format_args!("missing, but needed with `{one}`"),
            );
        }
    }
    let server_name = mapping
        .take("server_name")
        .and_then(|value| read_name(&value, findings));
    let skip = mapping.take("insecure_skip_verify");
    let skip_place = mapping.place_of("insecure_skip_verify");
    let insecure_skip_verify = skip
        .and_then(|value| value.boolean(findings))
        .unwrap_or(false);
    if insecure_skip_verify {
        findings.notice(
            &skip_place,
            "the server's certificate is not verified; use `ca_file` instead",
        );
    }
    mapping.finish(findings);
    Tls {
        ca_file,
        client: cert_file.zip(key_file),
        server_name,
        insecure_skip_verify,
    }
}

fn file_name<'d>(value: &Value<'d>, findings: &mut Findings) -> Option<&'d str> {
    let text = value.text(findings)?;
    if text.is_empty() {
        findings.problem(&value.place, "empty; name a file");
        return None;
    }
    Some(text)
}

fn read_name(value: &Value, findings: &mut Findings) -> Option<String> {
    let host = Host::parse(value.text(findings)?);
    if let Ok(Host::Domain(name)) = host {
        return Some(name);
    }
    findings.problem(&value.place, "expected the name of a host");
    None
}

#[cfg(test)]
mod tests;
