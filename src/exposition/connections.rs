//! Counts the connections to the exporter that it closes itself and the requests that it refuses, by reason. The counters of all reasons
//! start at 0, so that `rate()` sees the first one.

use prometheus::{Error, IntCounterVec, Opts};

use super::catalogue;
use super::metric::Metric;

/// Why the exporter closes a connection: the value of the `reason` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Closed {
    /// The client sent no request, or only part of one, within the limit.
    NoRequest,
    /// The client sent no further request within the limit.
    Idle,
    /// The client did not read the response.
    NotRead,
    /// The TLS handshake failed or took too long.
    TlsHandshake,
    /// The client sent no valid HTTP.
    Malformed,
    /// The head of a request was larger than the limit.
    LargeHead,
    /// Too many connections are open.
    TooMany,
    /// The client's address has too many connections.
    TooManyOfClient,
    /// The system could not accept the connection, usually because no file descriptor is left.
    NotAccepted,
}

impl Closed {
    /// The closed set.
    pub const ALL: [Self; 9] = [
        Self::NoRequest,
        Self::Idle,
        Self::NotRead,
        Self::TlsHandshake,
        Self::Malformed,
        Self::LargeHead,
        Self::TooMany,
        Self::TooManyOfClient,
        Self::NotAccepted,
    ];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRequest => "no_request",
            Self::Idle => "idle",
            Self::NotRead => "not_read",
            Self::TlsHandshake => "tls_handshake",
            Self::Malformed => "malformed",
            Self::LargeHead => "large_head",
            Self::TooMany => "too_many",
            Self::TooManyOfClient => "too_many_of_client",
            Self::NotAccepted => "not_accepted",
        }
    }
}

/// Why the exporter refuses a request: the value of the `reason` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refused {
    /// More scrapes and probes than `--web.max-requests`.
    TooManyScrapes,
    /// A body beyond the limit of its path.
    LargeBody,
    /// A body that took too long to arrive.
    SlowBody,
    /// Without the password of a user.
    Unauthenticated,
    /// The user may only read.
    ReadOnly,
    /// `rate_limit` of the web configuration is reached.
    RateLimited,
    /// Too many passwords are being checked.
    Busy,
}

impl Refused {
    /// The closed set.
    pub const ALL: [Self; 7] = [
        Self::TooManyScrapes,
        Self::LargeBody,
        Self::SlowBody,
        Self::Unauthenticated,
        Self::ReadOnly,
        Self::RateLimited,
        Self::Busy,
    ];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooManyScrapes => "too_many_scrapes",
            Self::LargeBody => "large_body",
            Self::SlowBody => "slow_body",
            Self::Unauthenticated => "unauthenticated",
            Self::ReadOnly => "read_only",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
        }
    }
}

/// Counts closed connections and refused requests. Clones share the counters.
#[derive(Debug, Clone)]
pub struct ConnectionInstruments {
    closed: IntCounterVec,
    refused: IntCounterVec,
}

impl ConnectionInstruments {
    /// Creates the counters of all reasons at 0.
    pub(super) fn new() -> Result<Self, Error> {
        let closed = Closed::ALL.map(Closed::as_str);
        let refused = Refused::ALL.map(Refused::as_str);
        Ok(Self {
            closed: counters(&catalogue::CONNECTIONS_CLOSED, &closed)?,
            refused: counters(&catalogue::REQUESTS_REFUSED, &refused)?,
        })
    }

    pub(super) fn collectors(&self) -> [IntCounterVec; 2] {
        [self.closed.clone(), self.refused.clone()]
    }

    /// Counts a closed connection.
    pub fn closed(&self, reason: Closed) {
        self.closed.with_label_values(&[reason.as_str()]).inc();
    }

    /// Counts a refused request.
    pub fn refused(&self, reason: Refused) {
        self.refused.with_label_values(&[reason.as_str()]).inc();
    }

    /// The number of connections closed for `reason`.
    #[must_use]
    pub fn count(&self, reason: Closed) -> u64 {
        self.closed.with_label_values(&[reason.as_str()]).get()
    }

    /// The number of requests refused for `reason`.
    #[must_use]
    pub fn refusals(&self, reason: Refused) -> u64 {
        self.refused.with_label_values(&[reason.as_str()]).get()
    }
}

fn counters(metric: &'static Metric, reasons: &[&str]) -> Result<IntCounterVec, Error> {
    let labels: Vec<&str> = metric.labels().collect();
    let counters = IntCounterVec::new(Opts::new(metric.name, metric.help), &labels)?;
    for reason in reasons {
        counters.get_metric_with_label_values(&[*reason])?;
    }
    Ok(counters)
}
