//! `POST /api/v1/operations`: registers operations. A registration is on disk before the response reports it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde::Serialize;

use super::body::{self, RegistrationBody, RequestedOperation};
use super::problem::{FieldError, ProblemDetails, code};
use crate::collector::{Account, Registered};
use crate::operation::OperationId;
use crate::snapshot::Labels;
use crate::store::StoreError;
use crate::web::account;
use crate::web::query::Query;
use crate::web::service::Service;

/// The path of the operations; the path of one operation starts with it.
pub(super) const OPERATIONS: &str = "/api/v1/operations";

/// The result of registering one operation.
#[derive(Debug, Serialize)]
struct RegistrationResult {
    #[serde(serialize_with = "code")]
    status: StatusCode,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

#[derive(Debug, Serialize)]
struct Results {
    results: Vec<RegistrationResult>,
}

/// The operations of a request for one account, each with its index in the request.
struct AccountGroup {
    account: Arc<Account>,
    places: Vec<usize>,
    operations: Vec<(OperationId, Labels)>,
}

pub(super) async fn register(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let mut query = Query::read(query.as_deref());
    let default_account = query.one("account")?;
    query.finish("account")?;
    match body::read(request, &service.parsers).await? {
        RegistrationBody::One(requested) => {
            let RequestedOperation {
                id,
                account,
                labels,
            } = requested?;
            let account =
                account::one(&service, account.as_deref().or(default_account.as_deref()))?;
            let registered = account.register(vec![(id, Arc::clone(&labels))]).await;
            let registered = registered.as_ref().map(|registered| registered[0]);
            RegistrationResult::new(registered, account.name(), (id, labels)).into_single_response()
        }
        RegistrationBody::List(list) => {
            let results = register_all(&service, default_account.as_deref(), list).await;
            Ok((list_status(&results), Json(Results { results })).into_response())
        }
    }
}

/// The status of a list's response: the results' common status if all succeeded with the same one, otherwise 207.
fn list_status(results: &[RegistrationResult]) -> StatusCode {
    let first = results.first().map_or(StatusCode::OK, |first| first.status);
    if first.is_success() && results.iter().all(|each| each.status == first) {
        first
    } else {
        StatusCode::MULTI_STATUS
    }
}

/// Registers all valid operations; the results have the order of the request. `default_account` is for operations that name no
/// account.
async fn register_all(
    service: &Service,
    default_account: Option<&str>,
    requested: Vec<Result<RequestedOperation, ProblemDetails>>,
) -> Vec<RegistrationResult> {
    let mut groups: Vec<AccountGroup> = Vec::new();
    let mut results: Vec<_> = std::iter::repeat_with(|| None)
        .take(requested.len())
        .collect();
    for (place, operation) in requested.into_iter().enumerate() {
        let found = operation.and_then(|operation| {
            let name = operation.account.as_deref().or(default_account);
            let account = account::one(service, name)?;
            Ok((account, operation))
        });
        match found {
            Ok((account, operation)) => group(&mut groups, account, place, operation),
            Err(problem) => results[place] = Some(RegistrationResult::invalid(problem)),
        }
    }
    let registrations = groups.into_iter().map(|group| async {
        let registered = group.account.register(group.operations.clone()).await;
        (group, registered)
    });
    for (group, registered) in join_all(registrations).await {
        let name = group.account.name();
        let operations = group.places.into_iter().zip(group.operations);
        for (at, (place, operation)) in operations.enumerate() {
            let registered = registered.as_ref().map(|registered| registered[at]);
            results[place] = Some(RegistrationResult::new(registered, name, operation));
        }
    }
    results.into_iter().flatten().collect()
}

fn group(
    groups: &mut Vec<AccountGroup>,
    account: Arc<Account>,
    place: usize,
    operation: RequestedOperation,
) {
    let known = groups
        .iter()
        .position(|group| group.account.name() == account.name());
    let at = known.unwrap_or_else(|| {
        groups.push(AccountGroup {
            account,
            places: Vec::new(),
            operations: Vec::new(),
        });
        groups.len() - 1
    });
    groups[at].places.push(place);
    groups[at].operations.push((operation.id, operation.labels));
}

impl RegistrationResult {
    fn new(
        registered: Result<Registered, &StoreError>,
        account: &Arc<str>,
        (id, labels): (OperationId, Labels),
    ) -> Self {
        let (status, result, detail) = match registered {
            Ok(Registered::New) => (StatusCode::CREATED, "created", None),
            Ok(Registered::Changed) => (StatusCode::OK, "updated", None),
            Ok(Registered::Same) => (StatusCode::OK, "unchanged", None),
            Ok(Registered::Over) => (
                StatusCode::CONFLICT,
                "expired",
                Some("It has expired: it is older than 7 days."),
            ),
            Ok(Registered::TooMany) => (
                StatusCode::INSUFFICIENT_STORAGE,
                "full",
                Some("The limit of registered operations is reached."),
            ),
            Err(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                Some(
                    "It could not be saved, so it is not registered. The exporter's log has the reason. Try again.",
                ),
            ),
        };
        Self {
            status,
            result,
            id: Some(id.to_string()),
            account: Some(Arc::clone(account)),
            labels: Some(labels),
            detail: detail.map(str::to_owned),
            errors: Vec::new(),
        }
    }

    fn invalid(problem: ProblemDetails) -> Self {
        Self {
            status: problem.status,
            result: "invalid",
            id: None,
            account: None,
            labels: None,
            detail: Some(problem.detail),
            errors: problem.errors,
        }
    }

    /// The response if the body was one operation and not a list.
    fn into_single_response(self) -> Result<Response, ProblemDetails> {
        if !self.status.is_success() {
            let mut problem = ProblemDetails::new(self.status, self.detail.unwrap_or_default());
            problem.errors = self.errors;
            return Err(problem);
        }
        let status = self.status;
        let id = self.id.as_deref().unwrap_or_default();
        let location = [(header::LOCATION, format!("{OPERATIONS}/{id}"))];
        let response = (status, Json(self)).into_response();
        if status == StatusCode::CREATED {
            return Ok((location, response).into_response());
        }
        Ok(response)
    }
}
