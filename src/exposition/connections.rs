//! Counts the connections to the exporter that it closes itself, by reason. The counters of all reasons start at 0, so that
//! `rate()` sees the first closed connection.

use prometheus::{Error, IntCounterVec, Opts};

use super::catalogue;

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
    /// Too many connections are open.
    TooMany,
    /// The system could not accept the connection, usually because no file descriptor is left.
    NotAccepted,
}

impl Closed {
    /// The closed set.
    pub const ALL: [Self; 6] = [
        Self::NoRequest,
        Self::Idle,
        Self::NotRead,
        Self::TlsHandshake,
        Self::TooMany,
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
            Self::TooMany => "too_many",
            Self::NotAccepted => "not_accepted",
        }
    }
}

/// Counts closed connections. Clones share the counters.
#[derive(Debug, Clone)]
pub struct ConnectionInstruments(IntCounterVec);

impl ConnectionInstruments {
    /// Creates the counters of all reasons at 0.
    pub(super) fn new() -> Result<Self, Error> {
        let metric = &catalogue::CONNECTIONS_CLOSED;
        let labels: Vec<&str> = metric.labels().collect();
        let closed = IntCounterVec::new(Opts::new(metric.name, metric.help), &labels)?;
        for reason in Closed::ALL {
            closed.get_metric_with_label_values(&[reason.as_str()])?;
        }
        Ok(Self(closed))
    }

    pub(super) fn collector(&self) -> IntCounterVec {
        self.0.clone()
    }

    /// Counts a closed connection.
    pub fn closed(&self, reason: Closed) {
        self.0.with_label_values(&[reason.as_str()]).inc();
    }

    /// The number of connections closed for `reason`.
    #[must_use]
    pub fn count(&self, reason: Closed) -> u64 {
        self.0.with_label_values(&[reason.as_str()]).get()
    }
}
