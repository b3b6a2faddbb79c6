//! Which labels a user may give to an operation, wherever they are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::Findings;
use crate::document::walk::Value;
use crate::snapshot::Labels;

/// The most labels of one operation; each is repeated in every scrape.
const MOST: usize = 16;

/// The longest value, in characters. It is repeated in every scrape.
const LONGEST_VALUE: usize = 256;
/// The longest name, in characters. Prometheus sets no bound; dashboards do.
const LONGEST_NAME: usize = 64;

/// Why a label cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LabelError {
    #[error(
        "a label's name is made of a-z, A-Z, 0-9 and _, does not start with a digit, and has at most {LONGEST_NAME} characters"
    )]
    Name,
    #[error("names that start with __ belong to Prometheus")]
    Prometheus,
    #[error("every series has this label already")]
    Taken,
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
        "account" | "operation_id" => Err(LabelError::Taken),
        name if name.starts_with("__") => Err(LabelError::Prometheus),
        _ => Ok(()),
    }
}

/// Whether `value` may be the value of one.
pub(crate) fn check_value(value: &str) -> Result<(), LabelError> {
    match value.chars().count() {
        length if length > LONGEST_VALUE => Err(LabelError::Value(length)),
        _ => Ok(()),
    }
}

/// What to say of an operation with so many labels, if that is too many.
pub(crate) fn check_count(labels: usize) -> Result<(), String> {
    if labels > MOST {
        return Err(format!("{labels} labels; an operation has at most {MOST}"));
    }
    Ok(())
}

/// Reads the entries of the mapping at `place`; `text` is what their values are written as.
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
        assert_eq!(check_name("__name__"), Err(LabelError::Prometheus));
        assert_eq!(check_name("account"), Err(LabelError::Taken));
        assert_eq!(check_name("operation_id"), Err(LabelError::Taken));
    }

    #[test]
    fn values_are_counted_in_characters() {
        assert_eq!(check_value(&"é".repeat(256)), Ok(()));
        assert_eq!(check_value(&"é".repeat(257)), Err(LabelError::Value(257)));
    }
}
