//! Parses an operation's first email from the list of emails (<https://www.twilio.com/docs/email/api/email-resource>).
//!
//! Rows of this list contain personal data. Only the operation's id, the tags and `scheduledFor` are parsed.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::Value;

use super::error::ApiError;
use super::scan::Element;
use super::wire;
use crate::email::{FirstEmail, can_be_scheduled};
use crate::label;
use crate::operation::{OperationId, Unexpected};
use crate::timestamp::Timestamp;

/// The list of emails, below the base URL.
pub(super) const PATH: &[&str] = &["Emails"];

/// More than the rows of Twilio's largest page. The request limits the page to one row, which a server may ignore.
const MOST_ROWS: usize = 2000;

/// The first row that is an email of `id`; `None` without such a row. Tags that are no valid labels are left out: the
/// configuration determines the names, and values have the same limits as other labels. An impossible `scheduledFor` is left out, too.
///
/// Twilio ignores an unknown filter and then returns emails of all operations, so a row without the operation's id is skipped.
pub(super) fn first(body: &[u8], id: OperationId) -> Result<Option<FirstEmail>, ApiError> {
    let body = wire::without_mark(body, &mut Unexpected::default());
    let none_at_once = |_: &[u8]| None::<(Infallible, usize)>;
    let (rows, _) = wire::rows(body, &KEYS, MOST_ROWS, none_at_once)?;
    let rows = rows
        .into_iter()
        .filter_map(|Element::Text(row)| serde_json::from_slice::<EmailRow>(row).ok());
    let own = |row: &EmailRow| {
        let given = row.operation_id.as_ref().and_then(Value::as_str);
        given.and_then(|given| given.parse().ok()) == Some(id)
    };
    let first = |row: EmailRow| FirstEmail {
        scheduled_for: row.scheduled_for(id),
        tags: row.tags(),
    };
    Ok(rows.filter(own).map(first).next())
}

/// The possible keys of the rows in a list of emails.
const KEYS: [&str; 2] = ["emails", "data"];

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmailRow {
    operation_id: Option<Value>,
    tags: Option<Value>,
    scheduled_for: Option<Value>,
}

impl EmailRow {
    /// An operation creates its emails when it is created.
    fn scheduled_for(&self, operation: OperationId) -> Option<Timestamp> {
        let text = self.scheduled_for.as_ref()?.as_str()?;
        let time = text.trim().parse().ok()?;
        can_be_scheduled(operation.created(), time).then_some(time)
    }

    fn tags(self) -> BTreeMap<String, String> {
        let Some(Value::Object(tags)) = self.tags else {
            return BTreeMap::new();
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

    fn read(body: &Value) -> Result<Option<FirstEmail>, ApiError> {
        first(body.to_string().as_bytes(), ID.parse().unwrap())
    }

    fn tags(given: &[(&str, &str)]) -> FirstEmail {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        FirstEmail {
            tags: given.iter().map(own).collect(),
            scheduled_for: None,
        }
    }

    #[test]
    fn a_scheduled_time_is_read_and_an_impossible_one_is_none() {
        let scheduled_for = |value: Value| {
            let row = json!({"operationId": ID, "scheduledFor": value});
            read(&json!({"emails": [row]}))
                .unwrap()
                .unwrap()
                .scheduled_for
        };
        let id: OperationId = ID.parse().unwrap();
        let hour = std::time::Duration::from_hours(1);
        for time in [
            id.created() - hour,
            id.created(),
            id.created() + 8000 * hour,
        ] {
            assert_eq!(scheduled_for(json!(format!(" {time}"))), Some(time));
        }
        let late = (id.created() + 9000 * hour).to_string();
        let early = (id.created() - 25 * hour).to_string();
        for wrong in [
            json!(null),
            json!(""),
            json!("soon"),
            json!(1_775_370_000),
            json!({}),
            json!(late),
            json!(early),
        ] {
            assert_eq!(scheduled_for(wrong.clone()), None, "{wrong}");
        }
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
            Ok(Some(FirstEmail::default()))
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
