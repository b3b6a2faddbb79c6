//! Error responses of the API, as `application/problem+json` (RFC 9457). They repeat no value of the request.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::collector::Account;
use crate::document::{self, Findings};
use crate::web::account::NoAccount;

/// When a client can try again while the saved state is loaded: a state of seven million operations takes about five seconds.
const RETRY_WHILE_LOADING_SECONDS: u16 = 2;

/// An error as in RFC 9457. `type` is always `about:blank`, because the status identifies the kind of error.
#[derive(Debug, Serialize)]
pub(in crate::web) struct ProblemDetails {
    r#type: &'static str,
    title: &'static str,
    #[serde(serialize_with = "code")]
    pub(super) status: StatusCode,
    pub(super) detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<FieldError>,
    /// The value of `Retry-After`, if the response has one.
    #[serde(skip)]
    retry_after_seconds: Option<u16>,
}

/// One problem in a body.
#[derive(Debug, Serialize)]
pub(super) struct FieldError {
    /// A path into the body, such as `[3].labels.campaign`; empty for all of it.
    place: String,
    message: String,
}

impl ProblemDetails {
    pub(in crate::web) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem"),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// Returns an error while the saved state of one of `accounts` is being loaded: an operation that is not in memory may still be in the
    /// state file.
    pub(super) fn check_loaded(accounts: &[Arc<Account>]) -> Result<(), Self> {
        if accounts.iter().any(|account| account.is_loading()) {
            let detail = "The exporter has just started and still loads its saved state, so it does not know all operations yet. Try again in a few seconds.";
            return Err(Self {
                retry_after_seconds: Some(RETRY_WHILE_LOADING_SECONDS),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            });
        }
        Ok(())
    }

    /// A response with status 400.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A response with status 400 and the problems of the body.
    pub(super) fn malformed(findings: &Findings) -> Self {
        let mut detail = "The body is invalid; see `errors`.".to_owned();
        if findings.more > 0 {
            detail = format!("{detail} There are {} more.", findings.more);
        }
        Self {
            errors: findings.problems.iter().map(FieldError::from).collect(),
            ..Self::bad_request(detail)
        }
    }

    pub(super) fn with_header(self, name: HeaderName, value: HeaderValue) -> Response {
        let mut response = self.into_response();
        response.headers_mut().insert(name, value);
        response
    }
}

impl From<&document::Problem> for FieldError {
    fn from(problem: &document::Problem) -> Self {
        Self {
            place: problem.place.clone(),
            message: problem.message.clone(),
        }
    }
}

impl From<String> for ProblemDetails {
    fn from(detail: String) -> Self {
        Self::bad_request(detail)
    }
}

impl From<NoAccount> for ProblemDetails {
    fn from(error: NoAccount) -> Self {
        let status = match error {
            NoAccount::Unknown(_) => StatusCode::NOT_FOUND,
            NoAccount::Unnamed(_) => StatusCode::CONFLICT,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let media = [(header::CONTENT_TYPE, "application/problem+json")];
        let retry_after = self.retry_after_seconds;
        let mut response = (self.status, media, Json(self)).into_response();
        if let Some(seconds) = retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Serializes a status as a number.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
pub(super) fn code<S: serde::Serializer>(
    status: &StatusCode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
