//! The catalogue follows Prometheus' conventions for names and help.

use std::collections::BTreeSet;

use super::*;

/// Units that Prometheus does not use, and words that repeat the metric's type.
const BANNED: [&str; 10] = [
    "milliseconds",
    "ms",
    "minutes",
    "hours",
    "days",
    "percent",
    "gauge",
    "counter",
    "histogram",
    "count",
];

/// The metrics whose names begin with the prefix.
fn all() -> impl Iterator<Item = &'static Metric> {
    ALL.iter().chain(PROBED).copied()
}

/// A query that joins the two would confuse a user's label of such a name with the metric's.
#[test]
fn labels_of_metrics_are_not_allowed_as_users_labels() {
    let about_accounts = all().filter(|metric| metric.scope != Scope::Exporter);
    for label in about_accounts.flat_map(Metric::labels) {
        assert!(crate::label::check_name(label).is_err(), "{label}");
    }
}

#[test]
fn names_follow_the_conventions() {
    for metric in all() {
        let name = metric.name;
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(
            name.starts_with(PREFIX) && name.chars().all(plain),
            "{name}"
        );
        assert!(
            !name.split('_').any(|word| BANNED.contains(&word)),
            "{name}"
        );
        assert_eq!(
            name.ends_with("_total"),
            metric.kind == Kind::Counter,
            "{name}"
        );
        assert_eq!(
            name.ends_with("_timestamp_seconds"),
            name.contains("_timestamp"),
            "{name}"
        );
        assert_eq!(
            name.ends_with("_duration_seconds"),
            name.contains("_duration"),
            "{name}"
        );
        for suffix in ["_sum", "_bucket"] {
            assert!(!name.ends_with(suffix), "{name}");
        }
    }
    let names: BTreeSet<_> = all().map(|metric| metric.name).collect();
    assert_eq!(names.len(), all().count(), "a name occurs twice");
}

#[test]
fn help_is_one_sentence_with_the_unit() {
    for Metric { name, help, .. } in all() {
        assert!(
            help.ends_with('.') && help.matches(". ").count() == 0,
            "{name}: {help}"
        );
        assert!(
            !help.contains(['\n', '\\']) && help.trim() == *help,
            "{name}: {help}"
        );
        assert_eq!(
            name.ends_with("_seconds"),
            help.contains("in seconds"),
            "{name}: {help}"
        );
        assert_eq!(
            name.ends_with("_timestamp_seconds"),
            help.contains("since 1970"),
            "{name}: {help}"
        );
    }
}

#[test]
fn every_label_is_explained_and_used() {
    let used: BTreeSet<_> = all().flat_map(Metric::labels).collect();
    let explained: BTreeSet<_> = LABELS.iter().map(|label| label.name).collect();
    assert_eq!(used, explained);
}
