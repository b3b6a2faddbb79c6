//! Responses with values that Twilio's documentation does not allow, in the first row of a list or in the requested operation.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use serde_json::{Value, json};

use super::fault::Odd;

/// The usual response with the value `odd` in its first row.
pub(super) async fn spoil(response: Response, odd: Odd) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let spoilt = if parts.status.is_success() {
        bytes(&whole, odd).map_or(whole, Bytes::from)
    } else {
        whole
    };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(spoilt))
}

fn bytes(whole: &[u8], odd: Odd) -> Option<Vec<u8>> {
    if odd == Odd::ByteOrderMark {
        return Some(["\u{feff}".as_bytes(), whole].concat());
    }
    let mut response: Value = serde_json::from_slice(whole).ok()?;
    if let Some(list) = ["operations", "data", "emails"]
        .into_iter()
        .find(|key| response[key].is_array())
    {
        if odd == Odd::Words {
            response[list].as_array_mut()?.iter_mut().for_each(words);
        } else {
            row(response[list].get_mut(0)?, odd);
        }
    } else if odd == Odd::Words {
        words(&mut response);
    } else {
        row(&mut response, odd);
    }
    let text = serde_json::to_vec(&response).ok()?;
    if odd != Odd::Byte {
        return Some(text);
    }
    // `é` in Latin-1, which is invalid UTF-8.
    let mark = MARK.as_bytes();
    let at = text.windows(mark.len()).position(|bytes| bytes == mark)?;
    Some([&text[..at], b"\xe9", &text[at + mark.len()..]].concat())
}

/// The text that is replaced by the invalid byte.
const MARK: &str = "the byte that is no UTF-8";

fn row(row: &mut Value, odd: Odd) {
    match odd {
        Odd::Figure => row["stats"]["failed"] = json!(1e19),
        Odd::NoStats => row["stats"] = Value::Null,
        Odd::NoStatus => row["status"] = Value::Null,
        Odd::Times => {
            row["createdAt"] = json!("0001-01-01T00:00:00Z");
            row["updatedAt"] = json!("9999-12-31T23:59:59Z");
        }
        Odd::Byte => row["note"] = json!(MARK),
        Odd::Words | Odd::ByteOrderMark => {}
    }
}

/// A state and a stat that no other row has.
fn words(row: &mut Value) {
    let id = row["id"].as_str().unwrap_or_default();
    let own = id.rsplit('_').next().unwrap_or_default().to_owned();
    row["status"] = json!(format!("S{own}"));
    row["stats"][format!("w{own}")] = json!(1);
}
