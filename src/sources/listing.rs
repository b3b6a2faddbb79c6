//! Parses a list of operations: target groups in the format of Prometheus' `file_sd` and `http_sd`, with ids as targets.
//!
//! `[{targets: [comms_operation_…, …], labels: {campaign: spring}}, …]`. One wrong id makes the whole list invalid, because a partial list
//! looks like a shorter one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;
use std::sync::Arc;

use super::ListedOperations;
use super::error::SourceError;
use crate::document::walk::Value;
use crate::document::{Findings, json, yaml};
use crate::label;
use crate::operation::OperationId;
use crate::snapshot::Labels;

/// The largest list, in bytes: room for the most targets, each with a few labels of its own.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;
/// The most targets of one list. Each has series, so one exporter cannot show more configured operations.
const MOST_TARGETS: usize = 100_000;
/// The most values and keys: enough for the most targets, each in its own group with two labels.
const NODES: usize = 10 * MOST_TARGETS + 1;
/// The most problems that are reported together.
const MOST_REPORTED: usize = 10;

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Yaml,
    Json,
    /// The JSON of any server: problems repeat none of its keys.
    ForeignJson,
}

/// The operations that `content` lists.
pub(super) fn parse(content: &[u8], format: Format) -> Result<ListedOperations, SourceError> {
    let text = std::str::from_utf8(content).map_err(|_| SourceError::NotText)?;
    // Editors on Windows write a byte order mark before a text; it has no meaning in UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut findings = Findings::up_to(MOST_REPORTED);
    match groups(text, format, &mut findings) {
        Some(listed) if findings.problems.is_empty() => Ok(listed),
        _ => Err(SourceError::Malformed(findings.into())),
    }
}

/// `None` if a problem was reported.
fn groups(text: &str, format: Format, findings: &mut Findings) -> Option<ListedOperations> {
    let node = if text.trim().is_empty() {
        None
    } else {
        Some(match format {
            Format::Yaml => yaml::parse(text, NODES, findings),
            Format::Json => json::parse(text, NODES, findings),
            Format::ForeignJson => json::parse_foreign(text, NODES, findings),
        }?)
    };
    let root = node.as_ref().map(Value::root);
    let Some(root) = root.filter(|root| !root.is_nothing()) else {
        // A file that is being written is empty too, and must not remove all operations.
        findings.problem("", "empty; a list without operations is written `[]`");
        return None;
    };
    let mut listed = ListedOperations::new();
    let mut targets = 0;
    for group in root.list(findings)? {
        read_group(&group, format, &mut targets, &mut listed, findings)?;
    }
    Some(listed)
}

/// Adds the operations of one group. `None` if there are too many targets to continue.
fn read_group(
    group: &Value,
    format: Format,
    targets: &mut usize,
    listed: &mut ListedOperations,
    findings: &mut Findings,
) -> Option<()> {
    let Some(mut mapping) = group.mapping(findings) else {
        return Some(());
    };
    // As in Prometheus, a group may have no targets.
    let list = mapping.take("targets");
    let labels = match mapping.take("labels") {
        Some(value) => read_labels(&value, format, findings),
        None => Labels::default(),
    };
    mapping.finish(findings);
    let Some(list) = list else {
        return Some(());
    };
    *targets += list.length();
    if *targets > MOST_TARGETS {
        let message = format_args!("more than {MOST_TARGETS} targets; split the list");
        findings.problem(&list.place, message);
        return None;
    }
    for target in list.list(findings).unwrap_or_default() {
        let id = target.text(findings).map(OperationId::from_str);
        if let Some(id) = id.and_then(|id| findings.take(&target.place, id)) {
            add(id, &labels, &target.place, listed, findings);
        }
    }
    Some(())
}

/// Adds an operation. An id in two groups has the labels of both; if they share a name, the later one counts.
fn add(
    id: OperationId,
    labels: &Labels,
    place: &str,
    listed: &mut ListedOperations,
    findings: &mut Findings,
) {
    let mut before = match listed.entry(id) {
        Entry::Vacant(entry) => {
            entry.insert(Arc::clone(labels));
            return;
        }
        Entry::Occupied(entry) => entry,
    };
    if Arc::ptr_eq(before.get(), labels) || labels.is_empty() {
        return;
    }
    let mut merged = BTreeMap::clone(before.get());
    merged.extend(
        labels
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let fits = findings.take(place, label::check_count(merged.len()));
    if fits.is_some() {
        before.insert(Arc::new(merged));
    }
}

/// The labels of a group. Prometheus drops labels that start with `__` after relabeling, so they would never be visible.
fn read_labels(value: &Value, format: Format, findings: &mut Findings) -> Labels {
    let Some(mapping) = value.mapping(findings) else {
        return Labels::default();
    };
    let seen = mapping
        .entries()
        .filter(|(name, _)| !name.starts_with("__"));
    let text = |value: &Value, findings: &mut Findings| match format {
        Format::Yaml => value.scalar(findings),
        Format::Json | Format::ForeignJson => value.text(findings).map(str::to_owned),
    };
    label::read(seen, &value.place, text, findings)
}

#[cfg(test)]
mod tests;
