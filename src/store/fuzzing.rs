//! Fuzz target: the reader of saved records. A state file may hold anything, and a record that can be read must stay the same when it is
//! written and read again.

use super::GroupKey;
use super::record::{
    read_account, read_group, read_labels, read_operation, write_account, write_group,
    write_labels, write_operation,
};
use crate::operation::OperationId;

const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

/// Reads `input` as a record of every kind, and as the key of an operation.
///
/// # Panics
/// If a record changes when it is written and read again.
pub fn records(input: &[u8]) {
    let id: OperationId = ID.parse().expect("an id");
    if let Ok(saved) = read_operation(id, input) {
        let mut written = Vec::new();
        write_operation(&saved, &mut written);
        assert_eq!(read_operation(id, &written), Ok(saved));
    }
    if let Ok(saved) = read_account(input) {
        assert_eq!(read_account(&write_account(&saved)), Ok(saved));
    }
    let key = GroupKey::new("campaign", "spring");
    if let Ok(saved) = read_group(key.clone(), input) {
        assert_eq!(read_group(key, &write_group(&saved)), Ok(saved));
    }
    if let Ok(saved) = read_labels(input) {
        assert_eq!(read_labels(&write_labels(&saved)), Ok(saved));
    }
    super::emails::fuzzing::records(input);
    if let Some((key, _)) = input.split_first_chunk()
        && let Some(id) = OperationId::from_bytes(*key)
    {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}
