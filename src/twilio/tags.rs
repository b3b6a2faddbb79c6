//! Parses the tags of an operation's emails from the list of emails (<https://www.twilio.com/docs/email/api/email-resource>).
//!
//! Rows of this list contain personal data. Only the operation's id and the tags are parsed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::ApiError;
use super::wire;
use crate::label;
use crate::operation::{OperationId, Unexpected};

/// The list of emails, below the base URL.
pub(super) const PATH: &[&str] = &["Emails"];

/// More than the rows of Twilio's largest page. The request limits the page to one row, which a server may ignore.
const MOST_ROWS: usize = 2000;

/// The tags of an email, by name.
pub type EmailTags = BTreeMap<String, String>;

/// The tags of the first row that is an email of `id`; `None` without such a row. Tags that are no valid labels are left out: the
/// configuration determines the names, and values have the same limits as other labels.
///
/// Twilio ignores an unknown filter and then returns emails of all operations, so a row without the operation's id is skipped.
pub(super) fn first(body: &[u8], id: OperationId) -> Result<Option<EmailTags>, ApiError> {
    let body = wire::without_mark(body, &mut Unexpected::default());
    let (rows, _) = wire::rows(body, &KEYS, MOST_ROWS)?;
    let rows = rows
        .into_iter()
        .filter_map(|row| serde_json::from_slice::<EmailRow>(row).ok());
    let own = |row: &EmailRow| {
        let said = row.operation_id.as_ref().and_then(Value::as_str);
        said.and_then(|said| said.parse().ok()) == Some(id)
    };
    Ok(rows.filter(own).map(EmailRow::tags).next())
}

/// The possible keys of the rows in a list of emails.
const KEYS: [&str; 2] = ["emails", "data"];

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmailRow {
    operation_id: Option<Value>,
    tags: Option<Value>,
}

impl EmailRow {
    fn tags(self) -> EmailTags {
        let Some(Value::Object(tags)) = self.tags else {
            return EmailTags::new();
        };
        let text = |value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        let label = |(name, value): (String, Value)| {
            let value = text(value).filter(|value| label::check_value(value).is_ok())?;
            label::check_name(&name).is_ok().then_some((name, value))
        };
        tags.into_iter().filter_map(label).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

    fn read(body: &Value) -> Result<Option<EmailTags>, ApiError> {
        first(body.to_string().as_bytes(), ID.parse().unwrap())
    }

    fn tags(given: &[(&str, &str)]) -> EmailTags {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        given.iter().map(own).collect()
    }

    #[test]
    fn both_keys_of_the_list_are_parsed_and_invalid_tags_left_out() {
        let row = json!({
            "id": "comms_email_1", "operationId": ID, "to": [{"address": "jane@example.com"}],
            "tags": {"campaign": "spring", "version": 2, "test": true, "odd name": "x", "long": "x".repeat(300), "nested": {}},
        });
        let expected = tags(&[("campaign", "spring"), ("test", "true"), ("version", "2")]);
        for key in ["emails", "data"] {
            assert_eq!(read(&json!({key: [row]})), Ok(Some(expected.clone())));
        }
    }

    #[test]
    fn rows_of_other_operations_are_skipped() {
        let other = json!({"operationId": "comms_operation_01h2xcejqtf2nbrexx3vqjhp42", "tags": {"campaign": "autumn"}});
        let nobodys = json!({"tags": {"campaign": "autumn"}});
        assert_eq!(read(&json!({"emails": [other, nobodys, 7]})), Ok(None));
        let own = json!({"operationId": ID});
        assert_eq!(
            read(&json!({"emails": [other, own]})),
            Ok(Some(EmailTags::new()))
        );
    }

    #[test]
    fn an_invalid_byte_affects_at_most_its_row() {
        let own = format!(r#"{{"operationId":"{ID}","tags":{{"campaign":"spring"}}}}"#);
        let bad = |value: &[u8]| {
            let start = format!(r#"{{"operationId":"{ID}","tags":{{"campaign":"autumn","x":"#);
            [start.as_bytes(), value, b"}}"].concat()
        };
        for bad in [bad(b"\"caf\xe9\""), bad(b"\"a\tb\""), bad(b"NaN")] {
            let body = [
                b"\xef\xbb\xbf{\"emails\":[",
                &bad[..],
                b",",
                own.as_bytes(),
                b"]}",
            ]
            .concat();
            let read = first(&body, ID.parse().unwrap());
            assert_eq!(read, Ok(Some(tags(&[("campaign", "spring")]))));
        }
        let beside = [
            b"{\"x\":\"\xe9\",\"data\":[",
            own.as_bytes(),
            b"],\"y\":NaN}",
        ]
        .concat();
        let read = first(&beside, ID.parse().unwrap());
        assert_eq!(read, Ok(Some(tags(&[("campaign", "spring")]))));
    }

    #[test]
    fn a_body_that_is_no_list_is_an_error() {
        for body in [json!([]), json!({}), json!({"emails": 7})] {
            assert!(
                matches!(read(&body), Err(ApiError::InvalidResponse(_))),
                "{body}"
            );
        }
    }
}
