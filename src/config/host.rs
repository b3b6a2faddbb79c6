//! The hosts by which clients reach the exporter: names and IP addresses. Each has one form, so that equal hosts compare as equal.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The longest name in DNS.
const LONGEST_NAME: usize = 253;

/// A host. Names are in lower case and have no dot at their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An IP address.
    Address(IpAddr),
    /// A name, in lower case.
    Name(String),
}

/// A host and perhaps a port, as in the header `Host` and in URLs: `exporter.example:10202`, `[::1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port, if one is written.
    pub port: Option<u16>,
}

/// Why a text is not a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a host's name or an IP address, such as exporter.example.com, 10.0.0.7 or [::1]")]
pub struct HostError;

impl Host {
    /// Reads the value of an option. A port is accepted and ignored; an IPv6 address may lack its brackets.
    ///
    /// # Errors
    /// Also for a name of digits alone, which is a mistyped address.
    pub fn from_option(text: &str) -> Result<Self, HostError> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        match text.parse::<Authority>()?.host {
            Self::Name(name) if !name.contains(|c: char| c.is_ascii_alphabetic()) => Err(HostError),
            host => Ok(host),
        }
    }

    fn from_name(text: &str) -> Result<Self, HostError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let part = |part: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !part.is_empty() && part.chars().all(plain)
        };
        if name.len() > LONGEST_NAME || !name.split('.').all(part) {
            return Err(HostError);
        }
        let address = name.parse().map(Self::Address);
        Ok(address.unwrap_or_else(|_| Self::Name(name.to_ascii_lowercase())))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl FromStr for Authority {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']').ok_or(HostError)?;
            let address: Ipv6Addr = address.parse().map_err(|_| HostError)?;
            let port = if rest.is_empty() {
                rest
            } else {
                rest.strip_prefix(':').ok_or(HostError)?
            };
            (Host::Address(address.into()), port)
        } else {
            let (name, port) = text.split_once(':').unwrap_or((text, ""));
            (Host::from_name(name)?, port)
        };
        // `u16` would accept `+1`. A colon without a port is valid (RFC 3986, section 3.2.3).
        if !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(HostError);
        }
        let port = (!port.is_empty())
            .then(|| port.parse().map_err(|_| HostError))
            .transpose()?;
        Ok(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_notations_of_a_host_are_equal() {
        for (host, texts) in [
            (
                "exporter.example.com",
                &[
                    "exporter.example.com",
                    "Exporter.EXAMPLE.com",
                    "exporter.example.com.",
                    "exporter.example.com:10202",
                    " exporter.example.com.:1 ",
                ][..],
            ),
            ("10.0.0.7", &["10.0.0.7", "10.0.0.7:80", "10.0.0.7:"]),
            (
                "[2001:db8::1]",
                &["[2001:db8::1]", "2001:db8::1", "[2001:0DB8:0:0::0001]:443"],
            ),
        ] {
            for text in texts {
                let parsed = Host::from_option(text);
                assert_eq!(parsed.map(|host| host.to_string()), Ok(host.to_owned()));
            }
        }
    }

    #[test]
    fn a_text_that_is_not_a_host_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            ".a",
            "a b",
            "http://a",
            "a/b",
            "user@a",
            "a:b",
            "a:65536",
            "a:+1",
            "[::1",
            "[::1]x",
            "[a]",
            "::1:80:x",
            "10.0.0.256",
            "é.example",
            "*.example.com",
            "a\0",
            &"a".repeat(254),
        ] {
            assert_eq!(Host::from_option(text), Err(HostError), "{text:?}");
        }
    }

    #[test]
    fn an_authority_has_its_port() {
        for (text, port) in [
            ("a", None),
            ("a:", None),
            ("a:80", Some(80)),
            ("[::1]:0", Some(0)),
        ] {
            assert_eq!(text.parse::<Authority>().unwrap().port, port, "{text}");
        }
    }
}
