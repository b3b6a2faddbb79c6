//! The base URL of Twilio's API.
//!
//! No error contains the text of a URL, and no log line or page contains a path that may hold a secret.

use url::{Host, Url};

use super::problem::Findings;

/// The base URL of Twilio itself.
pub const DEFAULT: &str = "https://comms.twilio.com/v1";

/// The path of [`DEFAULT`].
const DEFAULT_PATH: &str = "/v1";

/// Why a text is not a base URL. It never contains the text, which may hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BaseUrlError {
    #[error("not a URL ({0}); expected one like {DEFAULT}")]
    NotAUrl(url::ParseError),
    #[error("expected http:// or https://")]
    Scheme,
    #[error(
        "the URL must not contain a user name or a password; set the account's credentials instead"
    )]
    Credentials,
    #[error("a base URL ends with its path; remove the part from ? or # on")]
    QueryOrFragment,
}

/// Parses `text`, the value at `place`, and reports problems and notices.
pub(super) fn read(place: &str, text: &str, findings: &mut Findings) -> Option<Url> {
    let url = findings.take(place, parse(text))?;
    notice_if_in_the_clear(place, &url, findings);
    Some(url)
}

/// Adds a notice if requests to `url` cross the network without TLS.
pub(super) fn notice_if_in_the_clear(place: &str, url: &Url, findings: &mut Findings) {
    if url.scheme() == "http" && !is_loopback(url) {
        findings.notice(
            place,
            "credentials and stats are sent unencrypted; use https://",
        );
    }
}

/// The URL with exactly one `/` at its end, so that `Url::join` keeps the whole path.
pub(super) fn parse(text: &str) -> Result<Url, BaseUrlError> {
    let mut url = plain(text)?;
    let path = format!("{}/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// Parses a URL for HTTP without credentials, query and fragment.
pub(super) fn plain(text: &str) -> Result<Url, BaseUrlError> {
    let url = Url::parse(text.trim()).map_err(BaseUrlError::NotAUrl)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BaseUrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BaseUrlError::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BaseUrlError::QueryOrFragment);
    }
    Ok(url)
}

/// `url`, which is `base` or below it, as logs and pages show it.
///
/// The path of `base` may hold a secret (`https://proxy.example/TOKEN/v1`), so only Twilio's own path is shown, or none.
#[must_use]
pub fn shown(base: &Url, url: &Url) -> String {
    if matches!(base.path().trim_end_matches('/'), "" | DEFAULT_PATH) {
        return url.to_string();
    }
    let origin = url.origin().ascii_serialization();
    match url.path().strip_prefix(base.path()) {
        None | Some("") => origin,
        Some(below) => format!("{origin}/…/{below}"),
    }
}

/// Whether requests to `url` stay on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_joined_with_and_without_a_slash() {
        for (text, joined) in [
            (DEFAULT, "https://comms.twilio.com/v1/Emails/Operations"),
            ("http://[::1]:8080", "http://[::1]:8080/Emails/Operations"),
            (
                "https://proxy.example/twilio/v1//",
                "https://proxy.example/twilio/v1/Emails/Operations",
            ),
        ] {
            let url = parse(text).unwrap();
            assert_eq!(url.join("Emails/Operations").unwrap().as_str(), joined);
        }
    }

    #[test]
    fn a_path_is_shown_only_if_it_is_twilios() {
        for (base, shown_base, shown_below) in [
            (
                DEFAULT,
                "https://comms.twilio.com/v1/",
                "https://comms.twilio.com/v1/Emails/1",
            ),
            (
                "http://[::1]:8080",
                "http://[::1]:8080/",
                "http://[::1]:8080/Emails/1",
            ),
            (
                "http://127.0.0.1:8080/v1/",
                "http://127.0.0.1:8080/v1/",
                "http://127.0.0.1:8080/v1/Emails/1",
            ),
            (
                "https://proxy.example/s3cret/v1",
                "https://proxy.example",
                "https://proxy.example/…/Emails/1",
            ),
            (
                "https://proxy.example:8443/v1/s3cret",
                "https://proxy.example:8443",
                "https://proxy.example:8443/…/Emails/1",
            ),
            (
                "https://proxy.example/v1s3cret",
                "https://proxy.example",
                "https://proxy.example/…/Emails/1",
            ),
        ] {
            let base = parse(base).unwrap();
            assert_eq!(shown(&base, &base), shown_base);
            assert_eq!(shown(&base, &base.join("Emails/1").unwrap()), shown_below);
        }
        assert!(DEFAULT.ends_with(DEFAULT_PATH));
    }

    #[test]
    fn a_text_that_is_not_a_base_url_is_refused() {
        for (text, error) in [
            (
                "comms.twilio.com/v1",
                BaseUrlError::NotAUrl(url::ParseError::RelativeUrlWithoutBase),
            ),
            ("ftp://host/", BaseUrlError::Scheme),
            ("https://user:s3cret@host/", BaseUrlError::Credentials),
            ("https://user@host/", BaseUrlError::Credentials),
            ("https://:s3cret@host/", BaseUrlError::Credentials),
            ("https://host/v1?a", BaseUrlError::QueryOrFragment),
            ("https://host/v1#a", BaseUrlError::QueryOrFragment),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn only_requests_that_leave_the_machine_need_tls() {
        for (text, notices) in [
            ("http://127.0.0.1:1/v1", 0),
            ("http://localhost", 0),
            ("http://[::1]", 0),
            ("https://example.com", 0),
            ("http://example.com", 1),
            ("http://localhost.example.com", 1),
        ] {
            let mut findings = Findings::default();
            assert!(read("base_url", text, &mut findings).is_some());
            assert_eq!(findings.notices.len(), notices, "{text}");
        }
    }
}
