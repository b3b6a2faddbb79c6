//! The errors of a source. None contains any of its content, except names of keys and labels.

use std::fmt;
use std::time::Duration;

use crate::document::{Findings, Problem};

/// Why a source has no new list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The file exists but cannot be read; with the operating system's error.
    #[error("cannot read it: {0}")]
    Unreadable(String),
    /// The disk, or the server of a mount, does not respond.
    #[error("reading it takes longer than {} s; check the disk or mount it is on", .0.as_secs_f64())]
    Hangs(Duration),
    /// The list has more bytes than the limit.
    #[error("it is larger than {} MiB; split it", limit / (1024 * 1024))]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("it is not text (UTF-8)")]
    NotText,
    /// Not the format of Prometheus' service discovery, or not a list of operations.
    #[error("{0}")]
    Malformed(Problems),
    /// A secret, a certificate or a key that the configuration names cannot be used.
    #[error("{0}")]
    Settings(String),
    /// A status other than 200.
    #[error("the server responded with status {}{}", .0, cure(*.0))]
    Status(u16),
    /// The content type is not JSON, which Prometheus requires.
    #[error("the response has no `Content-Type: application/json`")]
    ContentType,
    /// An encoding that the request does not accept.
    #[error("the response has the encoding {0}; only gzip or none is accepted")]
    Encoding(&'static str),
    /// The encoding is gzip and the body is not valid gzip.
    #[error("the response has the encoding gzip, but is not valid gzip")]
    Gzip,
    /// No complete response within the time limit.
    #[error("no response within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection, or it was closed. The text is the exporter's own.
    #[error("no connection: {0}")]
    Connect(String),
    /// The handshake failed. The text is the exporter's own.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// The response is not valid HTTP. The text is the exporter's own.
    #[error("no valid HTTP response: {0}")]
    Protocol(String),
}

/// The problems of a document: the first ones, and the number of the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// At least one.
    pub first: Vec<Problem>,
    /// The number of the rest.
    pub more: usize,
}

impl From<Findings> for Problems {
    fn from(findings: Findings) -> Self {
        Self {
            first: findings.problems,
            more: findings.more,
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.first.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

fn cure(status: u16) -> &'static str {
    match status {
        300..=399 => ": redirects are not followed; configure the URL to which it redirects",
        401 => ": it rejects the credentials; check `basic_auth` or `authorization`",
        403 => ": the credentials lack the right to read it",
        404 | 410 => ": check the URL",
        429 => ": raise `refresh_interval`",
        _ => "; 200 is expected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_one_line_and_limited() {
        let mut findings = Findings::up_to(2);
        findings.problem("[0]", "expected\na mapping");
        findings.problem("", "empty");
        findings.problem("[2]", "not reported");
        findings.problem("[3]", "not reported");
        let error = SourceError::Malformed(findings.into());
        assert_eq!(
            error.to_string(),
            "[0]: expected a mapping; empty; and 2 more"
        );
    }

    #[test]
    fn an_error_says_what_to_do() {
        let reported = SourceError::Status(302).to_string();
        assert!(
            reported.starts_with("the server responded with status 302: redirects"),
            "{reported}"
        );
        assert_eq!(
            SourceError::Status(500).to_string(),
            "the server responded with status 500; 200 is expected"
        );
        let limit = 16 * 1024 * 1024;
        assert_eq!(
            SourceError::TooLarge { limit }.to_string(),
            "it is larger than 16 MiB; split it"
        );
    }
}
