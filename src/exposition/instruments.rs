//! The exporter's own metrics: its requests to Twilio, its configuration, its process.
//!
//! They are in a `prometheus::Registry`, because they change between scrapes. The values of operations are never in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::proto::Metric as Series;
use prometheus::{
    Error, Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use super::catalogue::{self, ALL, Metric, Scope};
use super::connections::ConnectionInstruments;
use super::gathered;
use super::mx_metrics::MxInstruments;
use super::source_metrics::{SourceInstruments, SourceMetrics};
use super::start_times::StartTimes;
use super::state_metrics::StateInstruments;
use super::text::Text;
use super::web_metrics::WebInstruments;
use crate::operation::ResponseField;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Upper bounds in seconds. A usual response takes 50 to 500 ms, so the bounds are close there. A local simulator takes 5 ms; no
/// request timeout is above 30 s.
const DURATION_BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The value of `code` for a request without a response.
const NO_CODE: &str = "none";

/// The statuses that Twilio documents, and `none`. Endpoints that every account uses have a series with 0 for each of them from the
/// start, so that `rate()` sees the first request.
const DOCUMENTED_CODES: [&str; 9] = [
    "200", "400", "401", "403", "404", "429", "500", "503", NO_CODE,
];

/// The version and the revision of the exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build<'a> {
    /// The version.
    pub version: &'a str,
    /// The commit; empty or `unknown` outside of a repository.
    pub revision: &'a str,
}

/// An endpoint of Twilio's: the value of the `endpoint` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// One operation.
    Operation,
    /// The list of operations.
    Operations,
    /// The list of emails.
    Emails,
    /// An OAuth access token.
    Token,
}

impl Endpoint {
    /// The endpoints that every account uses, whatever is configured: their series exist from the start.
    const ALWAYS: [Self; 2] = [Self::Operation, Self::Operations];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Operations => "operations",
            Self::Emails => "emails",
            Self::Token => "token",
        }
    }
}

/// All the exporter's own metrics: one per process, or one per test. Clones share the values.
#[derive(Debug, Clone)]
pub struct Instruments {
    registry: Registry,
    start_times: StartTimes,
    requests: Requests,
    sources: SourceMetrics,
    connections: ConnectionInstruments,
    config_successful: IntGauge,
    config_success: Gauge,
    state: StateInstruments,
    web: WebInstruments,
    mx: MxInstruments,
}

impl Instruments {
    /// Registers all metrics.
    ///
    /// # Errors
    /// Only if two metrics of the catalogue conflict.
    pub fn new(build: Build<'_>) -> Result<Self, Error> {
        let registry = Registry::new();
        let requests = Requests::register(&registry)?;
        let info = register(
            &registry,
            IntGaugeVec::new(
                opts(&catalogue::BUILD_INFO),
                &labels(&catalogue::BUILD_INFO),
            )?,
        )?;
        info.get_metric_with_label_values(&[build.version, build.revision])?
            .set(1);
        let config_successful = IntGauge::with_opts(opts(&catalogue::CONFIG_SUCCESSFUL))?;
        let config_success = Gauge::with_opts(opts(&catalogue::CONFIG_SUCCESS))?;
        // The crate reads /proc, so this exists only on Linux.
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        let connections = ConnectionInstruments::new()?;
        for counters in connections.collectors() {
            register(&registry, counters)?;
        }
        let mx = MxInstruments::new()?;
        register(&registry, mx.lookups().clone())?;
        let state = StateInstruments::new()?;
        register(&registry, state.rebuilds().clone())?;
        Ok(Self {
            requests,
            web: WebInstruments::new(connections.clone())?,
            connections,
            sources: register(&registry, SourceMetrics::new()?)?,
            config_successful: register(&registry, config_successful)?,
            config_success: register(&registry, config_success)?,
            state,
            mx,
            registry,
            start_times: StartTimes::default(),
        })
    }

    /// Notes that the counters of the exporter itself begin at `now`.
    pub fn start(&self, now: Timestamp) {
        self.start_times.exporter_starts(now);
    }

    /// When the counters of the exporter itself began: its start.
    #[must_use]
    pub fn started(&self) -> Option<Timestamp> {
        self.start_times.exporter()
    }

    /// Notes that the counters of the account `name` begin at `now`, unless they have begun already.
    pub fn start_account(&self, name: &str, now: Timestamp) {
        self.start_times.account_starts(name, now);
    }

    /// The instruments of the account `name`. The series of endpoints that every account uses start at 0 now.
    #[must_use]
    pub fn account(&self, name: &str) -> AccountInstruments {
        let account = AccountInstruments {
            name: Arc::from(name),
            requests: self.requests.clone(),
        };
        for endpoint in Endpoint::ALWAYS {
            account.expect(endpoint);
        }
        for field in ResponseField::ALL {
            account.unexpected(field, 0);
        }
        account
    }

    /// The instruments of the sources of the account `name`.
    #[must_use]
    pub fn sources(&self, name: &str) -> SourceInstruments {
        SourceInstruments::new(name, self.sources.clone())
    }

    /// Removes the series of an account that is no longer in the configuration.
    pub fn forget_account(&self, name: &str) {
        self.sources.forget_account(name);
        self.state.forget_account(name);
        self.start_times.forget_account(name);
        remove_series(&self.requests.total, name);
        remove_series(&self.requests.failed, name);
        remove_series(&self.requests.unexpected, name);
        remove_series(&self.requests.durations, name);
    }

    /// Registers the metrics about saves. To be called once, if the exporter has a store on disk.
    ///
    /// # Errors
    /// Only if two metrics of the catalogue conflict.
    pub fn show_state(&self) -> Result<(), Error> {
        register(&self.registry, self.state.clone()).map(|_| ())
    }

