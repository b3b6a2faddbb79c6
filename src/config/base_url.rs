//! Where Twilio's API is.

use url::{Host, Url};

use super::problem::Findings;

/// Twilio's own.
pub const DEFAULT: &str = "https://comms.twilio.com/v1";

/// Why a text is no base URL. Never repeats it: somebody may have put a password into it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BaseUrlError {
    #[error("not a URL ({0}); expected one like {DEFAULT}")]
    NotAUrl(url::ParseError),
    #[error("expected http:// or https://")]
    Scheme,
    #[error(
        "a user name or a password does not belong into the URL; give the account's credentials"
    )]
    Credentials,
    #[error("a base URL ends with its path; take away what starts with ? or #")]
    QueryOrFragment,
}

/// Reads `text`, which stands at `place`, and tells what is wrong or unwise.
pub(super) fn read(place: &str, text: &str, findings: &mut Findings) -> Option<Url> {
    let url = findings.take(place, parse(text))?;
    tell_if_in_the_clear(place, &url, findings);
    Some(url)
}

/// Says so where others can read what is sent to `url`.
pub(super) fn tell_if_in_the_clear(place: &str, url: &Url, findings: &mut Findings) {
    if url.scheme() == "http" && !is_loopback(url) {
        findings.notice(
            place,
            "credentials and figures cross the network in the clear; use https://",
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

/// The URL as it is, if it is one for HTTP with nothing before its host and nothing behind its path.
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

/// Whether it stays on this machine.
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
    fn paths_can_be_joined_whatever_the_slash() {
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
    fn what_is_no_base_is_refused() {
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
    fn only_the_way_out_of_the_machine_needs_tls() {
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
