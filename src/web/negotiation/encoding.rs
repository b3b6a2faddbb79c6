//! The compression of a response, by `Accept-Encoding`. A client that accepts gzip and Zstandard equally gets Zstandard: it is faster.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

use super::preferences::{Preference, preferences};

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip, which every scraper accepts.
    Gzip,
    /// Zstandard: a third of the time of gzip.
    Zstd,
}

impl Encoding {
    /// The compressions, the preferred one first, for clients that accept both equally.
    const COMPRESSIONS: [Self; 2] = [Self::Zstd, Self::Gzip];

    /// The encoding that the client prefers: a compression unless it prefers none. A client that accepts nothing gets the body as it
    /// is, as RFC 9110 recommends.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let entries = preferences(headers, &ACCEPT_ENCODING);
        let identity = Self::Identity.quality(&entries).unwrap_or(0);
        let mut best = (Self::Identity, identity);
        for encoding in Self::COMPRESSIONS {
            let quality = encoding.quality(&entries).unwrap_or(0);
            let beats_identity = best.0 == Self::Identity && quality == best.1;
            if quality > 0 && (quality > best.1 || beats_identity) {
                best = (encoding, quality);
            }
        }
        best.0
    }

    /// The quality that the client gives it; `None` if it does not name it.
    fn quality(self, entries: &[Preference]) -> Option<u16> {
        let of = |name: &str| {
            let mut entries = entries.iter();
            entries.find(|entry| entry.name == name)
        };
        let named = match self {
            Self::Identity => of("identity"),
            Self::Gzip => of("gzip").or_else(|| of("x-gzip")),
            Self::Zstd => of("zstd"),
        };
        named.or_else(|| of("*")).map(|entry| entry.quality)
    }

    /// The value of `Content-Encoding`; `None` for a body as it is.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_with_the_highest_quality_is_used() {
        use Encoding::{Gzip, Identity, Zstd};
        for (accept, expected) in [
            ("gzip", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("zstd", Zstd),
            ("gzip, deflate, br, zstd", Zstd),
            ("gzip;q=0.9, zstd;q=0.8", Gzip),
            ("gzip, zstd;q=0.8", Gzip),
            ("deflate, br", Identity),
            ("", Identity),
            ("identity", Identity),
            ("identity, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.5", Gzip),
            ("gzip;q=0", Identity),
            ("gzip;q=0, *", Zstd),
            ("*", Zstd),
            ("*;q=0", Identity),
            ("*;q=0, gzip;q=0.1", Gzip),
            ("identity;q=0", Identity),
            ("identity;q=0, gzip;q=0.001", Gzip),
            ("identity;q=0, *", Zstd),
            ("gzip;q=oops", Identity),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, accept.parse().unwrap())]);
            assert_eq!(Encoding::negotiate(&headers), expected, "{accept}");
        }
        assert_eq!(Encoding::negotiate(&HeaderMap::new()), Identity);
    }
}
