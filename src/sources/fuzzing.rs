//! Fuzz target: lists of operations, as files and as responses of any server.

use super::listing::{self, Format};
use crate::label;

/// Reads `input` as a list in each format.
///
/// # Panics
/// If a list is accepted whose labels the exporter could not expose.
pub fn operation_list(input: &[u8]) {
    for format in [Format::Yaml, Format::Json, Format::ForeignJson] {
        match listing::parse(input, format) {
            Ok(listed) => {
                for labels in listed.values() {
                    assert!(label::check_count(labels.len()).is_ok());
                    for (name, value) in labels.iter() {
                        assert_eq!(label::check_name(name), Ok(()));
                        assert_eq!(label::check_value(value), Ok(()));
                    }
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
