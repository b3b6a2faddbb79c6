//! Counts the connections that the exporter closes itself.

use prometheus::{Error, IntCounterVec, Opts};

use super::catalogue;

/// Why the exporter closes a connection that a client would keep: the value of the `reason` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Closed {
    /// It sent no request, or only part of one, in time.
    NoRequest,
    /// It was idle for too long between two requests.
    Idle,
    /// It did not read its answer.
    NotRead,
    /// Too many are open.
    TooMany,
    /// The system could not accept it; usually file descriptors have run out.
    NotAccepted,
}

impl Closed {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NoRequest,
        Self::Idle,
        Self::NotRead,
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
            Self::TooMany => "too_many",
            Self::NotAccepted => "not_accepted",
        }
    }
}

/// Counts them; a clone counts into the same figures.
#[derive(Debug, Clone)]
pub struct ConnectionInstruments(IntCounterVec);

impl ConnectionInstruments {
    /// With every reason at 0, so that the first one is an increase.
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

    /// One was closed.
    pub fn closed(&self, reason: Closed) {
        self.0.with_label_values(&[reason.as_str()]).inc();
    }

    /// How many were.
    #[must_use]
    pub fn count(&self, reason: Closed) -> u64 {
        self.0.with_label_values(&[reason.as_str()]).get()
    }
}
