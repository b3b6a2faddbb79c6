//! Reads a response's body up to a size limit and decodes gzip. The body is never logged.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::Body as HttpBody;
use hyper::header::{CONTENT_ENCODING, HeaderMap};

use super::failure;

/// The value of `Accept-Encoding`. A page of operations has 250 KB of text, and a tenth of that in gzip.
pub(super) const ACCEPTED: &str = "gzip";

/// A body may have this many pieces of any size: some servers write small lists in very small pieces.
const FREE_PIECES: usize = 10_000;
/// Further pieces must have at least this many bytes on average. A piece takes about as much time as 1,000 bytes, so 8 MiB in pieces of
/// one byte would use a core for a long time.
const LEAST_PIECE: usize = 64;

/// The registered encodings (<https://www.iana.org/assignments/http-parameters>). An error names only these; any other name is text
/// from the server.
const ENCODINGS: [&str; 10] = [
    "aes128gcm",
    "br",
    "compress",
    "dcb",
    "dcz",
    "deflate",
    "exi",
    "pack200-gzip",
    "x-compress",
    "zstd",
];

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It has more bytes than this limit, as sent or decoded.
    TooLarge(usize),
    /// It has this encoding, which the request did not accept.
    Encoding(&'static str),
    /// Its encoding is gzip, but the gzip is incomplete or invalid.
    Gzip,
    /// It has too many pieces (chunks of HTTP/1.1, frames of HTTP/2) for its size.
    TooManyPieces,
    /// The connection was closed before its end.
    CutOff,
    /// The server did not respond to a ping.
    Timeout,
}

/// The whole decoded body. It has at most `limit` bytes, both as sent and decoded.
pub(crate) async fn read<B>(
    response: hyper::Response<B>,
    limit: usize,
) -> Result<Vec<u8>, BodyError>
where
    B: HttpBody<Data = Bytes, Error: std::error::Error + 'static> + Unpin,
{
    let announced = response.body().size_hint().lower();
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(BodyError::TooLarge(limit));
    }
    let bounded = Bounded {
        bytes: Vec::with_capacity(announced),
        limit,
        exceeded: false,
    };
    let mut body = Body::new(encoding(response.headers())?, bounded);
    let mut incoming = response.into_body();
    let (mut received, mut pieces) = (0_usize, 0_usize);
    loop {
        let Some(frame) = incoming.frame().await else {
            return body.end();
        };
        let frame = frame.map_err(|error| {
            if failure::is_timeout(&error) {
                BodyError::Timeout
            } else {
                BodyError::CutOff
            }
        })?;
        // A trailer is not used; the library limits its size.
        let chunk = frame.into_data().unwrap_or_default();
        received = received.saturating_add(chunk.len());
        if received > limit {
            return Err(BodyError::TooLarge(limit));
        }
        pieces += 1;
        if pieces > FREE_PIECES + received / LEAST_PIECE {
            return Err(BodyError::TooManyPieces);
        }
        body.write(&chunk)?;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    None,
    Gzip,
}

/// The encoding of the body (RFC 9110, section 8.4).
fn encoding(headers: &HeaderMap) -> Result<Encoding, BodyError> {
    let mut found = Encoding::None;
    for value in headers.get_all(CONTENT_ENCODING) {
        let names = value.to_str().unwrap_or("?").split(',');
        for name in names.map(|name| name.trim().to_ascii_lowercase()) {
            found = match (name.as_str(), found) {
                ("" | "identity", found) => found,
                ("gzip" | "x-gzip", Encoding::None) => Encoding::Gzip,
                ("gzip" | "x-gzip", Encoding::Gzip) => {
                    return Err(BodyError::Encoding("gzip, twice"));
                }
                (other, _) => {
                    let known = ENCODINGS.into_iter().find(|known| *known == other);
                    return Err(BodyError::Encoding(
                        known.unwrap_or("one that is not registered"),
                    ));
                }
            };
        }
    }
    Ok(found)
}

/// The part of a body that was received.
enum Body {
    Plain(Bounded),
    /// With a flag: nothing was received yet. An empty body needs no decoding.
    Gzip(Box<MultiGzDecoder<Bounded>>, bool),
}

impl Body {
    fn new(encoding: Encoding, bounded: Bounded) -> Self {
        match encoding {
            Encoding::None => Self::Plain(bounded),
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(bounded)), true),
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), BodyError> {
        match self {
            Self::Plain(bounded) => bounded.write_all(chunk).map_err(|_| bounded.fault()),
            Self::Gzip(decoder, empty) => {
                *empty &= chunk.is_empty();
                let written = decoder.write_all(chunk);
                written.map_err(|_| decoder.get_ref().fault())
            }
        }
    }

    fn end(self) -> Result<Vec<u8>, BodyError> {
        match self {
            Self::Plain(bounded) => Ok(bounded.bytes),
            Self::Gzip(_, true) => Ok(Vec::new()),
            // `finish` checks the length and the checksum.
            Self::Gzip(mut decoder, false) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes)),
                Err(_) => Err(decoder.get_ref().fault()),
            },
        }
    }
}

