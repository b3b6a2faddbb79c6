//! What the exporter counts itself: its requests to Twilio, its configuration, its process.
//!
//! These live in a `prometheus::Registry` of our own, because they are many small things that change between scrapes. What a scrape
//! finds out about operations never goes there.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::{
    Encoder, Error, Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use super::catalogue::{self, ALL, Metric, Scope};
use super::connections::ConnectionInstruments;
use super::source_figures::{SourceFigures, SourceInstruments};
use super::state_figures::StateInstruments;
use crate::operation::ResponseField;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Upper bounds in seconds. A good answer takes 50 to 500 ms, so the bounds are close there; 5 ms is a simulator next door, and
/// 30 s is beyond any time limit of a request.
const DURATION_BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The value of `code` for a request that got no HTTP status.
const NO_CODE: &str = "none";

/// The codes that Twilio documents, and none: where requests are sure to be made there have been 0 with each of them from the start,
/// so that `rate()` sees the first one.
const DOCUMENTED_CODES: [&str; 9] = [
    "200", "400", "401", "403", "404", "429", "500", "503", NO_CODE,
];

/// What the exporter was built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build<'a> {
    /// Its version.
    pub version: &'a str,
    /// The commit; empty or `unknown` outside of a repository.
    pub revision: &'a str,
}

/// What is asked of Twilio: the value of the `endpoint` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// One operation.
    Operation,
    /// The list of operations.
    Operations,
    /// Emails.
    Emails,
    /// An OAuth access token.
    Token,
}

impl Endpoint {
    /// Asked by every account, whatever is configured: their failures are 0 from the start.
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

/// All the exporter's own figures. One for a process, or one for a test; a clone is the same.
#[derive(Debug, Clone)]
pub struct Instruments {
    registry: Registry,
    requests: Requests,
    sources: SourceFigures,
    connections: ConnectionInstruments,
    config_successful: IntGauge,
    config_success: Gauge,
    state: StateInstruments,
}

impl Instruments {
    /// Registers everything; that fails only if the catalogue contradicts itself.
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
        // The crate reads /proc, so it offers this on Linux alone.
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        let connections = ConnectionInstruments::new()?;
        register(&registry, connections.collector())?;
        let state = StateInstruments::new()?;
        register(&registry, state.rebuilds().clone())?;
        Ok(Self {
            requests,
            connections,
            sources: register(&registry, SourceFigures::new()?)?,
            config_successful: register(&registry, config_successful)?,
            config_success: register(&registry, config_success)?,
            state,
            registry,
        })
    }

    /// The instruments of the account `name`. What is sure to be asked of Twilio has failed 0 times from now on.
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

    /// Ends the series of an account that the configuration no longer has.
    pub fn forget_account(&self, name: &str) {
        self.sources.forget_account(name);
        self.state.forget_account(name);
        forget(&self.requests.answered, name);
        forget(&self.requests.failed, name);
        forget(&self.requests.unexpected, name);
        forget(&self.requests.durations, name);
    }

    /// Shows how saving goes, from now on; to be called once, by an exporter that saves at all.
    pub fn show_state(&self) -> Result<(), Error> {
        register(&self.registry, self.state.clone()).map(|_| ())
    }

    /// The instruments of whoever accepts connections.
    #[must_use]
    pub fn connections(&self) -> ConnectionInstruments {
        self.connections.clone()
    }

    /// The instruments of whoever saves.
    #[must_use]
    pub fn state(&self) -> StateInstruments {
        self.state.clone()
    }

    /// The configuration was loaded.
    pub fn config_loaded(&self, at: Timestamp) {
        self.config_successful.set(1);
        self.config_success.set(at.as_seconds());
    }

    /// A new configuration was refused and the one before stays.
    pub fn config_refused(&self) {
        self.config_successful.set(0);
    }

    /// Appends all families as text.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.encode_those(|_| true, out);
    }

    /// Appends the families about accounts as text.
    pub(super) fn encode_accounts(&self, out: &mut Vec<u8>) {
        let is_about_accounts = |name: &str| {
            ALL.iter()
                .any(|metric| metric.name == name && metric.scope == Scope::Account)
        };
        self.encode_those(is_about_accounts, out);
    }

    /// One at a time, because the encoder gives up on all of them over one that it takes for empty or nameless.
    fn encode_those(&self, wanted: impl Fn(&str) -> bool, out: &mut Vec<u8>) {
        for family in self.registry.gather() {
            if !wanted(family.name()) {
                continue;
            }
            let start = out.len();
            if TextEncoder::new()
                .encode(slice::from_ref(&family), out)
                .is_err()
            {
                out.truncate(start);
            }
        }
    }
}

/// What is counted for one account; cheap to clone.
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

    /// Counts one request, answered with `code` or not at all, and how long it took.
    pub fn request(&self, endpoint: Endpoint, code: Option<u16>, duration: Duration) {
        let mut buffer = itoa::Buffer::new();
        let code = code.map_or(NO_CODE, |code| buffer.format(code));
        let endpoint = endpoint.as_str();
        self.requests
            .answered
            .with_label_values(&[&*self.name, endpoint, code])
            .inc();
        self.requests
            .durations
            .with_label_values(&[&*self.name, endpoint])
            .observe(duration.as_secs_f64());
    }

    /// `endpoint` will be asked: it has been asked, and has failed, 0 times from now on.
    pub fn expect(&self, endpoint: Endpoint) {
        for reason in Reason::ALL {
            self.add_failures(endpoint, reason, 0);
        }
        let endpoint = endpoint.as_str();
        for code in DOCUMENTED_CODES {
            let labels = [&*self.name, endpoint, code];
            self.requests.answered.with_label_values(&labels);
        }
        let labels = [&*self.name, endpoint];
        self.requests.durations.with_label_values(&labels);
    }

    /// Counts one request that failed.
    pub fn failure(&self, endpoint: Endpoint, reason: Reason) {
        self.add_failures(endpoint, reason, 1);
    }

    /// Counts values in answers that could not be used as they were.
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

/// The requests of all accounts; a clone counts into the same figures.
#[derive(Debug, Clone)]
struct Requests {
    answered: IntCounterVec,
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
            answered: register(registry, counter(&catalogue::API_REQUESTS)?)?,
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

/// Removes the series whose `account` is `name`. The codes that occurred are known to the family alone, so it is asked for them.
fn forget<B: MetricVecBuilder>(series: &MetricVec<B>, name: &str)
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
                // An error means that the series is gone already, which is what is wanted.
                let _ = series.remove(&labels);
            }
        }
    }
}

#[cfg(test)]
mod tests;
