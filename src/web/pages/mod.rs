//! The pages for people: `/` with problems, accounts and operations, and one page for each operation. They make no request to Twilio,
//! do not count as a scrape of a new label value, and show what the last collections found.
//!
//! [`overview`](overview::overview) collects the facts. [`html`] writes them as HTML; with `Accept: application/json` the same facts are
//! JSON. The pages have no inline script or style, so that a strict Content-Security-Policy allows everything they need.

mod accept;
mod account;
mod assets;
mod filter;
mod grafana;
mod html;
mod operation;
mod overview;
mod scrape_snippet;
mod selection;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use maud::Markup;
use serde::Serialize;
use serde_json::json;

use self::filter::Filter;
use self::overview::Site;
use self::scrape_snippet::RequestAddress;
use super::connections::ConnectedClient;
use super::query::Query;
use super::service::{Service, text_of};

/// The routes of the pages and of their assets.
pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/", get(overview_page))
        .route("/operations/{id}", get(operation_page))
        .route("/assets/{name}", get(assets::asset))
}

async fn overview_page(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    client: Option<Extension<ConnectedClient>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let mut site = Site::new(&service);
    let is_tls = client.is_some_and(|client| client.certificates.is_some());
    let address = RequestAddress::new(&uri, &headers, is_tls);
    site.snippet = scrape_snippet::snippet(&address, &service.telemetry_path);
    let filter = match Filter::read(Query::read(query.as_deref())) {
        Ok(filter) => filter,
        Err(problem) => return failure(&headers, &site, StatusCode::BAD_REQUEST, &problem),
    };
    let overview = overview::overview(&service, &filter).await;
    respond(&headers, StatusCode::OK, &overview, || {
        html::overview(&site, &overview, &filter)
    })
}

async fn operation_page(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let site = Site::of_operations(&service);
    let mut query = Query::read(query.as_deref());
    let account = query.one("account");
    let account = account.and_then(|account| query.finish("account").map(|()| account));
    let account = match account {
        Ok(account) => account.filter(|name| !name.is_empty()),
        Err(problem) => return failure(&headers, &site, StatusCode::BAD_REQUEST, &problem),
    };
    match operation::find(&service, &id, account.as_deref()) {
        Ok(operation) => respond(&headers, StatusCode::OK, &operation, || {
            html::operation(&site, &operation)
        }),
        Err(problem) => failure(&headers, &site, StatusCode::NOT_FOUND, &problem),
    }
}

/// The facts in the form that the client accepts.
fn respond(
    headers: &HeaderMap,
    status: StatusCode,
    facts: &impl Serialize,
    page: impl FnOnce() -> Markup,
) -> Response {
    // The values are current only now, so no cache may keep them, and HTML and JSON have the same address.
    let common = [(CACHE_CONTROL, "no-store"), (VARY, ACCEPT.as_str())];
    if accept::prefers_json(text_of(headers, ACCEPT.as_str())) {
        return (status, common, Json(facts)).into_response();
    }
    let html = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, common, html, page().into_string()).into_response()
}

fn failure(headers: &HeaderMap, site: &Site, status: StatusCode, problem: &str) -> Response {
    respond(headers, status, &json!({"error": problem}), || {
        html::failure(site, status, problem)
    })
}
