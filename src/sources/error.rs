//! What can be wrong with a source.

use std::fmt;
use std::time::Duration;

use crate::document::{Findings, Problem};

/// Why a source lists nothing new. No variant carries anything of its content but names of keys and labels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The file is there and cannot be read; with the operating system's words.
    #[error("cannot read it: {0}")]
    Unreadable(String),
    /// The disk, or the server of a mount, does not answer.
    #[error("reading it takes longer than {} s; check the disk or mount it is on", .0.as_secs_f64())]
    Hangs(Duration),
    /// More bytes than any list needs.
    #[error("it is larger than {} MiB; divide it", limit / (1024 * 1024))]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("it is not text (UTF-8)")]
    NotText,
    /// Not what Prometheus' service discovery documents, or not of operations.
    #[error("{0}")]
    Malformed(Problems),
    /// A secret, a certificate or a key that the configuration names cannot be used.
    #[error("{0}")]
    Settings(String),
    /// An answer other than 200.
    #[error("it answers with status {}{}", .0, cure(*.0))]
    Status(u16),
    /// An answer that does not say it is JSON, as Prometheus demands.
    #[error("its answer has no `Content-Type: application/json`")]
    ContentType,
    /// An encoding that we do not ask for.
    #[error("its answer has the encoding {0}; only gzip, or none, is asked for")]
    Encoding(&'static str),
    /// It is said to be gzip, and is not, or not to its end.
    #[error("its answer is said to be gzip and is not")]
    Gzip,
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection, or it was closed; in words of ours.
    #[error("no connection: {0}")]
    Connect(String),
    /// The handshake failed; in words of ours.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// What came back is no HTTP answer; in words of ours.
    #[error("no valid HTTP answer: {0}")]
    Protocol(String),
}

/// What is wrong with a document: the first problems, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// At least one.
    pub first: Vec<Problem>,
    /// Beyond those.
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
        300..=399 => ": redirects are not followed; configure the URL it leads to",
        401 => ": it does not accept the credentials; check `basic_auth` or `authorization`",
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
    fn problems_are_one_line_and_bounded() {
        let mut findings = Findings::up_to(2);
        findings.problem("[0]", "expected\na mapping");
        findings.problem("", "empty");
        findings.problem("[2]", "not told");
        findings.problem("[3]", "not told");
        let error = SourceError::Malformed(findings.into());
        assert_eq!(
            error.to_string(),
            "[0]: expected a mapping; empty; and 2 more"
        );
    }

    #[test]
    fn what_can_be_done_is_told() {
        let told = SourceError::Status(302).to_string();
        assert!(
            told.starts_with("it answers with status 302: redirects"),
            "{told}"
        );
        assert_eq!(
            SourceError::Status(500).to_string(),
            "it answers with status 500; 200 is expected"
        );
        let limit = 16 * 1024 * 1024;
        assert_eq!(
            SourceError::TooLarge { limit }.to_string(),
            "it is larger than 16 MiB; divide it"
        );
    }
}
