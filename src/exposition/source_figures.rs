//! How each source of operations stands.
//!
//! Kept in a map of our own: the `prometheus` crate tells series apart by a hash of their label values joined without a
//! separator, and both the names of accounts and those of sources are anybody's.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Gauge, LabelPair, Metric as Series, MetricFamily, MetricType};
use prometheus::{Error, Opts, core::Describer};

use super::catalogue::{self, Metric};
use crate::timestamp::Timestamp;

/// By account and source.
type SourceStatuses = BTreeMap<(Arc<str>, Arc<str>), SourceStatus>;

/// The sources of all accounts; a clone is the same.
#[derive(Debug, Clone)]
pub(super) struct SourceFigures {
    descriptions: Arc<[Desc]>,
    statuses: Arc<Mutex<SourceStatuses>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct SourceStatus {
    up: bool,
    /// What was listed last, and when a look last worked.
    listed: Option<(usize, Timestamp)>,
}

/// Shows how the sources of one account stand; cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceInstruments {
    account: Arc<str>,
    figures: SourceFigures,
}

impl SourceInstruments {
    pub(super) fn new(account: &str, figures: SourceFigures) -> Self {
        Self {
            account: Arc::from(account),
            figures,
        }
    }

    /// A look at `source` worked, and it lists so many operations.
    pub fn worked(&self, source: &str, operations: usize, at: Timestamp) {
        let listed = Some((operations, at));
        let key = (Arc::clone(&self.account), Arc::from(source));
        self.figures
            .statuses
            .lock()
            .insert(key, SourceStatus { up: true, listed });
    }

    /// A look at `source` failed.
    pub fn failed(&self, source: &str) {
        let key = (Arc::clone(&self.account), Arc::from(source));
        self.figures.statuses.lock().entry(key).or_default().up = false;
    }

    /// `source` is no more.
    pub fn gone(&self, source: &str) {
        let key = (Arc::clone(&self.account), Arc::from(source));
        self.figures.statuses.lock().remove(&key);
    }
}

impl SourceFigures {
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

    /// Ends the series of an account.
    pub(super) fn forget_account(&self, name: &str) {
        self.statuses
            .lock()
            .retain(|(account, _), _| &**account != name);
    }
}

impl Collector for SourceFigures {
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
    use super::super::{Build, Instruments};
    use super::*;

    fn instruments() -> Instruments {
        let build = Build {
            version: "1.2.3",
            revision: "abcdef0",
        };
        Instruments::new(build).unwrap()
    }

    /// The samples, without `twilio_email_source`.
    fn shown(instruments: &Instruments) -> Vec<String> {
        let mut out = Vec::new();
        instruments.encode(&mut out);
        let text = String::from_utf8(out).unwrap();
        let samples = text
            .lines()
            .filter_map(|line| line.strip_prefix("twilio_email_source_"));
        samples.map(str::to_owned).collect()
    }

    #[test]
    fn a_source_is_shown_from_its_first_look_to_its_end() {
        let instruments = instruments();
        let sources = instruments.sources("a");
        assert_eq!(shown(&instruments), [""; 0]);
        sources.failed("x.yml");
        assert_eq!(
            shown(&instruments),
            ["up{account=\"a\",source=\"x.yml\"} 0"]
        );
        sources.worked("x.yml", 7, Timestamp::from_millis(1500));
        sources.failed("x.yml");
        let figures = [
            "last_success_timestamp_seconds{account=\"a\",source=\"x.yml\"} 1.5",
            "operations{account=\"a\",source=\"x.yml\"} 7",
            "up{account=\"a\",source=\"x.yml\"} 0",
        ];
        assert_eq!(shown(&instruments), figures);
        sources.gone("x.yml");
        assert_eq!(shown(&instruments), [""; 0]);
    }

    #[test]
    fn no_two_sources_are_taken_for_one() {
        let instruments = instruments();
        let at = Timestamp::from_millis(0);
        instruments.sources("a").worked("b\"c\n", 1, at);
        instruments.sources("ab").worked("\"c\n", 2, at);
        let shown = |text: &str| shown(&instruments).iter().any(|line| line == text);
        assert!(shown("operations{account=\"a\",source=\"b\\\"c\\n\"} 1"));
        assert!(shown("operations{account=\"ab\",source=\"\\\"c\\n\"} 2"));
        instruments.forget_account("a");
        assert!(!shown("operations{account=\"a\",source=\"b\\\"c\\n\"} 1"));
        assert!(shown("operations{account=\"ab\",source=\"\\\"c\\n\"} 2"));
    }
}
