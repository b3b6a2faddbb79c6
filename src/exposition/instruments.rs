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
    Encoder, Error, Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::catalogue::{self, ALL, Metric, Scope};
use super::connections::ConnectionInstruments;
use super::source_figures::{SourceFigures, SourceInstruments};
use crate::operation::Field;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Upper bounds in seconds. A good answer takes 50 to 500 ms, so the bounds are close there; 5 ms is a simulator next door, and
/// 30 s is beyond any time limit of a request.
const DURATION_BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The value of `code` for a request that got no HTTP status.
const NO_CODE: &str = "none";

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
    state_saved: Gauge,
    state_save_failures: IntCounter,
}

/// Counts how saving goes.
#[derive(Debug, Clone)]
pub struct StateInstruments {
    saved: Gauge,
    failures: IntCounter,
}

impl StateInstruments {
    /// Everything was saved.
    pub fn saved(&self, at: Timestamp) {
        self.saved.set(at.as_seconds());
    }

    /// Saving failed.
    pub fn save_failed(&self) {
        self.failures.inc();
    }
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
        Ok(Self {
            requests,
            connections,
            sources: register(&registry, SourceFigures::new()?)?,
            config_successful: register(&registry, config_successful)?,
            config_success: register(&registry, config_success)?,
            state_saved: Gauge::with_opts(opts(&catalogue::STATE_SAVED))?,
            state_save_failures: IntCounter::with_opts(opts(&catalogue::STATE_SAVE_FAILURES))?,
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
        for field in Field::ALL {
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
        forget(&self.requests.answered, name);
        forget(&self.requests.failed, name);
        forget(&self.requests.unexpected, name);
        forget(&self.requests.durations, name);
    }

    /// Shows how saving goes, from now on; to be called once, by an exporter that saves at all.
    pub fn show_state(&self) -> Result<(), Error> {
        register(&self.registry, self.state_saved.clone())?;
        register(&self.registry, self.state_save_failures.clone())?;
        Ok(())
    }

    /// The instruments of whoever accepts connections.
    #[must_use]
    pub fn connections(&self) -> ConnectionInstruments {
        self.connections.clone()
    }

    /// The instruments of whoever saves.
    #[must_use]
    pub fn state(&self) -> StateInstruments {
        StateInstruments {
            saved: self.state_saved.clone(),
            failures: self.state_save_failures.clone(),
        }
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

    /// `endpoint` will be asked: it has failed 0 times from now on.
    pub fn expect(&self, endpoint: Endpoint) {
        for reason in Reason::ALL {
            self.add_failures(endpoint, reason, 0);
        }
    }

    /// Counts one request that failed.
    pub fn failure(&self, endpoint: Endpoint, reason: Reason) {
        self.add_failures(endpoint, reason, 1);
    }

    /// Counts values in answers that could not be used as they were.
    pub fn unexpected(&self, field: Field, count: u64) {
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
mod tests {
    use super::*;

    const BUILD: Build<'static> = Build {
        version: "1.2.3",
        revision: "abcdef0",
    };

    fn encoded(instruments: &Instruments) -> String {
        let mut out = Vec::new();
        instruments.encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_counted_yet_is_no_error() {
        let text = encoded(&Instruments::new(BUILD).unwrap());
        assert!(text.contains(
            "\ntwilio_email_exporter_build_info{revision=\"abcdef0\",version=\"1.2.3\"} 1\n"
        ));
        assert!(text.contains("\ntwilio_email_exporter_config_last_reload_successful 0\n"));
        assert!(!text.contains("twilio_email_api_"));
        assert_eq!(
            text.contains("\nprocess_start_time_seconds "),
            cfg!(target_os = "linux")
        );
    }

    #[test]
    fn requests_are_counted_by_what_became_of_them() {
        let instruments = Instruments::new(BUILD).unwrap();
        let account = instruments.account("default");
        account.request(Endpoint::Operation, Some(200), Duration::from_millis(80));
        account
            .clone()
            .request(Endpoint::Operation, Some(200), Duration::from_millis(90));
        account.request(Endpoint::Token, None, Duration::from_secs(40));
        account.failure(Endpoint::Token, Reason::Timeout);
        let text = encoded(&instruments);
        for line in [
            "requests_total{account=\"default\",code=\"200\",endpoint=\"operation\"} 2",
            "requests_total{account=\"default\",code=\"none\",endpoint=\"token\"} 1",
            "request_failures_total{account=\"default\",endpoint=\"token\",reason=\"timeout\"} 1",
            "request_failures_total{account=\"default\",endpoint=\"operations\",reason=\"tls\"} 0",
            "request_duration_seconds_bucket{account=\"default\",endpoint=\"operation\",le=\"0.05\"} 0",
            "request_duration_seconds_bucket{account=\"default\",endpoint=\"operation\",le=\"0.1\"} 2",
            "request_duration_seconds_bucket{account=\"default\",endpoint=\"token\",le=\"30\"} 0",
            "request_duration_seconds_bucket{account=\"default\",endpoint=\"token\",le=\"+Inf\"} 1",
        ] {
            let line = format!("\ntwilio_email_api_{line}\n");
            assert!(text.contains(&line), "no {line} in:\n{text}");
        }
        let failures = text.matches("\ntwilio_email_api_request_failures_total{");
        assert_eq!(failures.count(), 2 * Reason::ALL.len() + 1);
    }

    /// The crate tells series apart by a hash of their label values joined without a separator. So no account's name may turn
    /// one series into another, which would need one ending to end with another.
    #[test]
    fn no_account_name_makes_two_series_one() {
        use Endpoint::{Emails, Operation, Operations, Token};
        let endings = |lasts: &[&str]| -> Vec<String> {
            let endpoints = [Operation, Operations, Emails, Token].map(Endpoint::as_str);
            let ending = |endpoint| lasts.iter().map(move |last| format!("{endpoint}{last}"));
            endpoints.into_iter().flat_map(ending).collect()
        };
        let reasons = Reason::ALL.map(Reason::as_str);
        for family in [&[""][..], &reasons, &[NO_CODE, "200", "404", "429", "500"]] {
            let endings = endings(family);
            for (a, one) in endings.iter().enumerate() {
                for (b, other) in endings.iter().enumerate() {
                    assert!(
                        a == b || !one.ends_with(other.as_str()),
                        "{one} and {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_forgotten_account_leaves_no_series() {
        let instruments = Instruments::new(BUILD).unwrap();
        for name in ["gone", "kept"] {
            let account = instruments.account(name);
            account.request(Endpoint::Operations, Some(429), Duration::from_millis(5));
        }
        instruments.forget_account("gone");
        let text = encoded(&instruments);
        assert!(!text.contains("gone"), "{text}");
        assert!(text.contains("_total{account=\"kept\",code=\"429\",endpoint=\"operations\"} 1\n"));
    }

    #[test]
    fn a_refused_configuration_leaves_the_time_of_the_last_good_one() {
        let instruments = Instruments::new(BUILD).unwrap();
        instruments.config_loaded(Timestamp::from_millis(1_775_368_800_500));
        instruments.config_refused();
        let text = encoded(&instruments);
        assert!(text.contains("_config_last_reload_successful 0\n"));
        assert!(text.contains("_config_last_reload_success_timestamp_seconds 1775368800.5\n"));
    }

    #[test]
    fn whole_scope_of_the_exporter_is_shown() {
        let instruments = Instruments::new(BUILD).unwrap();
        instruments.show_state().unwrap();
        let text = encoded(&instruments);
        for metric in ALL.iter().filter(|metric| metric.scope == Scope::Exporter) {
            let header = format!(
                "# HELP {0} {1}\n# TYPE {0} {2}\n",
                metric.name,
                metric.help,
                metric.kind.as_str()
            );
            assert!(text.contains(&header), "{header}");
        }
    }
}
