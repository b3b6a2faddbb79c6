//! The rules for the labels that users give to operations. They are the same for the configuration, source files, URLs, the HTTP
//! API and Twilio's tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::Findings;
use crate::document::walk::Value;
use crate::snapshot::Labels;

/// The most labels of one operation; every scrape repeats each of them.
const MAX_LABELS: usize = 16;

/// The longest value, in characters. Every scrape repeats it.
const LONGEST_VALUE: usize = 256;
/// The longest name, in characters. Prometheus has no limit, but longer names do not fit into dashboards.
const LONGEST_NAME: usize = 64;

/// The labels of Prometheus' targets, histograms and summaries. With `honor_labels` a user's label of this name would replace the
/// target's own.
const OF_PROMETHEUS: [&str; 4] = ["instance", "job", "le", "quantile"];
/// The labels of metrics about accounts and operations. A query that joins users' labels to other metrics would confuse them with
/// these. A test in `exposition` keeps the list complete.
const OF_METRICS: [&str; 16] = [
    "account",
    "code",
    "collector",
    "endpoint",
    "field",
    "label",
    "older_than",
    "operation_id",
    "outcome",
    "provider",
    "reading",
    "reason",
    "source",
    "state",
    "status",
    "value",
];

/// Why a label is not allowed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LabelError {
    #[error(
        "a label's name is made of a-z, A-Z, 0-9 and _, does not start with a digit, and has at most {LONGEST_NAME} characters"
    )]
    Name,
    #[error("names that start with __, and {}, belong to Prometheus", OF_PROMETHEUS.join(", "))]
    Prometheus,
    #[error("metrics of the exporter have a label of this name; choose another")]
    Taken,
    #[error("a label's value has no control characters, such as line breaks")]
    Control,
    #[error("{0} characters; a label's value has at most {LONGEST_VALUE}")]
    Value(usize),
}

/// Whether `name` may be a label of an operation.
pub(crate) fn check_name(name: &str) -> Result<(), LabelError> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if name.is_empty()
        || name.len() > LONGEST_NAME
        || !plain
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(LabelError::Name);
    }
    match name {
        name if OF_METRICS.contains(&name) => Err(LabelError::Taken),
        name if name.starts_with("__") || OF_PROMETHEUS.contains(&name) => {
            Err(LabelError::Prometheus)
        }
        _ => Ok(()),
    }
}

/// The well-formed names that are not allowed, without those that start with `__`.
#[cfg(test)]
pub(crate) fn refused_names() -> impl Iterator<Item = &'static str> {
    OF_PROMETHEUS.into_iter().chain(OF_METRICS)
}

/// Whether `value` may be the value of a label.
pub(crate) fn check_value(value: &str) -> Result<(), LabelError> {
    match value.chars().count() {
        length if length > LONGEST_VALUE => Err(LabelError::Value(length)),
        _ if value.contains(char::is_control) => Err(LabelError::Control),
        _ => Ok(()),
    }
}

/// Whether an operation may have `labels` labels. The error is a text for the user.
pub(crate) fn check_count(labels: usize) -> Result<(), String> {
    if labels > MAX_LABELS {
        return Err(format!(
            "{labels} labels; an operation has at most {MAX_LABELS}"
        ));
    }
    Ok(())
}

/// Reads the entries of the mapping at `place`; `text` converts a value to a label's value. Reports all problems to `findings`.
pub(crate) fn read<'d>(
    entries: impl Iterator<Item = (&'d str, Value<'d>)>,
    place: &str,
    text: impl Fn(&Value<'d>, &mut Findings) -> Option<String>,
    findings: &mut Findings,
) -> Labels {
    let mut labels = BTreeMap::new();
    for (name, value) in entries {
        findings.take(&value.place, check_name(name));
        if let Some(text) = text(&value, findings) {
            findings.take(&value.place, check_value(&text));
            labels.insert(name.to_owned(), text);
        }
    }
    findings.take(place, check_count(labels.len()));
    Arc::new(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_prometheus() {
        for name in ["a", "_a", "Campaign_2"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "2a", "a-b", "é", "a b", &"a".repeat(65)] {
            assert_eq!(check_name(name), Err(LabelError::Name), "{name}");
        }
        for name in ["__name__", "job", "instance", "le", "quantile"] {
            assert_eq!(check_name(name), Err(LabelError::Prometheus), "{name}");
        }
        for name in ["account", "operation_id", "state", "status", "reason"] {
            assert_eq!(check_name(name), Err(LabelError::Taken), "{name}");
        }
        for name in ["Job", "jobs", "job_name", "campaign"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn values_have_no_control_characters() {
        for value in ["a\nb", "\0", "\u{7f}", "\u{1b}[31m", "a\tb", "\u{85}"] {
            assert_eq!(check_value(value), Err(LabelError::Control), "{value:?}");
        }
        for value in ["", " ", "Frühling \u{1f33c}", "a\\b\"c"] {
            assert_eq!(check_value(value), Ok(()), "{value:?}");
        }
    }

    #[test]
    fn values_are_counted_in_characters() {
        assert_eq!(check_value(&"é".repeat(256)), Ok(()));
        assert_eq!(check_value(&"é".repeat(257)), Err(LabelError::Value(257)));
    }
}
