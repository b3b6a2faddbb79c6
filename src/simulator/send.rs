//! `POST /Emails` (<https://www.twilio.com/docs/email/api/email-resource>): creates an operation from a send request. Recipients are
//! counted and not stored.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::timestamp::Timestamp;

use super::list::MOST_EMAILS;
use super::world::{SendTags, World};

/// The largest body. A send to 10,000 recipients with variables has a few megabytes.
pub(super) const LARGEST_BODY: usize = 16 << 20;
/// The most tags of a send that are kept, and their longest name and value. A test needs a few.
const MOST_TAGS: usize = 10;
const LONGEST_TAG: usize = 128;

/// Creates an operation from a request's body; `None` if the body is not a valid send. The emails get made-up addresses.
pub(super) fn send(world: &World, body: &[u8], base: &str, now: Timestamp) -> Option<Response> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let emails = match body.get("to")? {
        Value::Array(recipients) => u32::try_from(recipients.len()).ok()?,
        Value::Object(_) => 1,
        _ => return None,
    };
    if !(1..=MOST_EMAILS).contains(&emails) {
        return None;
    }
    let scheduled = match body.get("scheduledFor").and_then(Value::as_str) {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let id = world.send(emails, scheduled, tags(body.get("tags")), now);
    let location = format!("{base}/Emails/Operations/{id}");
    let accepted = json!({"operationId": id, "operationLocation": location});
    Some((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

fn tags(value: Option<&Value>) -> SendTags {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .filter(|(key, value)| key.len() <= LONGEST_TAG && value.len() <= LONGEST_TAG)
        .take(MOST_TAGS)
        .collect()
}
