//! The credentials of Basic authentication (RFC 7617).

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

/// A user name and a password. `Debug` shows neither.
pub(super) struct Credentials {
    /// `name:password`.
    pair: Zeroizing<Vec<u8>>,
    colon: usize,
}

impl Credentials {
    /// The credentials of a request; `None` if it has none that can be read.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::AUTHORIZATION)?.as_bytes();
        let (scheme, encoded) = value.split_at_checked("Basic ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Basic ") {
            return None;
        }
        let pair = Zeroizing::new(STANDARD.decode(encoded.trim_ascii()).ok()?);
        let colon = pair.iter().position(|byte| *byte == b':')?;
        Some(Self { pair, colon })
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.pair[..self.colon]
    }

    pub(super) fn password(&self) -> &[u8] {
        &self.pair[self.colon + 1..]
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(value).unwrap();
        headers.insert(header::AUTHORIZATION, value);
        let credentials = Credentials::of(&headers)?;
        Some((credentials.name().to_vec(), credentials.password().to_vec()))
    }

    #[test]
    fn the_name_ends_at_the_first_colon() {
        let pair = |name: &[u8], password: &[u8]| Some((name.to_vec(), password.to_vec()));
        for (value, expected) in [
            (&b"Basic YTpi"[..], pair(b"a", b"b")),
            (b"basic YTpi", pair(b"a", b"b")),
            (b"BASIC  YTpi", pair(b"a", b"b")),
            (b"Basic YTpiOmM=", pair(b"a", b"b:c")),
            (b"Basic Og==", pair(b"", b"")),
            (b"Basic /zr/", pair(b"\xff", b"\xff")),
            (b"Basic", None),
            (b"Basic ", None),
            (b"Basic YQ==", None),
            (b"Basic a:b", None),
            (b"Bearer YTpi", None),
            (b"BasicYTpi", None),
            (b"", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", None),
        ] {
            assert_eq!(read(value), expected, "{value:?}");
        }
        assert!(Credentials::of(&HeaderMap::new()).is_none());
    }
}
