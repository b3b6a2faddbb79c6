//! `GET /api/v1/operations`: the known operations, page by page, filtered by account, state and labels. A page examines a limited
//! number of operations, so that a rare label does not make a request expensive.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::cursor::Cursor;
use super::problem::ProblemDetails;
use super::shown::Shown;
use crate::collector::Account;
use crate::operation::OperationId;
use crate::registry::View;
use crate::web::account;
use crate::web::query::Query;
use crate::web::service::Service;

/// The operations on a page without the parameter `limit`.
const DEFAULT_LIMIT: usize = 100;
/// The most operations on a page.
const MAX_LIMIT: usize = 1000;

#[derive(Debug, Serialize)]
struct ListResponse {
    operations: Vec<Shown>,
    /// The value of `after` for the next page; `null` on the last page. A page may have fewer operations than `limit` and not be the
    /// last.
    next: Option<String>,
}

/// The parameters of a request.
struct ListRequest {
    /// The accounts that the page can contain, in the order of the configuration.
    accounts: Vec<Arc<Account>>,
    /// In the first account: the operation after which the page starts.
    after: Option<OperationId>,
    limit: usize,
    state: Option<String>,
    labels: Vec<(String, String)>,
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ProblemDetails> {
    let request = ListRequest::read(&service, Query::read(query.as_deref()))?;
    ProblemDetails::check_loaded(&request.accounts)?;
    Ok(Json(request.page()).into_response())
}

impl ListRequest {
    fn read(service: &Service, mut query: Query) -> Result<Self, ProblemDetails> {
        let name = query.one("account")?;
        let mut accounts = account::all(service, name.as_deref())?;
        let limit = match query.one("limit")? {
            Some(limit) => read_limit(&limit)?,
            None => DEFAULT_LIMIT,
        };
        let after: Option<Result<Cursor, _>> = query.one("after")?.map(|after| after.parse());
        let after = after.transpose().map_err(ProblemDetails::bad_request)?;
        if let Some(after) = &after {
            let at = accounts
                .iter()
                .position(|account| **account.name() == *after.account);
            let at = at.ok_or_else(|| {
                let detail = "after: its account is not among those that are listed.";
                ProblemDetails::new(StatusCode::NOT_FOUND, detail)
            })?;
            accounts.drain(..at);
        }
        let labels = query
            .all("label")
            .into_iter()
            .map(|label| read_label(&label));
        let request = Self {
            accounts,
            after: after.map(|after| after.id),
            limit,
            state: query.one("state")?,
            labels: labels.collect::<Result<_, _>>()?,
        };
        query.finish("account, state, label, limit and after")?;
        Ok(request)
    }

    fn page(&self) -> ListResponse {
        let mut operations = Vec::new();
        let mut after = self.after;
        for (at, account) in self.accounts.iter().enumerate() {
            let left = self.limit - operations.len();
            let found = account.views(after.take(), left, &|view| self.matches(view));
            let shown = found
                .views
                .iter()
                .map(|view| Shown::new(account.name(), view));
            operations.extend(shown);
            let is_last = at + 1 == self.accounts.len();
            let end = found.next.or_else(|| {
                let is_full = operations.len() == self.limit && !is_last;
                is_full.then(|| found.views.last().map(|view| view.shown.id))?
            });
            if let Some(id) = end {
                let account = account.name().to_string();
                let next = Some(Cursor { account, id }.to_string());
                return ListResponse { operations, next };
            }
        }
        ListResponse {
            operations,
            next: None,
        }
    }

    /// Whether the operation has the state and the labels of the request.
    fn matches(&self, view: &View) -> bool {
        let state = view.shown.seen.as_ref().map(|seen| seen.state.as_str());
        let has = |(name, value): &(String, String)| view.labels.get(name) == Some(value);
        self.state
            .as_deref()
            .is_none_or(|wanted| state == Some(wanted))
            && self.labels.iter().all(has)
    }
}

pub(super) fn read_limit(text: &str) -> Result<usize, ProblemDetails> {
    let limit = text
        .parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        ProblemDetails::bad_request(format!(
            "limit: expected a whole number from 1 to {MAX_LIMIT}."
        ))
    })
}

pub(super) fn read_label(text: &str) -> Result<(String, String), ProblemDetails> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| {
        ProblemDetails::bad_request(
            "label: expected a name and a value, such as label=campaign=spring.",
        )
    })
}
