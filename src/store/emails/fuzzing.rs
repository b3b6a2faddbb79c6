//! The part of the fuzz target `saved_record` that reads saved emails.

use super::record::{
    read_email, read_name, read_standing, write_email, write_name, write_standing,
};
use super::saved::NameKind;
use crate::email::EmailId;

/// Reads `input` as a record of every kind.
///
/// # Panics
/// If a record changes when it is written and read again.
pub(in crate::store) fn records(input: &[u8]) {
    let id = EmailId::from_bytes([1; 14]);
    if let Ok(saved) = read_email(id, input) {
        let mut written = Vec::new();
        write_email(&saved, &mut written);
        assert_eq!(read_email(id, &written), Ok(saved));
    }
    let kind = NameKind::RecipientDomain;
    if let Ok(saved) = read_name(kind, "example.com", input) {
        let written = write_name(&saved);
        assert_eq!(read_name(kind, "example.com", &written), Ok(saved));
    }
    if let Ok(saved) = read_standing(input) {
        assert_eq!(read_standing(&write_standing(&saved)), Ok(saved));
    }
}