/// A writer that accepts bytes up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    exceeded: bool,
}

impl Bounded {
    /// The reason for a failed write.
    fn fault(&self) -> BodyError {
        if self.exceeded {
            BodyError::TooLarge(self.limit)
        } else {
            BodyError::Gzip
        }
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit - self.bytes.len() {
            self.exceeded = true;
            return Err(io::Error::other("above the limit"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http_body_util::Full;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    const LIMIT: usize = 100_000;

    /// The decoded body. It must be the same for pieces of every size.
    fn decoded(sent: &[u8], encoding: Encoding) -> Result<Vec<u8>, BodyError> {
        let by = |piece| {
            let bounded = Bounded {
                bytes: Vec::new(),
                limit: LIMIT,
                exceeded: false,
            };
            let mut body = Body::new(encoding, bounded);
            for piece in sent.chunks(piece) {
                body.write(piece)?;
            }
            body.end()
        };
        let whole = by(usize::MAX);
        for piece in [1, 7, 4096] {
            assert_eq!(by(piece), whole, "in pieces of {piece}");
        }
        whole
    }

    fn text() -> Vec<u8> {
        (0..LIMIT).map(|at| b"operations"[at % 10]).collect()
    }

    #[test]
    fn gzip_with_one_or_several_streams_is_decoded() {
        let text = text();
        assert_eq!(decoded(&text, Encoding::None), Ok(text.clone()));
        assert_eq!(decoded(&gzip(&text), Encoding::Gzip), Ok(text.clone()));
        let halves = [gzip(&text[..LIMIT / 2]), gzip(&text[LIMIT / 2..])].concat();
        assert_eq!(decoded(&halves, Encoding::Gzip), Ok(text));
        assert_eq!(decoded(&gzip(b""), Encoding::Gzip), Ok(Vec::new()));
        assert_eq!(decoded(b"", Encoding::Gzip), Ok(Vec::new()));
    }

    #[test]
    fn incomplete_gzip_is_an_error() {
        let whole = gzip(&text());
        let mut flipped = whole.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        let mut sum = whole.clone();
        sum[last - 5] ^= 1;
        let rest = [&whole[..], b"{}"].concat();
        for wrong in [
            b"{\"operations\": []}",
            &whole[..last],
            &whole[..whole.len() / 2],
            &whole[..5],
            &flipped[..],
            &sum,
            &rest,
        ] {
            assert_eq!(decoded(wrong, Encoding::Gzip), Err(BodyError::Gzip));
        }
    }

    #[test]
    fn decoding_a_gzip_bomb_stops_at_the_limit() {
        let large = Err(BodyError::TooLarge(LIMIT));
        assert_eq!(decoded(&vec![b' '; LIMIT + 1], Encoding::None), large);
        assert_eq!(
            decoded(&gzip(&vec![b' '; LIMIT + 1]), Encoding::Gzip),
            large
        );
        assert_eq!(decoded(&gzip(&vec![0; 50 * LIMIT]), Encoding::Gzip), large);
    }

    #[tokio::test]
    async fn the_encoded_size_is_limited_too() {
        // Empty gzip streams decode to no byte.
        let nothing = gzip(b"");
        let sent = nothing.repeat(LIMIT / nothing.len() + 1);
        let mut response = hyper::Response::new(Full::<Bytes>::from(sent));
        let gzip = "gzip".parse().unwrap();
        response.headers_mut().insert(CONTENT_ENCODING, gzip);
        let outcome = read(response, LIMIT).await;
        assert_eq!(outcome, Err(BodyError::TooLarge(LIMIT)));
    }

    #[test]
    fn encodings_other_than_gzip_are_errors_that_name_them() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            encoding(&headers)
        };
        for none in [&[][..], &[""], &["identity"], &["identity, "]] {
            assert_eq!(of(none), Ok(Encoding::None), "{none:?}");
        }
        for gzip in [
            &["gzip"][..],
            &[" GZip "],
            &["x-gzip"],
            &["identity", "gzip"],
        ] {
            assert_eq!(of(gzip), Ok(Encoding::Gzip), "{gzip:?}");
        }
        for (other, name) in [
            (&["br"][..], "br"),
            (&["Deflate"], "deflate"),
            (&["gzip, br"], "br"),
            (&["zstd", "gzip"], "zstd"),
            (&["gzip", "gzip"], "gzip, twice"),
            (&["made-up-secret"], "one that is not registered"),
        ] {
            assert_eq!(of(other), Err(BodyError::Encoding(name)), "{other:?}");
        }
    }
}
