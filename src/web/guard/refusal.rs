//! The response to a refused request: a problem for the API, a sentence for other paths. It repeats nothing from the request.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::web::api::ProblemDetails;

/// Refuses the request for `path`; `detail` is a sentence.
pub(super) fn refusal(path: &str, status: StatusCode, detail: &str) -> Response {
    let of_api = path == "/api" || path.starts_with("/api/");
    if of_api {
        ProblemDetails::new(status, detail).into_response()
    } else {
        (status, format!("{detail}\n")).into_response()
    }
}
