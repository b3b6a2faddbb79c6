//! `/api/v1/operations`: senders register operations, read their stats and remove registrations.
//!
//! Off without `--web.enable-api`. A registration is on disk before the response. Every error is a problem as in RFC 9457
//! (<https://www.rfc-editor.org/rfc/rfc9457>). `openapi.json` beside this file describes the API.

mod body;
mod cursor;
mod description;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod list;
mod one;
mod problem;
mod register;
mod shown;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, any, get};

pub(super) use self::problem::ProblemDetails;
use self::register::OPERATIONS;
use crate::web::guard;
use crate::web::service::Service;

/// The paths of the API. While the API is off, their responses name the option that enables it.
pub(super) fn routes(is_on: bool) -> Router<Arc<Service>> {
    if !is_on {
        return Router::new()
            .route("/api", any(off))
            .route("/api/{*path}", any(off));
    }
    Router::new()
        .route(
            OPERATIONS,
            only(get(list::list).post(register::register), "GET,HEAD,POST")
                .layer(DefaultBodyLimit::max(body::LARGEST)),
        )
        .route(
            &format!("{OPERATIONS}/{{id}}"),
            only(get(one::show).delete(one::remove), "GET,HEAD,DELETE"),
        )
        .route(
            "/api/v1/openapi.json",
            only(get(description::description), "GET,HEAD"),
        )
        .route("/api", any(nothing))
        .route("/api/{*path}", any(nothing))
}

/// Responds with a problem to a method that the path does not support, and to a body that is not JSON.
fn only(methods: MethodRouter<Arc<Service>>, allowed: &'static str) -> MethodRouter<Arc<Service>> {
    let methods = methods.route_layer(from_fn(guard::require_json));
    methods.fallback(move |method: Method| async move {
        let detail = format!("{method} is not allowed for this path; allowed: {allowed}.");
        let problem = ProblemDetails::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        problem.with_header(header::ALLOW, HeaderValue::from_static(allowed))
    })
}

async fn off() -> ProblemDetails {
    let detail = "The API is off; start the exporter with --web.enable-api.";
    ProblemDetails::new(StatusCode::FORBIDDEN, detail)
}

async fn nothing() -> ProblemDetails {
    let detail = format!("Not found. Operations are at {OPERATIONS}.");
    ProblemDetails::new(StatusCode::NOT_FOUND, detail)
}
