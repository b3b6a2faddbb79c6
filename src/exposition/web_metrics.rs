//! The metrics about the web configuration and the requests that it refuses. They exist only with a web configuration.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Error, Gauge, IntCounter, IntCounterVec, IntGauge, Opts};

use super::catalogue::{self, Metric};
use crate::timestamp::Timestamp;

/// Why the exporter refuses a request: the value of the `reason` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefusedRequest {
    /// Without the password of a user.
    Unauthenticated,
    /// The user may only read.
    ReadOnly,
    /// `rate_limit` is reached.
    RateLimited,
    /// Too many passwords are being checked.
    Busy,
}

impl RefusedRequest {
    /// The closed set.
    pub const ALL: [Self; 4] = [
        Self::Unauthenticated,
        Self::ReadOnly,
        Self::RateLimited,
        Self::Busy,
    ];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::ReadOnly => "read_only",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
        }
    }
}

/// The instruments of the web configuration. Clones share the values.
#[derive(Debug, Clone)]
pub struct WebInstruments {
    successful: IntGauge,
    success: Gauge,
    refused: IntCounterVec,
    password_checks: IntCounter,
}

impl WebInstruments {
    /// Creates the counters of all reasons at 0.
    pub(super) fn new() -> Result<Self, Error> {
        let opts = |metric: &Metric| Opts::new(metric.name, metric.help);
        let labels: Vec<&str> = catalogue::REQUESTS_REFUSED.labels().collect();
        let refused = IntCounterVec::new(opts(&catalogue::REQUESTS_REFUSED), &labels)?;
        for reason in RefusedRequest::ALL {
            refused.get_metric_with_label_values(&[reason.as_str()])?;
        }
        Ok(Self {
            successful: IntGauge::with_opts(opts(&catalogue::WEB_CONFIG_SUCCESSFUL))?,
            success: Gauge::with_opts(opts(&catalogue::WEB_CONFIG_SUCCESS))?,
            refused,
            password_checks: IntCounter::with_opts(opts(&catalogue::PASSWORD_CHECKS))?,
        })
    }

    /// Notes that the web configuration was loaded at `at`.
    pub fn config_loaded(&self, at: Timestamp) {
        self.successful.set(1);
        self.success.set(at.as_seconds());
    }

    /// Notes that a new web configuration was rejected and the current one stays.
    pub fn config_rejected(&self) {
        self.successful.set(0);
    }

    /// Counts a refused request.
    pub fn refused(&self, reason: RefusedRequest) {
        self.refused.with_label_values(&[reason.as_str()]).inc();
    }

    /// Counts a password that is checked against a hash.
    pub fn password_checked(&self) {
        self.password_checks.inc();
    }

    /// The number of passwords that were checked against a hash.
    #[must_use]
    pub fn password_checks(&self) -> u64 {
        self.password_checks.get()
    }

    fn parts(&self) -> [&dyn Collector; 4] {
        [
            &self.successful,
            &self.success,
            &self.refused,
            &self.password_checks,
        ]
    }
}

impl Collector for WebInstruments {
    fn desc(&self) -> Vec<&Desc> {
        self.parts().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.parts()
            .into_iter()
            .flat_map(Collector::collect)
            .collect()
    }
}
