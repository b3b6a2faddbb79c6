//! The metrics about the web configuration. They exist only with a web configuration.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Error, Gauge, IntCounter, IntGauge, Opts};

use super::catalogue::{self, Metric};
use super::connections::{ConnectionInstruments, Refused};
use crate::timestamp::Timestamp;

/// The instruments of the web configuration. Clones share the values.
#[derive(Debug, Clone)]
pub struct WebInstruments {
    successful: IntGauge,
    success: Gauge,
    connections: ConnectionInstruments,
    password_checks: IntCounter,
}

impl WebInstruments {
    /// Requests that it refuses are counted by `connections`.
    pub(super) fn new(connections: ConnectionInstruments) -> Result<Self, Error> {
        let opts = |metric: &Metric| Opts::new(metric.name, metric.help);
        Ok(Self {
            successful: IntGauge::with_opts(opts(&catalogue::WEB_CONFIG_SUCCESSFUL))?,
            success: Gauge::with_opts(opts(&catalogue::WEB_CONFIG_SUCCESS))?,
            connections,
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
    pub fn refused(&self, reason: Refused) {
        self.connections.refused(reason);
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

    fn parts(&self) -> [&dyn Collector; 3] {
        [&self.successful, &self.success, &self.password_checks]
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
