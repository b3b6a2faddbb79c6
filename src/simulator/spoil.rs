//! Responses with values that Twilio's documentation does not allow: in the first row or in all rows of a list, in the requested
//! operation, or before the JSON. The client must reject, ignore or limit each of them.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use serde_json::{Value, json};

use super::fault::InvalidValue;

/// The usual response with the value `invalid` in its first row.
pub(super) async fn spoil(response: Response, invalid: InvalidValue) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let spoilt = if parts.status.is_success() {
        bytes(&whole, invalid).map_or(whole, Bytes::from)
    } else {
        whole
    };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(spoilt))
}

fn bytes(whole: &[u8], invalid: InvalidValue) -> Option<Vec<u8>> {
    if invalid == InvalidValue::ByteOrderMark {
        return Some(["\u{feff}".as_bytes(), whole].concat());
    }
    let mut response: Value = serde_json::from_slice(whole).ok()?;
    if let Some(list) = ["operations", "data", "emails"]
        .into_iter()
        .find(|key| response[key].is_array())
    {
        if invalid == InvalidValue::Words {
            response[list].as_array_mut()?.iter_mut().for_each(words);
        } else {
            row(response[list].get_mut(0)?, invalid);
        }
    } else if invalid == InvalidValue::Words {
        words(&mut response);
    } else {
        row(&mut response, invalid);
    }
    let text = serde_json::to_vec(&response).ok()?;
    if invalid != InvalidValue::Byte {
        return Some(text);
    }
    // `é` in Latin-1, which is invalid UTF-8.
    let mark = MARK.as_bytes();
    let at = text.windows(mark.len()).position(|bytes| bytes == mark)?;
    Some([&text[..at], b"\xe9", &text[at + mark.len()..]].concat())
}

/// The text that is replaced by the invalid byte.
const MARK: &str = "the byte that is not UTF-8";

fn row(row: &mut Value, invalid: InvalidValue) {
    match invalid {
        InvalidValue::Count => row["stats"]["failed"] = json!(1e19),
        InvalidValue::NoStats => row["stats"] = Value::Null,
        InvalidValue::NoStatus => row["status"] = Value::Null,
        InvalidValue::Times => {
            row["createdAt"] = json!("0001-01-01T00:00:00Z");
            row["updatedAt"] = json!("9999-12-31T23:59:59Z");
        }
        InvalidValue::Byte => row["note"] = json!(MARK),
        InvalidValue::Words | InvalidValue::ByteOrderMark => {}
    }
}

/// A state and a stat that no other row has.
fn words(row: &mut Value) {
    let id = row["id"].as_str().unwrap_or_default();
    let own = id.rsplit('_').next().unwrap_or_default().to_owned();
    row["status"] = json!(format!("S{own}"));
    row["stats"][format!("w{own}")] = json!(1);
}
