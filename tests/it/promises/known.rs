//! The names that texts may use: the catalogue's metrics, recording rules, and the labels of both.

use std::collections::BTreeSet;

use twilio_email_exporter::exposition::catalogue::{self, Kind, LABELS, Metric, PROBED};

use super::promql::Mention;
use super::rules::recorded;

/// Labels that Prometheus adds or alerts have.
const OF_PROMETHEUS: [&str; 9] = [
    "job",
    "instance",
    "tier",
    "le",
    "alertname",
    "alertstate",
    "severity",
    "window",
    "__name__",
];
/// Labels that service discovery adds, and Prometheus servers that write to the same storage.
const OF_SCRAPES: [&str; 11] = [
    "cluster",
    "environment",
    "namespace",
    "container",
    "endpoint",
    "node",
    "pod",
    "prometheus",
    "prometheus_replica",
    "replica",
    "service",
];
/// A label that the dashboards' own queries make: the name of a send.
const OF_DASHBOARDS: [&str; 1] = ["send"];
/// User labels in the examples of pages and dashboards.
const OF_USERS: [&str; 3] = ["name", "campaign", "template"];
/// Labels that follow from the level in a recording rule's name.
const LEVELS: [(&str, &[&str]); 8] = [
    ("account", &["account"]),
    ("account_outcome", &["account", "outcome"]),
    ("account_label_value", &["account", "label", "value"]),
    (
        "account_label_value_outcome",
        &["account", "label", "value", "outcome"],
    ),
    ("account_provider", &["account", "provider"]),
    (
        "account_provider_outcome",
        &["account", "provider", "outcome"],
    ),
    ("account_provider_le", &["account", "provider", "le"]),
    ("operation", &["account", "operation_id"]),
];

/// The catalogue's metrics, those of probes included.
fn all() -> impl Iterator<Item = &'static Metric> {
    catalogue::ALL.iter().chain(PROBED).copied()
}

/// One name that may be used.
struct Series {
    name: String,
    labels: Vec<&'static str>,
    rises: bool,
}

pub(super) struct Known {
    series: Vec<Series>,
    labels: BTreeSet<&'static str>,
}

impl Known {
    pub(super) fn new() -> Self {
        let mut series = Vec::new();
        for metric in all() {
            let suffixes: &[&str] = match metric.kind {
                Kind::Histogram => &["_bucket", "_sum", "_count"],
                Kind::Gauge | Kind::Counter | Kind::StateSet | Kind::Info => &[""],
            };
            series.extend(suffixes.iter().map(|suffix| Series {
                name: format!("{}{suffix}", metric.name),
                labels: metric.labels().collect(),
                // A probe's histogram shows one read, so it has no rate.
                rises: matches!(metric.kind, Kind::Counter | Kind::Histogram)
                    && !PROBED.contains(&metric),
            }));
        }
        series.extend(recorded().into_iter().map(|name| Series {
            labels: of_level(&name).to_vec(),
            name,
            rises: false,
        }));
        let labels = series.iter().flat_map(|series| series.labels.clone());
        let labels = labels
            .chain(LABELS.iter().map(|label| label.name))
            .chain(OF_PROMETHEUS)
            .chain(OF_SCRAPES)
            .chain(OF_DASHBOARDS)
            .chain(OF_USERS);
        Self {
            labels: labels.collect(),
            series,
        }
    }

    fn find(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.name == name)
    }

    /// What is wrong with a name in a text, and with the labels of its selector.
    pub(super) fn problem_with(&self, mention: &Mention) -> Option<String> {
        let name = &mention.name;
        // In prose a family's name means the histogram, and the crate's name means the program.
        let is_family = all().any(|metric| metric.name == *name);
        if mention.is_prefix {
            let any = self
                .series
                .iter()
                .any(|series| series.name.starts_with(name));
            return (!any).then(|| format!("nothing begins with {name}"));
        }
        if name == "twilio_email_exporter" || mention.labels.is_empty() && is_family {
            return None;
        }
        let Some(series) = self.find(name) else {
            return Some(format!("there is no {name}"));
        };
        // Users choose their labels, and a dashboard's variable may be in the place of a label.
        let any = name == catalogue::OPERATION_INFO.name;
        let label = mention.labels.iter().find(|label| {
            !any && !label.starts_with('$')
                && !series.labels.contains(&label.as_str())
                && !OF_PROMETHEUS.contains(&label.as_str())
                && !OF_SCRAPES.contains(&label.as_str())
        })?;
        Some(format!("{name} has no label `{label}`"))
    }

    pub(super) fn has_label(&self, label: &str) -> bool {
        self.labels.contains(label)
    }

    pub(super) fn only_rises(&self, name: &str) -> bool {
        name.starts_with("process_cpu_") || self.find(name).is_some_and(|series| series.rises)
    }
}

fn of_level(name: &str) -> &'static [&'static str] {
    let level = name.split(':').next().unwrap_or_default();
    let found = LEVELS.iter().find(|(known, _)| *known == level);
    found.unwrap_or_else(|| panic!("{name}: no such level")).1
}

#[test]
fn unknown_metrics_and_labels_are_found() {
    let known = Known::new();
    let problem = |text: &str| {
        let mentions = super::promql::mentions(text);
        mentions
            .iter()
            .find_map(|mention| known.problem_with(mention))
    };
    for fine in [
        "twilio_email_up{account=\"a\"} == 0",
        "twilio_email_exporter_state_… and twilio_email_operation_info{team=\"x\"}",
        "printf `twilio_email_operation_emails{%s,status=\"queued\"}`",
        "twilio_email_up{$label!=\"\"}",
        "account:twilio_email_failure:ratio_rate1h{job=\"x\"}",
        "the histogram twilio_email_api_request_duration_seconds",
        "rate(twilio_email_api_request_duration_seconds_bucket{le=\"1\"}[5m])",
    ] {
        assert_eq!(problem(fine), None, "{fine}");
    }
    for (wrong, what) in [
        ("twilio_email_ups", "there is no twilio_email_ups"),
        (
            "twilio_email_exporter_states_…",
            "nothing begins with twilio_email_exporter_states_",
        ),
        (
            "twilio_email_up{status=\"a, b\", acount=~\"x\"}",
            "twilio_email_up has no label `status`",
        ),
        (
            "twilio_email_up{account=\"}\", acount=~\"x\"}",
            "twilio_email_up has no label `acount`",
        ),
        (
            "account:twilio_email_failure:ratio_rate2w",
            "there is no account:twilio_email_failure:ratio_rate2w",
        ),
        (
            "account:twilio_email_failure:ratio_rate1h{value=\"x\"}",
            "account:twilio_email_failure:ratio_rate1h has no label `value`",
        ),
    ] {
        assert_eq!(problem(wrong).as_deref(), Some(what), "{wrong}");
    }
    assert!(!known.only_rises("twilio_email_emails"));
    assert!(known.only_rises("twilio_email_emails_accepted_total"));
}
