//! The section `series`: which operations have series of their own, and with which labels. Every list has a limit, because
//! Prometheus pays for each series.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::problem::Findings;
use super::walk::{Value, expected_whole};
use super::{Overrides, label};

/// The allowed values of `max_operations`. A million of them have thirteen million series, more than one Prometheus should scrape
/// from one target.
pub const MAX_OPERATIONS: RangeInclusive<usize> = 0..=1_000_000;

/// The most labels to aggregate by: each of their values has twenty series.
const MOST_AGGREGATES: usize = 8;
/// The most values of one label with their own series.
const LABEL_VALUES: RangeInclusive<usize> = 1..=10_000;

/// Which operations have series of their own, and with which labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The most operations with series. Configured operations come first and always have series, even beyond the limit; 0: only those.
    pub max_operations: usize,
    /// The fewest emails of an operation that gets series.
    pub min_size: u32,
    /// The user's labels that are exposed; `None`: every one.
    pub labels: Option<Vec<String>>,
    /// The labels by whose values emails and operations are aggregated.
    pub aggregate_by: Vec<Arc<str>>,
    /// The most values of each of these labels with their own series.
    pub max_label_values: usize,
    /// The tags of emails that become labels of their operations; if empty, tags are not requested.
    pub tags: Vec<String>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            max_operations: 1000,
            min_size: 1,
            labels: None,
            aggregate_by: Vec::new(),
            max_label_values: 100,
            tags: Vec::new(),
        }
    }
}

impl Series {
    /// Reads the section `series`; the command line has priority.
    pub(super) fn read(
        value: Option<&Value>,
        overrides: &Overrides,
        findings: &mut Findings,
    ) -> Self {
        let mut series = Self::default();
        if let Some(mut mapping) = value.and_then(|value| value.mapping(findings)) {
            if let Some(value) = mapping.take("max_operations")
                && let Some(number) = value.whole(&MAX_OPERATIONS, findings)
            {
                series.max_operations = number;
            }
            if let Some(value) = mapping.take("min_size")
                && let Some(number) = value.whole(&(0..=u32::MAX), findings)
            {
                series.min_size = number;
            }
            series.labels = mapping
                .take("labels")
                .map(|value| read_labels(&value, findings));
            if let Some(value) = mapping.take("aggregate_by") {
                let labels = read_labels(&value, findings);
                if labels.len() > MOST_AGGREGATES {
                    let message = format_args!(
                        "{} labels; at most {MOST_AGGREGATES} are allowed, because each of them multiplies series",
                        labels.len()
                    );
                    findings.problem(&value.place, message);
                }
                series.aggregate_by = labels.into_iter().map(Arc::from).collect();
            }
            if let Some(value) = mapping.take("max_label_values")
                && let Some(number) = value.whole(&LABEL_VALUES, findings)
            {
                series.max_label_values = number;
            }
            if let Some(value) = mapping.take("tags") {
                series.tags = read_labels(&value, findings);
            }
            mapping.finish(findings);
        }
        match overrides.max_operations {
            Some(number) if MAX_OPERATIONS.contains(&number) => series.max_operations = number,
            Some(_) => {
                findings.problem("--series.max-operations", expected_whole(&MAX_OPERATIONS));
            }
            None => {}
        }
        series
    }
}

fn read_labels(value: &Value, findings: &mut Findings) -> Vec<String> {
    let mut names = BTreeSet::new();
    for item in value.list(findings).unwrap_or_default() {
        let Some(name) = item.text(findings) else {
            continue;
        };
        findings.take(&item.place, label::check_name(name));
        if !names.insert(name.to_owned()) {
            findings.problem(&item.place, "given twice");
        }
    }
    names.into_iter().collect()
}
