//! The cursor of the API's list: the last operation of a page, after which the next page starts.
//!
//! This is our own code, because crates for page tokens add encryption or a store of tokens. The cursor is a position in an order
//! that never changes.

use std::fmt;
use std::str::FromStr;

use crate::operation::OperationId;

/// The last operation of a page: its account and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) account: String,
    pub(super) id: OperationId,
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.rsplit_once('/').and_then(|(account, id)| {
            let account = account.to_owned();
            id.parse().ok().map(|id| Self { account, id })
        });
        parsed.ok_or("after: expected the value of `next` of the previous page.")
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_parses_to_what_was_written() {
        let text = "a/b/comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
        let cursor: Cursor = text.parse().unwrap();
        assert_eq!(cursor.account, "a/b");
        assert_eq!(cursor.to_string(), text);
        for text in ["", "/", "a/b", "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
