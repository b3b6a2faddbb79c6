//! One operation: how it stands, and that it be forgotten.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::Service;
use super::problem::Problem;
use super::query::Query;
use super::shown::{self, Shown};
use crate::collector::Account;
use crate::operation::OperationId;
use crate::registry::{Source, View};

/// What is left of an operation that is registered no more.
#[derive(Debug, Serialize)]
struct Forgotten {
    id: String,
    account: Arc<str>,
    /// Whether it goes on being watched all the same: others list it, or it is in the account's list.
    watched: bool,
    /// Who else wants it watched.
    sources: Vec<String>,
}

/// `GET`.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = read_id(path)?;
    let (account, view) = find(&service, id, query.as_deref(), |_| true)?.ok_or_else(|| {
        let detail = "No such operation is watched, nor is it in the list of an account.";
        Problem::new(StatusCode::NOT_FOUND, detail)
    })?;
    Ok(super::json(
        StatusCode::OK,
        &Shown::new(account.name(), &view),
    ))
}

/// `DELETE`.
pub(super) async fn forget(
    State(service): State<Arc<Service>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = read_id(path)?;
    let is_registered = |view: &View| view.sources.contains(&Source::Api);
    let was_none = || {
        let detail = "No such operation was registered here.";
        Problem::new(StatusCode::NOT_FOUND, detail)
    };
    let (account, _) = find(&service, id, query.as_deref(), is_registered)?.ok_or_else(was_none)?;
    let forgotten = account.forget(id).await.map_err(|_| {
        let detail = "That could not be saved, so it stays registered; the exporter's log says why. Try again.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    if !forgotten.was_registered {
        return Err(was_none());
    }
    let body = Forgotten {
        id: id.to_string(),
        account: Arc::clone(account.name()),
        watched: account.view(id).is_some(),
        sources: forgotten.still.iter().map(shown::name).collect(),
    };
    Ok(super::json(StatusCode::OK, &body))
}

/// The first account, of the one that is named or of all, that knows `id` as it is `wanted`.
fn find(
    service: &Service,
    id: OperationId,
    query: Option<&str>,
    wanted: impl Fn(&View) -> bool,
) -> Result<Option<(Account, View)>, Problem> {
    let mut query = Query::read(query);
    let name = query.one("account")?;
    query.finish("account")?;
    let accounts = super::accounts(service, name.as_deref())?;
    let mut known = accounts.into_iter().filter_map(|account| {
        let view = account.view(id).filter(&wanted)?;
        Some((account, view))
    });
    Ok(known.next())
}

fn read_id(path: Result<Path<String>, PathRejection>) -> Result<OperationId, Problem> {
    let Ok(Path(id)) = path else {
        return Err(Problem::bad_request("id: not text in UTF-8."));
    };
    id.parse()
        .map_err(|error| Problem::bad_request(format!("id: {error}.")))
}
