//! A URL that lists operations, and how to ask there; the keys are those of Prometheus' `http_sd`.

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

/// How often it is asked, unless said otherwise; as Prometheus does.
pub(super) const REFRESH: Duration = Duration::from_mins(1);
/// More often is a slip of the keyboard, and more rarely nobody would wait to see a cure work.
const REFRESHES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
/// For the whole answer, unless said otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than a round trip, and everything fails; longer, and a dead peer is found out too late.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_mins(2);

/// A URL that lists operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationUrl {
    /// Without a user name, a password or a fragment. Its path and its query may be secret.
    pub url: UrlInFull,
    /// How it is called where others read: as the user names it, or scheme, host and port with a fingerprint of the rest.
    pub source: Arc<str>,
    /// Between the beginnings of two requests.
    pub refresh_interval: Duration,
    /// For one request, answer included.
    pub timeout: Duration,
    /// What it shows to be let in.
    pub login: Option<UrlLogin>,
    /// How TLS is spoken.
    pub tls: Tls,
}

/// A URL of which `Debug` shows neither path nor query.
#[derive(Clone, PartialEq, Eq)]
pub struct UrlInFull(pub Url);

/// What a URL is shown. The secrets stand in files, which are read anew each time.
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
        /// `Bearer` unless said otherwise.
        scheme: String,
        /// The file of the credentials.
        credentials_file: SecretFile,
    },
}

/// How TLS is spoken; files are read anew each time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The only authorities that are trusted; `None`: the operating system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate and the key that the client shows.
    pub client: Option<(PathBuf, PathBuf)>,
    /// The name that the server's certificate has, where it is not the URL's.
    pub server_name: Option<String>,
    /// Whether anybody's certificate will do.
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

/// Reads one item of `operation_urls`; `None` means that a problem has been told.
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
        findings.notice(
            &place,
            "credentials cross the network in the clear; use https://",
        );
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

/// Says nothing of the text itself: somebody may have put a password into it.
fn read_url(value: &Value, findings: &mut Findings) -> Option<Url> {
    let text = value.text(findings)?;
    let wrong = match Url::parse(text.trim()) {
        Err(error) => format!("not a URL ({error}); expected http:// or https://"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            "expected http:// or https://".to_owned()
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "a user name or a password does not belong into the URL; give `basic_auth`".to_owned()
        }
        Ok(url) if url.fragment().is_some() => {
            "what starts with # is never sent; take it away".to_owned()
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
            "given beside `basic_auth`; leave one of the two out",
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
            "a user name holds neither `:` nor control characters",
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
        // The token of RFC 9110, without what nobody uses.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.eq_ignore_ascii_case("basic") {
            findings.problem(&value.place, "for Basic give `basic_auth`");
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

/// The file that the key `file` names, which holds a secret now; the key `inline` is refused.
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
            "a secret does not stand in this file: write it into a file of its own and name that as `{file}`"
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
                format_args!("missing, but needed beside `{one}`"),
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
            "whoever answers is believed; give `ca_file` instead",
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
