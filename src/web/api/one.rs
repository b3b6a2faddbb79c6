//! `GET` and `DELETE` of `/api/v1/operations/{id}`: one operation's stats, and the removal of its registration. A removal is saved
//! before the response.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::ProblemDetails;
use super::shown::{self, Shown};
use crate::collector::Account;
use crate::operation::OperationId;
use crate::web::account;
use crate::web::query::Query;
use crate::web::service::Service;

/// The response to the removal of a registration.
#[derive(Debug, Serialize)]
struct RemovalResponse {
    id: String,
    /// The accounts in which it was registered.
    accounts: Vec<Arc<str>>,
    /// Whether it is still watched, because another source lists it or it is in an account's list.
    watched: bool,
    /// The other sources that list it.
    sources: BTreeSet<String>,
}

/// `GET`: the operation in the first account that has it.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ProblemDetails> {
    let id = read_id(path)?;
    let accounts = requested_accounts(&service, query.as_deref())?;
    let mut known = accounts.iter().filter_map(|account| {
        let view = account.view(id)?;
        Some(Shown::new(account.name(), &view))
    });
    let shown = known.next().ok_or_else(|| {
        let detail = "No account of this exporter has this operation.";
        ProblemDetails::new(StatusCode::NOT_FOUND, detail)
    })?;
    Ok(Json(shown).into_response())
}

/// `DELETE`: removes the registration from the named account, or from every account.
pub(super) async fn remove(
    State(service): State<Arc<Service>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ProblemDetails> {
    let id = read_id(path)?;
    let accounts = requested_accounts(&service, query.as_deref())?;
    let mut gone = RemovalResponse {
        id: id.to_string(),
        accounts: Vec::new(),
        watched: false,
        sources: BTreeSet::new(),
    };
    for account in &accounts {
        let removal = account.unregister(id).await.map_err(|_| {
            let detail = "The removal could not be saved, so the operation stays registered. The exporter's log has the reason. Try again.";
            ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        })?;
        if removal.was_registered {
            gone.accounts.push(Arc::clone(account.name()));
        }
        gone.watched |= account.view(id).is_some();
        gone.sources.extend(removal.still.iter().map(shown::name));
    }
    if gone.accounts.is_empty() {
        let detail = "No such operation was registered here.";
        return Err(ProblemDetails::new(StatusCode::NOT_FOUND, detail));
    }
    Ok(Json(gone).into_response())
}

/// The named account, or all accounts. Their saved state is loaded.
fn requested_accounts(
    service: &Service,
    query: Option<&str>,
) -> Result<Vec<Arc<Account>>, ProblemDetails> {
    let mut query = Query::read(query);
    let name = query.one("account")?;
    query.finish("account")?;
    let accounts = account::all(service, name.as_deref())?;
    ProblemDetails::check_loaded(&accounts)?;
    Ok(accounts)
}

fn read_id(path: Result<Path<String>, PathRejection>) -> Result<OperationId, ProblemDetails> {
    let Ok(Path(id)) = path else {
        return Err(ProblemDetails::bad_request("id: not text in UTF-8."));
    };
    id.parse()
        .map_err(|error| ProblemDetails::bad_request(format!("id: {error}.")))
}
