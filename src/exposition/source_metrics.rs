//! The metrics about sources of operations: whether the last read succeeded, when, and how many operations it returned.
//!
//! They are in a map of the exporter's own, because the `prometheus` crate identifies series by a hash of their label values, joined
//! without a separator. Names of accounts and sources are arbitrary, so the crate could mistake two series for one.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Gauge, LabelPair, Metric as Series, MetricFamily, MetricType};
use prometheus::{Error, Opts, core::Describer};

use super::catalogue::{self, Metric};
use crate::timestamp::Timestamp;

/// The statuses by account and source.
type SourceValuesByName = BTreeMap<(Arc<str>, Arc<str>), SourceValues>;

/// The statuses of all accounts' sources. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct SourceMetrics {
    descriptions: Arc<[Desc]>,
    statuses: Arc<Mutex<SourceValuesByName>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct SourceValues {
    up: bool,
    /// The number of operations in the last successful read, and its time.
    listed: Option<(usize, Timestamp)>,
}

/// The instruments of one account's sources; cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceInstruments {
    account: Arc<str>,
    metrics: SourceMetrics,
}

impl SourceInstruments {
    pub(super) fn new(account: &str, metrics: SourceMetrics) -> Self {
        Self {
            account: Arc::from(account),
            metrics,
        }
    }

    /// Notes that `source` was read at `at` and lists `operations` operations.
    pub fn succeeded(&self, source: &str, operations: usize, at: Timestamp) {
        let listed = Some((operations, at));
        let key = (Arc::clone(&self.account), Arc::from(source));
        self.metrics
            .statuses
            .lock()
            .insert(key, SourceValues { up: true, listed });
    }

    /// Notes that a read of `source` failed.
    pub fn failed(&self, source: &str) {
        let key = (Arc::clone(&self.account), Arc::from(source));
        self.metrics.statuses.lock().entry(key).or_default().up = false;
    }

    /// Removes the series of `source`, which no longer exists.
    pub fn removed(&self, source: &str) {
        let key = (Arc::clone(&self.account), Arc::from(source));
        self.metrics.statuses.lock().remove(&key);
    }
}

impl SourceMetrics {
    pub(super) fn new() -> Result<Self, Error> {
        let metrics = [
            &catalogue::SOURCE_UP,
            &catalogue::SOURCE_OPERATIONS,
            &catalogue::SOURCE_LAST_SUCCESS,
        ];
        let labels = |metric: &Metric| metric.labels().map(str::to_owned).collect();
        let describe = |metric: &Metric| {
            Opts::new(metric.name, metric.help)
                .variable_labels(labels(metric))
                .describe()
        };
        let descriptions: Result<Vec<Desc>, Error> = metrics.into_iter().map(describe).collect();
        Ok(Self {
            descriptions: descriptions?.into(),
            statuses: Arc::default(),
        })
    }

    /// Removes the series of an account.
    pub(super) fn forget_account(&self, name: &str) {
        self.statuses
            .lock()
            .retain(|(account, _), _| &**account != name);
    }
}

impl Collector for SourceMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let (mut up, mut operations, mut success) = (Vec::new(), Vec::new(), Vec::new());
        for (key, status) in &*self.statuses.lock() {
            up.push(series(key, f64::from(u8::from(status.up))));
            if let Some((listed, at)) = status.listed {
                operations.push(series(key, listed as f64));
                success.push(series(key, at.as_seconds()));
            }
        }
        vec![
            family(&catalogue::SOURCE_UP, up),
            family(&catalogue::SOURCE_OPERATIONS, operations),
            family(&catalogue::SOURCE_LAST_SUCCESS, success),
        ]
    }
}

fn series((account, source): &(Arc<str>, Arc<str>), value: f64) -> Series {
    let label = |name: &str, value: &str| {
        let mut label = LabelPair::default();
        label.set_name(name.to_owned());
        label.set_value(value.to_owned());
        label
    };
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut series = Series::from_label(vec![label("account", account), label("source", source)]);
    series.set_gauge(gauge);
    series
}

fn family(metric: &Metric, series: Vec<Series>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(metric.name.to_owned());
    family.set_help(metric.help.to_owned());
    family.set_field_type(MetricType::GAUGE);
    family.set_metric(series);
    family
}

#[cfg(test)]
mod tests {
    use super::super::text::Text;
    use super::super::{Build, Instruments, Syntax};
    use super::*;

    fn instruments() -> Instruments {
        let build = Build {
            version: "1.2.3",
            revision: "abcdef0",
        };
        Instruments::new(build).unwrap()
    }

    /// The samples about sources, without the prefix `twilio_email_source_`.
    fn samples(instruments: &Instruments) -> Vec<String> {
        let mut out = Vec::new();
        instruments.encode(&mut Text::new(&mut out, Syntax::Text));
        let text = String::from_utf8(out).unwrap();
        let samples = text
            .lines()
            .filter_map(|line| line.strip_prefix("twilio_email_source_"));
        samples.map(str::to_owned).collect()
    }

    #[test]
    fn a_source_has_series_from_its_first_read_until_it_is_removed() {
        let instruments = instruments();
        let sources = instruments.sources("a");
        assert_eq!(samples(&instruments), [""; 0]);
        sources.failed("x.yml");
        assert_eq!(
            samples(&instruments),
            ["up{account=\"a\",source=\"x.yml\"} 0"]
        );
        sources.succeeded("x.yml", 7, Timestamp::from_millis(1500));
        sources.failed("x.yml");
        let expected = [
            "last_success_timestamp_seconds{account=\"a\",source=\"x.yml\"} 1.5",
            "operations{account=\"a\",source=\"x.yml\"} 7",
            "up{account=\"a\",source=\"x.yml\"} 0",
        ];
        assert_eq!(samples(&instruments), expected);
        sources.removed("x.yml");
        assert_eq!(samples(&instruments), [""; 0]);
    }

    #[test]
    fn sources_whose_label_values_join_to_the_same_text_have_their_own_series() {
        let instruments = instruments();
        let at = Timestamp::from_millis(0);
        instruments.sources("a").succeeded("b\"c\n", 1, at);
        instruments.sources("ab").succeeded("\"c\n", 2, at);
        let has = |text: &str| samples(&instruments).iter().any(|line| line == text);
        assert!(has("operations{account=\"a\",source=\"b\\\"c\\n\"} 1"));
        assert!(has("operations{account=\"ab\",source=\"\\\"c\\n\"} 2"));
        instruments.forget_account("a");
        assert!(!has("operations{account=\"a\",source=\"b\\\"c\\n\"} 1"));
        assert!(has("operations{account=\"ab\",source=\"\\\"c\\n\"} 2"));
    }
}
