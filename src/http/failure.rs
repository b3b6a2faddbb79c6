//! Why a request got no response, in a closed set of fixed texts. Libraries' messages are not used, because they may quote the server or
//! the request.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use hyper_util::client::legacy::Error;
use rustls::{CertificateError, Error as TlsError};

use super::connector::{SocksRefusal, UnknownHost};
use super::stream::TOO_MANY_FRAMES;

/// The text for a name that DNS does not resolve.
pub(crate) const UNKNOWN_HOST: &str = "the name of the host cannot be resolved";
/// The text for a port at which nothing listens: the standard library's.
pub(crate) const CONNECTION_REFUSED: &str = "connection refused";

/// Why a request got no response. The texts are short and contain nothing from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// The timeout passed.
    Timeout,
    /// The TLS handshake failed.
    Tls(String),
    /// The connection failed or was closed.
    Connect(String),
    /// The server sent no valid HTTP, or rejected the request with an HTTP/2 error.
    Protocol(String),
}

/// The reason for the client's error.
pub(super) fn failure(error: &Error) -> NoResponse {
    if let Some(tls) = find::<TlsError>(error) {
        return NoResponse::Tls(tls_words(tls));
    }
    if is_timeout(error) {
        return NoResponse::Timeout;
    }
    if find::<UnknownHost>(error).is_some() {
        return NoResponse::Connect(UNKNOWN_HOST.into());
    }
    if let Some(h2) = find::<h2::Error>(error) {
        return http2(h2);
    }
    if find::<SocksRefusal>(error).is_some() {
        return NoResponse::Connect("the SOCKS proxy refuses to connect to the server".into());
    }
    if let Some(words) = causes(error).find_map(proxy_words) {
        return NoResponse::Connect(words.into());
    }
    if let Some(kind) = io_kind(error) {
        return io(kind);
    }
    match find::<hyper::Error>(error) {
        Some(hyper) => http1(hyper),
        None => NoResponse::Connect("the connection failed".into()),
    }
}

/// Whether `error` is a timeout: of the connection, of a ping, or the system's.
pub(super) fn is_timeout(error: &(dyn StdError + 'static)) -> bool {
    find::<hyper::Error>(error).is_some_and(hyper::Error::is_timeout)
        || causes(error)
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|io| io.kind() == ErrorKind::TimedOut)
}

/// The failure of a request with HTTP/1.1 that gets informational responses without end.
pub(super) fn too_many_informational() -> NoResponse {
    NoResponse::Protocol("the server sent too many informational responses (1xx)".into())
}

/// Whether the server closed the connection without a response. If the connection was idle before, the server may not have read the
/// request.
pub(super) fn is_closed_without_response(error: &Error) -> bool {
    if error.is_connect() || find::<TlsError>(error).is_some() {
        return false;
    }
    if let Some(h2) = find::<h2::Error>(error).filter(|h2| !h2.is_io()) {
        let unread = [h2::Reason::NO_ERROR, h2::Reason::REFUSED_STREAM];
        return h2.is_remote() && h2.reason().is_some_and(|reason| unread.contains(&reason));
    }
    if let Some(kind) = io_kind(error) {
        return matches!(
            kind,
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::NotConnected
                | ErrorKind::UnexpectedEof
        );
    }
    find::<hyper::Error>(error).is_some_and(|hyper| {
        hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed()
    })
}

