//! The addresses of `--web.listen-address`, in the format of Prometheus' components. Unix sockets (`unix:/path`) are an extension of
//! it.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest path of a unix socket, in bytes: Linux has 108 with the final zero (unix(7)), BSD and macOS 104.
const LONGEST_PATH: usize = 103;
/// The longest name in DNS.
const LONGEST_NAME: usize = 253;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// `:10202`: all interfaces, IPv6 and IPv4.
    AllInterfaces(u16),
    /// `127.0.0.1:10202` or `[::1]:10202`. Port 0: a free one.
    Socket(SocketAddr),
    /// `localhost:10202`: all addresses of the name.
    Name {
        /// A name for the resolver.
        host: String,
        /// The port; 0: a free one.
        port: u16,
    },
    /// `unix:/run/twilio-email-exporter/web.sock`: a unix socket, by its absolute path.
    Unix(PathBuf),
}

/// Why a text is not an address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// There is no `:`, or no port after it.
    #[error(
        "expected an address with a port from 0 to 65535, such as :10202, 127.0.0.1:10202 or [::1]:10202"
    )]
    Port,
    /// An IPv6 address without brackets.
    #[error("an IPv6 address needs brackets, such as [::1]:10202")]
    Brackets,
    /// Neither an address nor the name of a host.
    #[error("expected an IP address or a host's name before the port, such as 127.0.0.1:10202")]
    Host,
    /// No absolute path after `unix:`, or one that is not the name of a file.
    #[error(
        "expected an absolute path after unix:, such as unix:/run/twilio-email-exporter/web.sock"
    )]
    Path,
    /// Longer than the system allows.
    #[error("the path of a unix socket has at most 103 bytes; choose a shorter one")]
    LongPath,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Socket(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError::Port)?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(ListenAddressError::Brackets);
        }
        // `u16` would accept `+1`.
        let digits = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
        let port = port
            .parse()
            .ok()
            .filter(|_| digits)
            .ok_or(ListenAddressError::Port)?;
        if host.is_empty() {
            return Ok(Self::AllInterfaces(port));
        }
        let part = |part: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !part.is_empty() && part.chars().all(plain)
        };
        // Digits alone are a mistyped IPv4 address (127.0.0.256), not a name.
        let name = host.len() <= LONGEST_NAME && host.contains(|c: char| c.is_ascii_alphabetic());
        if name && host.split('.').all(part) {
            return Ok(Self::Name {
                host: host.to_owned(),
                port,
            });
        }
        Err(ListenAddressError::Host)
    }
}

fn unix(path: &str) -> Result<ListenAddress, ListenAddressError> {
    if !path.starts_with('/') || path.ends_with('/') || path.contains(char::is_control) {
        return Err(ListenAddressError::Path);
    }
    if path.len() > LONGEST_PATH {
        return Err(ListenAddressError::LongPath);
    }
    Ok(ListenAddress::Unix(Path::new(path).to_owned()))
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllInterfaces(port) => write!(f, ":{port}"),
            Self::Socket(address) => write!(f, "{address}"),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_notations_round_trip() {
        for text in [
            ":10202",
            ":0",
            "127.0.0.1:0",
            "[::1]:10202",
            "0.0.0.0:1",
            "localhost:10202",
            "a-1.b_2.c:1",
            "unix:/run/web.sock",
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        assert_eq!(":10202".parse(), Ok(ListenAddress::AllInterfaces(10202)));
    }

    #[test]
    fn each_invalid_address_has_its_error() {
        for (text, error) in [
            ("", ListenAddressError::Port),
            ("10202", ListenAddressError::Port),
            ("localhost", ListenAddressError::Port),
            (":65536", ListenAddressError::Port),
            (":+1", ListenAddressError::Port),
            ("::1:10202", ListenAddressError::Brackets),
            ("[::1]", ListenAddressError::Port),
            ("[::g]:1", ListenAddressError::Host),
            ("127.0.0.256:1", ListenAddressError::Host),
            ("http://a:1", ListenAddressError::Brackets),
            ("a b:1", ListenAddressError::Host),
            ("a..b:1", ListenAddressError::Host),
            ("unix:", ListenAddressError::Path),
            ("unix:web.sock", ListenAddressError::Path),
            ("unix:@abstract", ListenAddressError::Path),
            ("unix:/run/", ListenAddressError::Path),
            ("unix:/run/a\0b", ListenAddressError::Path),
            (
                &format!("unix:/{}", "a".repeat(103)),
                ListenAddressError::LongPath,
            ),
        ] {
            assert_eq!(text.parse::<ListenAddress>(), Err(error), "{text:?}");
        }
    }
}
