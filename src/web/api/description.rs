//! `GET /api/v1/openapi.json`: the API, described for programs.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// `OpenAPI` 3.1 (<https://spec.openapis.org/oas/v3.1.0>); tests hold the handlers to it.
const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn description() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}
