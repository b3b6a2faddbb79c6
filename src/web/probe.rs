//! `/probe`: reads one operation now and exposes it, as in Prometheus' multi-target exporter pattern
//! (<https://prometheus.io/docs/guides/multi-target-exporter/>).

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::account;
use super::negotiation::Format;
use super::query::Query;
use super::service::Service;
use crate::collector::{Account, Probed};
use crate::exposition::{Probe, Renderer, Syntax};
use crate::operation::OperationId;
use crate::twilio::ApiError;

/// The `Content-Type` of a probe with `debug`.
const FOR_PEOPLE: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The parameters of a probe.
struct ProbeRequest {
    account: Arc<Account>,
    target: OperationId,
    debug: bool,
}

pub(super) async fn probe(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let request = match ProbeRequest::read(&service, query.as_deref()) {
        Ok(request) => request,
        Err(problem) => return (StatusCode::BAD_REQUEST, problem + "\n").into_response(),
    };
    let _scrape = service.scrapes.token();
    let budget = service.budget(&headers);
    let reading = request.account.probe(request.target, budget);
    let Some(probed) = service.stop.run_until_respond(reading).await else {
        let problem = "The exporter is stopping.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, problem).into_response();
    };
    // Comments make it a text for people, in no version of a format.
    let (content_type, syntax, mut text) = if request.debug {
        let text = debug_comments(&request, &probed).into_bytes();
        (FOR_PEOPLE, Syntax::Text, text)
    } else {
        let format = Format::negotiate(&headers);
        (format.content_type(), format.syntax(), Vec::new())
    };
    let probe = Probe {
        account: request.account.name(),
        operation: &probed.operation,
        success: probed.error.is_none(),
        duration: probed.took,
    };
    Renderer::default().render_probe(&probe, syntax, &mut text);
    let headers = [
        (CONTENT_TYPE, content_type),
        (VARY, HeaderValue::from_static("Accept")),
    ];
    (headers, text).into_response()
}

impl ProbeRequest {
    /// Reads the query. The error is a sentence for the author of the scrape configuration.
    fn read(service: &Service, query: Option<&str>) -> Result<Self, String> {
        let mut query = Query::read(query);
        let target = query.one("target")?;
        let account = query.one("account")?;
        let debug = query.one("debug")?;
        query.finish("there are target, account and debug")?;
        let target = target.ok_or("The parameter target is missing: an operation's id.")?;
        let target = target.parse::<OperationId>();
        let target = target.map_err(|error| format!("target: {error}."))?;
        let account = account::one(service, account.as_deref());
        let account = account.map_err(|error| error.to_string())?;
        let debug = debug.as_deref() == Some("true");
        Ok(Self {
            account,
            target,
            debug,
        })
    }
}

/// The request to Twilio and its result, as comments before the exposition. Credentials and bodies are not available here.
fn debug_comments(request: &ProbeRequest, probed: &Probed) -> String {
    let mut text = String::new();
    let outcome = match &probed.error {
        None => "an operation".to_owned(),
        Some(error) => error.to_string(),
    };
    let reason = probed.error.as_ref().and_then(ApiError::reason);
    let lines = [
        ("account", request.account.name().to_string()),
        ("request", format!("GET {}", probed.url)),
        ("result", outcome),
        (
            "reason",
            reason.map_or("", |reason| reason.as_str()).to_owned(),
        ),
        ("took", format!("{:.3} s", probed.took.as_secs_f64())),
        ("state", {
            let seen = probed.operation.seen.as_ref();
            seen.map_or_else(String::new, |seen| seen.state.as_str().to_owned())
        }),
    ];
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# {name}: {}", value.replace(char::is_control, " "));
    }
    text
}
