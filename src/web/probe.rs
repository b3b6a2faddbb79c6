//! `/probe`: reads one operation now and exposes it, as in Prometheus' multi-target exporter pattern
//! (<https://prometheus.io/docs/guides/multi-target-exporter/>). With `emails=true` it reads the operation's emails, too.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::account;
use super::negotiation::Format;
use super::query::Query;
use super::service::Service;
use crate::collector::{Account, Probed, ProbedEmails};
use crate::delivery::ProviderEmails;
use crate::email::DELIVERY_BUCKETS;
use crate::exposition::{Probe, ProbeEmails, ProbeProvider, ProbeRows, Renderer, Syntax};
use crate::operation::OperationId;
use crate::twilio::ApiError;

/// The `Content-Type` of a probe with `debug`.
const FOR_PEOPLE: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The parameters of a probe.
struct ProbeRequest {
    account: Arc<Account>,
    target: OperationId,
    /// Whether to read its emails, too.
    emails: bool,
    debug: bool,
}

/// What a probe read.
struct ProbeResult {
    operation: Probed,
    /// `None` if they were not wanted, or not requested because the operation could not be read.
    emails: Option<Arc<ProbedEmails>>,
    took: Duration,
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
    let reading = request.run(budget);
    let Some(result) = service.stop.run_until_respond(reading).await else {
        let problem = "The exporter is stopping.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, problem).into_response();
    };
    // With comments it is a text for people, which no format allows.
    let (content_type, syntax, mut text) = if request.debug {
        let text = debug_comments(&request, &result).into_bytes();
        (FOR_PEOPLE, Syntax::Text, text)
    } else {
        let format = Format::negotiate(&headers);
        (format.content_type(), format.syntax(), Vec::new())
    };
    let probe = Probe {
        account: request.account.name(),
        operation: &result.operation.operation,
        emails: request.emails.then(|| result.exposed_emails()),
        success: result.is_complete(&request),
        duration: result.took,
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
        let emails = query.one("emails")?;
        let debug = query.one("debug")?;
        query.finish("target, account, emails and debug")?;
        let target = target.ok_or("The parameter target is missing: an operation's id.")?;
        let target = target.parse::<OperationId>();
        let target = target.map_err(|error| format!("target: {error}."))?;
        let account = account::one(service, account.as_deref());
        let account = account.map_err(|error| error.to_string())?;
        // Without the emails that the scrape configuration requests, the response would look like a send without emails.
        let emails = match emails.as_deref() {
            Some("true") => true,
            None | Some("false") => false,
            Some(_) => return Err("emails: write true or false.".to_owned()),
        };
        let debug = debug.as_deref() == Some("true");
        Ok(Self {
            account,
            target,
            emails,
            debug,
        })
    }

    /// Reads what was requested within `budget`. If the operation cannot be read, there is no request for its emails.
    async fn run(&self, budget: Duration) -> ProbeResult {
        let began = Instant::now();
        let operation = self.account.probe(self.target, budget).await;
        let emails = if self.emails && operation.error.is_none() {
            let left = budget.saturating_sub(began.elapsed());
            Some(self.account.probe_emails(self.target, left).await)
        } else {
            None
        };
        ProbeResult {
            operation,
            emails,
            took: began.elapsed(),
        }
    }
}

impl ProbeResult {
    fn is_complete(&self, request: &ProbeRequest) -> bool {
        let emails = self.emails.as_ref();
        let has_emails = emails.is_some_and(|emails| emails.is_complete());
        self.operation.error.is_none() && (has_emails || !request.emails)
    }

    fn exposed_emails(&self) -> ProbeEmails {
        let Some(emails) = &self.emails else {
            return ProbeEmails::default();
        };
        let is_timeout = matches!(emails.error, Some(ApiError::Timeout(_)));
        let providers = emails.is_complete().then(|| emails.by_provider());
        ProbeEmails {
            // After a timeout the read may continue for other probes, so its rows are not complete.
            rows: (!is_timeout).then_some(ProbeRows {
                foreign: emails.foreign_rows as u64,
                unusable: emails.unusable_rows as u64,
            }),
            providers: providers.map(|providers| {
                let providers = providers.into_iter();
                providers
                    .map(|(name, emails)| (name, exposed_provider(&emails)))
                    .collect()
            }),
        }
    }
}

fn exposed_provider(emails: &ProviderEmails) -> ProbeProvider {
    ProbeProvider {
        statuses: emails.statuses,
        bounds: &DELIVERY_BUCKETS,
        buckets: emails.times.buckets.to_vec(),
        sum: Duration::from_millis(emails.times.sum_millis),
        unobserved: emails.unobserved,
    }
}

/// The requests to Twilio and their results, as comments before the exposition. Credentials and bodies are not available here.
fn debug_comments(request: &ProbeRequest, read: &ProbeResult) -> String {
    let probed = &read.operation;
    let state = probed.operation.seen.as_ref();
    let mut lines = vec![
        ("account", request.account.name().to_string()),
        ("request", format!("GET {}", probed.url)),
        ("result", result(probed.error.as_ref(), "an operation")),
        ("reason", reason(probed.error.as_ref())),
        ("took", seconds(probed.took)),
        (
            "state",
            state.map_or_else(String::new, |seen| seen.state.as_str().to_owned()),
        ),
    ];
    match &read.emails {
        Some(emails) => {
            let error = emails.error.as_ref();
            let found = format!(
                "{} emails, {} rows of other operations, {} unusable rows",
                emails.emails.len(),
                emails.foreign_rows,
                emails.unusable_rows
            );
            lines.extend([
                ("emails request", format!("GET {}", emails.url)),
                ("emails result", result(error, &found)),
                ("emails reason", reason(error)),
                ("emails took", seconds(emails.took)),
            ]);
        }
        None if request.emails => lines.push((
            "emails result",
            "not requested, because the operation could not be read".to_owned(),
        )),
        None => {}
    }
    let mut text = String::new();
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# {name}: {}", value.replace(char::is_control, " "));
    }
    text
}

fn result(error: Option<&ApiError>, found: &str) -> String {
    error.map_or_else(|| found.to_owned(), ToString::to_string)
}

/// The reason of the error; empty if there is none.
fn reason(error: Option<&ApiError>) -> String {
    let reason = error.and_then(ApiError::reason);
    reason.map_or_else(String::new, |reason| reason.as_str().to_owned())
}

fn seconds(took: Duration) -> String {
    format!("{:.3} s", took.as_secs_f64())
}
