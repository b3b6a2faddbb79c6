//! The operations that an account always watches.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use super::label;
use super::problem::Findings;
use super::walk::Value;
use crate::operation::OperationId;
use crate::snapshot::Labels;

/// Reads `operations` of an account.
pub(super) fn read(value: &Value, findings: &mut Findings) -> BTreeMap<OperationId, Labels> {
    let mut operations = BTreeMap::new();
    let mut places: BTreeMap<OperationId, String> = BTreeMap::new();
    for item in value.list(findings).unwrap_or_default() {
        let Some(mut mapping) = item.mapping(findings) else {
            continue;
        };
        let id_place = mapping.place_of("id");
        let id = mapping.require("id", findings);
        let id = id
            .and_then(|id| id.text(findings))
            .map(OperationId::from_str);
        let id = id.and_then(|id| findings.take(&id_place, id));
        let labels = match mapping.take("labels") {
            Some(value) => read_labels(&value, findings),
            None => Labels::default(),
        };
        mapping.finish(findings);
        let Some(id) = id else {
            continue;
        };
        if let Some(first) = places.get(&id) {
            findings.problem(&id_place, format_args!("the same operation as {first}"));
            continue;
        }
        places.insert(id, id_place);
        operations.insert(id, labels);
    }
    operations
}

fn read_labels(value: &Value, findings: &mut Findings) -> Labels {
    let mut labels = BTreeMap::new();
    let Some(mapping) = value.mapping(findings) else {
        return Labels::default();
    };
    for (name, value) in mapping.entries() {
        findings.take(&value.place, label::check_name(name));
        if let Some(text) = value.scalar(findings) {
            findings.take(&value.place, label::check_value(&text));
            labels.insert(name.to_owned(), text);
        }
    }
    if labels.len() > label::MOST {
        let message = format_args!(
            "{} labels; an operation has at most {}",
            labels.len(),
            label::MOST
        );
        findings.problem(&value.place, message);
    }
    Arc::new(labels)
}
