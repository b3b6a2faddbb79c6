//! Access tokens: `POST /v2/token` with the client credentials grant (<https://www.rfc-editor.org/rfc/rfc6749#section-4.4>). It
//! follows the RFC and shares no code with the client.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::form_urlencoded;

use crate::timestamp::Timestamp;

use super::access::Access;
use super::dialect::{ClientRefusal, Dialect, Lifetimes};
use super::settings::BasicLogin;

/// The largest form. An id and a secret have about 100 characters.
pub(super) const LARGEST_FORM: usize = 16 << 10;
const FORM: &str = "application/x-www-form-urlencoded";

/// A new token, or an error of RFC 6749.
pub(super) fn token(
    access: &mut Access,
    dialect: &Dialect,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Response {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let fields: Vec<_> = form_urlencoded::parse(body).collect();
    let field = |name: &str| {
        let mut found = fields.iter().filter(|(key, _)| key == name);
        // A repeated parameter makes the request invalid (section 3.2).
        match (found.next(), found.next()) {
            (Some((_, value)), None) if !value.is_empty() => Some(value.as_ref()),
            _ => None,
        }
    };
    let (Some(FORM), Some(grant), Some(id), Some(secret)) = (
        kind,
        field("grant_type"),
        field("client_id"),
        field("client_secret"),
    ) else {
        return refusal(StatusCode::BAD_REQUEST, "invalid_request");
    };
    if grant != "client_credentials" {
        return refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let Some(token) = access.issue(&BasicLogin::new(id, secret), now) else {
        let status = match dialect.client_refusal {
            ClientRefusal::Unauthorized => StatusCode::UNAUTHORIZED,
            ClientRefusal::BadRequest => StatusCode::BAD_REQUEST,
        };
        return refusal(status, "invalid_client");
    };
    let mut body = json!({"access_token": token, "token_type": "Bearer"});
    let seconds = access.token_life.as_secs();
    match dialect.lifetimes {
        Lifetimes::Number => body["expires_in"] = seconds.into(),
        Lifetimes::Text => body["expires_in"] = seconds.to_string().into(),
        Lifetimes::Omitted => {}
    }
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn refusal(status: StatusCode, error: &str) -> Response {
    let body = json!({"error": error, "error_description": "Made up by the simulator"});
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::to_bytes;
    use serde_json::Value;

    use super::*;
    use crate::simulator::ApiSettings;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
    const RIGHT: &str = "grant_type=client_credentials&client_id=id&client_secret=a%2Bb";

    async fn request(dialect: &Dialect, kind: &'static str, body: &str) -> (u16, Value) {
        let mut access = Access::of(&ApiSettings {
            clients: vec![BasicLogin::new("id", "a+b")],
            token_life: Duration::from_mins(10),
            ..ApiSettings::default()
        });
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
        let response = token(&mut access, dialect, &headers, body.as_bytes(), NOW);
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_known_client_gets_a_token_with_the_dialects_lifetime() {
        for (lifetimes, written) in [
            (Lifetimes::Number, json!(600)),
            (Lifetimes::Text, json!("600")),
            (Lifetimes::Omitted, Value::Null),
        ] {
            let dialect = Dialect {
                lifetimes,
                ..Dialect::default()
            };
            let (status, body) = request(&dialect, FORM, RIGHT).await;
            assert_eq!((status, &body["expires_in"]), (200, &written));
            assert_eq!(body["token_type"], "Bearer");
            assert!(body["access_token"].is_string(), "{body}");
        }
    }

    #[tokio::test]
    async fn every_other_request_gets_its_error_code() {
        let wrong = RIGHT.replace("a%2Bb", "a+b");
        let other = RIGHT.replace("client_credentials", "password");
        let twice = format!("{RIGHT}&client_id=id");
        for (kind, body, expected) in [
            (FORM, wrong.as_str(), (401, "invalid_client")),
            (FORM, &other, (400, "unsupported_grant_type")),
            (FORM, &twice, (400, "invalid_request")),
            (
                FORM,
                "client_id=id&client_secret=a%2Bb",
                (400, "invalid_request"),
            ),
            (FORM, "", (400, "invalid_request")),
            ("application/json", RIGHT, (400, "invalid_request")),
        ] {
            let (status, body) = request(&Dialect::default(), kind, body).await;
            assert_eq!(
                (status, body["error"].as_str().unwrap()),
                expected,
                "{body}"
            );
        }
        let dialect = Dialect {
            client_refusal: ClientRefusal::BadRequest,
            ..Dialect::default()
        };
        let (status, body) = request(&dialect, FORM, &wrong).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_client")));
    }
}
