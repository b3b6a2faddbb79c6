//! The list `operations` of an account: operations that it always watches.

use std::collections::BTreeMap;
use std::str::FromStr;

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
    let Some(mapping) = value.mapping(findings) else {
        return Labels::default();
    };
    label::read(mapping.entries(), &value.place, Value::scalar, findings)
}
