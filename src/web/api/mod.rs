//! `/api/v1/operations`: whoever sends registers what was sent, asks how it stands, and has it forgotten.
//!
//! Off unless `--web.enable-api` says otherwise. What is answered as registered is on the disk. Every refusal is a problem
//! as RFC 9457 describes them (<https://www.rfc-editor.org/rfc/rfc9457>); `openapi.json` beside this file describes all of it.

mod body;
mod cursor;
mod description;
mod list;
mod one;
mod problem;
mod register;
mod shown;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::routing::{MethodRouter, any, get};

use self::problem::ProblemDetails;
use self::register::OPERATIONS;
use crate::web::service::Service;

/// The paths of the API; while it is off, they say how to turn it on.
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
            only(get(one::show).delete(one::forget), "GET,HEAD,DELETE"),
        )
        .route(
            "/api/v1/openapi.json",
            only(get(description::description), "GET,HEAD"),
        )
        .route("/api", any(nothing))
        .route("/api/{*path}", any(nothing))
}

/// A method that a path does not have is a problem, too.
fn only(methods: MethodRouter<Arc<Service>>, allowed: &'static str) -> MethodRouter<Arc<Service>> {
    methods.fallback(move |method: Method| async move {
        let detail = format!("{method} is not for this path; it takes {allowed}.");
        let problem = ProblemDetails::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        problem.with_header(header::ALLOW, HeaderValue::from_static(allowed))
    })
}

async fn off() -> ProblemDetails {
    let detail = "The API is off; start the exporter with --web.enable-api.";
    ProblemDetails::new(StatusCode::FORBIDDEN, detail)
}

async fn nothing() -> ProblemDetails {
    let detail = format!("There is nothing here; operations are at {OPERATIONS}.");
    ProblemDetails::new(StatusCode::NOT_FOUND, detail)
}
