//! Which operations have series of their own, and with which labels.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::problem::Findings;
use super::walk::{Value, expected_whole};
use super::{Overrides, label};
use crate::operation::OperationId;
use crate::snapshot::Labels;

/// How many operations may have series of their own; a million is thirteen million series, more than one Prometheus
/// should be asked to take from one target.
const OPERATIONS: RangeInclusive<usize> = 0..=1_000_000;

/// Which operations have series of their own, and with which labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The most operations with series. The configured ones come first and always have them, even beyond it; 0: only those.
    pub max_operations: usize,
    /// The fewest emails of an operation that gets series.
    pub min_size: u32,
    /// The user's labels that are exposed; `None`: every one.
    pub labels: Option<Vec<String>>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            max_operations: 1000,
            min_size: 1,
            labels: None,
        }
    }
}

impl Series {
    /// The operations with those of their labels that are exposed.
    #[must_use]
    pub fn allowed(
        &self,
        operations: &BTreeMap<OperationId, Labels>,
    ) -> BTreeMap<OperationId, Labels> {
        let Some(allowed) = &self.labels else {
            return operations.clone();
        };
        let narrow = |labels: &Labels| {
            let labels = labels.iter().filter(|(name, _)| allowed.contains(name));
            Labels::new(
                labels
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        };
        operations
            .iter()
            .map(|(id, labels)| (*id, narrow(labels)))
            .collect()
    }

    /// Reads the section `series`; what the command line says wins.
    pub(super) fn read(
        value: Option<&Value>,
        overrides: &Overrides,
        findings: &mut Findings,
    ) -> Self {
        let mut series = Self::default();
        if let Some(mut mapping) = value.and_then(|value| value.mapping(findings)) {
            if let Some(value) = mapping.take("max_operations")
                && let Some(number) = value.whole(&OPERATIONS, findings)
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
            mapping.finish(findings);
        }
        match overrides.max_operations {
            Some(number) if OPERATIONS.contains(&number) => series.max_operations = number,
            Some(_) => findings.problem("--series.max-operations", expected_whole(&OPERATIONS)),
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