/// The text for an error of the TLS handshake, without certificates.
pub(crate) fn tls_words(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(certificate) => {
            format!(
                "the server's certificate {}",
                certificate_words(certificate)
            )
        }
        // The name is from IANA's registry, or a number.
        TlsError::AlertReceived(alert) => format!("the server sent the alert {alert:?}"),
        TlsError::InvalidMessage(_) | TlsError::PeerSentOversizedRecord => {
            "the server does not use TLS".into()
        }
        TlsError::PeerIncompatible(_) => {
            "the server has no TLS version or cipher suite in common with the exporter".into()
        }
        TlsError::NoApplicationProtocol => "the server supports neither HTTP/2 nor HTTP/1.1".into(),
        TlsError::NoCertificatesPresented => "the server sent no certificate".into(),
        TlsError::InappropriateMessage { .. }
        | TlsError::InappropriateHandshakeMessage { .. }
        | TlsError::PeerMisbehaved(_)
        | TlsError::DecryptError => "the server violates the TLS protocol".into(),
        TlsError::InvalidCertRevocationList(_) => "a revocation list cannot be read".into(),
        TlsError::InconsistentKeys(_) => "the certificate and the private key do not match".into(),
        _ => "the handshake failed".into(),
    }
}

fn certificate_words(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::BadEncoding => "cannot be read",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet"
        }
        CertificateError::Revoked => "was revoked",
        CertificateError::UnknownIssuer => "was signed by an unknown authority",
        CertificateError::BadSignature => "has a wrong signature",
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "has an unsupported signature algorithm"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is not valid for the host's name"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for servers"
        }
        _ => "is not valid",
    }
}

fn http2(error: &h2::Error) -> NoResponse {
    if let Some(io) = error.get_io() {
        return self::io(io.kind());
    }
    let what = match (error.is_go_away(), error.is_reset(), error.is_remote()) {
        (true, _, true) => "the server closed the HTTP/2 connection",
        (_, true, true) => "the server reset the HTTP/2 stream",
        _ => "the server sent invalid HTTP/2",
    };
    NoResponse::Protocol(match error.reason() {
        // The names are from RFC 9113, section 7.
        Some(reason) if u32::from(reason) <= u32::from(h2::Reason::HTTP_1_1_REQUIRED) => {
            format!("{what} ({reason:?})")
        }
        Some(reason) => format!("{what} (code {})", u32::from(reason)),
        None => what.into(),
    })
}

fn http1(error: &hyper::Error) -> NoResponse {
    let words = if error.is_parse_too_large() {
        "the head of the response is too large"
    } else if error.is_parse_status() {
        "the status of the response is invalid"
    } else if error.is_parse_version_h2() {
        "the server responds with HTTP/2, which was not negotiated"
    } else if error.is_parse() {
        "the head of the response is invalid"
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return NoResponse::Connect("the server closed the connection without a response".into());
    } else {
        "the server sent invalid HTTP"
    };
    NoResponse::Protocol(words.into())
}

/// The text for a failure of a proxy. The type of the error is not public, so its fixed texts identify it.
fn proxy_words(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let text = error.to_string();
    Some(match text.strip_prefix("tunnel error: ")? {
        "proxy authorization required" => "the proxy requires a user name and a password (407)",
        "unsuccessful" => "the proxy refuses to connect to the server",
        "unexpected end of file" => "the proxy closed the connection",
        "proxy response headers too long" => "the proxy sent invalid HTTP",
        _ => return None,
    })
}

/// The failure of a connection by the kind of its error, with the standard library's text.
fn io(kind: ErrorKind) -> NoResponse {
    NoResponse::Connect(match kind {
        TOO_MANY_FRAMES => {
            let words = "the server sent too many HTTP/2 frames without data";
            return NoResponse::Protocol(words.into());
        }
        ErrorKind::UnexpectedEof => "the server closed the connection".into(),
        ErrorKind::ConnectionRefused => CONNECTION_REFUSED.into(),
        kind => kind.to_string(),
    })
}

/// The kind of the system error that caused `error`, if there is one.
fn io_kind(error: &Error) -> Option<ErrorKind> {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .last()
        .map(io::Error::kind)
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref::<E>())
}

/// The error and all its causes. `io::Error::source` skips the wrapped error, so this also unwraps it.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn StdError + 'static)| {
        let cause: &'a (dyn StdError + 'static) = *cause;
        match cause.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => cause.source(),
        }
    })
}