    /// Registers the metrics about the web configuration. To be called once, if there is one. Returns its instruments.
    ///
    /// # Errors
    /// Only if two metrics of the catalogue conflict.
    pub fn show_web_config(&self) -> Result<WebInstruments, Error> {
        register(&self.registry, self.web.clone())
    }

    /// The instruments of the HTTP server.
    #[must_use]
    pub fn connections(&self) -> ConnectionInstruments {
        self.connections.clone()
    }

    /// The instruments of the store.
    #[must_use]
    pub fn state(&self) -> StateInstruments {
        self.state.clone()
    }

    /// The instruments of lookups of mail exchangers.
    #[must_use]
    pub fn mx(&self) -> MxInstruments {
        self.mx.clone()
    }

    /// Notes that the configuration was loaded at `at`.
    pub fn config_loaded(&self, at: Timestamp) {
        self.config_successful.set(1);
        self.config_success.set(at.as_seconds());
    }

    /// Notes that a new configuration was rejected and the current one stays.
    pub fn config_rejected(&self) {
        self.config_successful.set(0);
    }

    /// Writes all families.
    pub(super) fn encode(&self, text: &mut Text<'_>) {
        self.encode_if(|_| true, text);
    }

    /// Writes the families about accounts.
    pub(super) fn encode_accounts(&self, text: &mut Text<'_>) {
        let is_about_accounts = |name: &str| {
            ALL.iter()
                .any(|metric| metric.name == name && metric.scope == Scope::Account)
        };
        self.encode_if(is_about_accounts, text);
    }

    fn encode_if(&self, is_wanted: impl Fn(&str) -> bool, text: &mut Text<'_>) {
        let gathered = self.registry.gather();
        for family in gathered.iter().filter(|family| is_wanted(family.name())) {
            let since = |series: &Series| self.start_times.of(family, series, &gathered);
            gathered::write(family, since, text);
        }
    }
}

/// The instruments of one account; cheap to clone.
#[derive(Debug, Clone)]
pub struct AccountInstruments {
    name: Arc<str>,
    requests: Requests,
}

impl AccountInstruments {
    /// The account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts one request and its duration. `code` is the response's status; `None` without a response.
    pub fn request(&self, endpoint: Endpoint, code: Option<u16>, duration: Duration) {
        let mut buffer = itoa::Buffer::new();
        let code = code.map_or(NO_CODE, |code| buffer.format(code));
        let endpoint = endpoint.as_str();
        self.requests
            .total
            .with_label_values(&[&*self.name, endpoint, code])
            .inc();
        self.requests
            .durations
            .with_label_values(&[&*self.name, endpoint])
            .observe(duration.as_secs_f64());
    }

    /// Starts the series of `endpoint` at 0, because the account will use it.
    pub fn expect(&self, endpoint: Endpoint) {
        for reason in Reason::ALL {
            self.add_failures(endpoint, reason, 0);
        }
        let endpoint = endpoint.as_str();
        for code in DOCUMENTED_CODES {
            let labels = [&*self.name, endpoint, code];
            self.requests.total.with_label_values(&labels);
        }
        let labels = [&*self.name, endpoint];
        self.requests.durations.with_label_values(&labels);
    }

    /// Counts one failed request.
    pub fn failure(&self, endpoint: Endpoint, reason: Reason) {
        self.add_failures(endpoint, reason, 1);
    }

    /// Counts values in responses that could not be used as they were.
    pub fn unexpected(&self, field: ResponseField, count: u64) {
        self.requests
            .unexpected
            .with_label_values(&[&*self.name, field.as_str()])
            .inc_by(count);
    }

    fn add_failures(&self, endpoint: Endpoint, reason: Reason, count: u64) {
        self.requests
            .failed
            .with_label_values(&[&*self.name, endpoint.as_str(), reason.as_str()])
            .inc_by(count);
    }
}

/// The requests of all accounts. Clones share the counters.
#[derive(Debug, Clone)]
struct Requests {
    total: IntCounterVec,
    failed: IntCounterVec,
    unexpected: IntCounterVec,
    durations: HistogramVec,
}

impl Requests {
    fn register(registry: &Registry) -> Result<Self, Error> {
        let counter = |metric| IntCounterVec::new(opts(metric), &labels(metric));
        let durations = &catalogue::API_REQUEST_DURATION;
        let durations = HistogramVec::new(
            HistogramOpts::from(opts(durations)).buckets(DURATION_BUCKETS.to_vec()),
            &labels(durations),
        )?;
        Ok(Self {
            total: register(registry, counter(&catalogue::API_REQUESTS)?)?,
            failed: register(registry, counter(&catalogue::API_REQUEST_FAILURES)?)?,
            unexpected: register(registry, counter(&catalogue::API_UNEXPECTED_VALUES)?)?,
            durations: register(registry, durations)?,
        })
    }
}

fn opts(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

fn labels(metric: &Metric) -> Vec<&'static str> {
    metric.labels().collect()
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// Removes the series whose label `account` is `name`. It collects the family first, because only that lists the codes that
/// occurred.
fn remove_series<B: MetricVecBuilder>(series: &MetricVec<B>, name: &str)
where
    MetricVec<B>: Collector,
{
    for family in series.collect() {
        for metric in family.get_metric() {
            let labels: HashMap<&str, &str> = metric
                .get_label()
                .iter()
                .map(|label| (label.name(), label.value()))
                .collect();
            if labels.get("account") == Some(&name) {
                // An error means that the series does not exist any more.
                let _ = series.remove(&labels);
            }
        }
    }
}

#[cfg(test)]
mod tests;
