//! A server with one operation, and a list of emails that the test writes row by row.

use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::operation_id;

use crate::support::stub_server::{StubResponse, StubServer};

/// The rows of a page.
const PAGE: usize = 20;

/// In a text of a row: the letter m, which is written as an escape.
pub(super) const ESCAPED_M: &str = "(m)";

/// How pages hold their rows and name the next one.
#[derive(Clone, Copy)]
pub(super) enum Pages {
    /// `emails`, and `next`, which is null at the end.
    Next,
    /// `data`, and `nextPageToken`, which is missing at the end.
    NextPageToken,
}

pub(super) struct List {
    pub(super) server: StubServer,
}

impl List {
    pub(super) async fn start(id: OperationId, rows: Vec<Value>, pages: Pages) -> Self {
        let server = StubServer::start(move |path| {
            let Some((_, query)) = path.split_once("/Emails?") else {
                return StubResponse::json(
                    json!({
                        "id": id.to_string(), "status": "COMPLETED", "stats": {"total": rows.len()},
                        "createdAt": id.created().to_string(), "updatedAt": id.created().to_string(),
                    })
                    .to_string(),
                );
            };
            assert!(query.contains(&format!("operationId={id}")), "{query}");
            let token = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("pageToken="));
            let start: usize = token.map_or(0, |token| token.parse().unwrap());
            let end = rows.len().min(start + PAGE);
            let next = (end < rows.len()).then(|| end.to_string());
            let (rows, own) = (&rows[start..end], "/v1/Emails");
            let page = match (pages, next) {
                (Pages::Next, next) => {
                    json!({"emails": rows, "pagination": {"next": next, "self": own}}).to_string()
                }
                (Pages::NextPageToken, Some(next)) => {
                    json!({"data": rows, "pagination": {"nextPageToken": next, "pageSize": PAGE}})
                        .to_string()
                }
                (Pages::NextPageToken, None) => {
                    json!({"data": rows, "pagination": {"pageSize": PAGE}}).to_string()
                }
            };
            StubResponse::json(page.replace(ESCAPED_M, "\\u006d"))
        });
        Self {
            server: server.await,
        }
    }

    /// The pages of emails that were requested.
    pub(super) fn pages_requested(&self) -> usize {
        let requested = self.server.requests();
        requested
            .iter()
            .filter(|path| path.contains("/Emails?"))
            .count()
    }
}

/// An operation that is an hour old.
pub(super) fn operation() -> OperationId {
    operation_id(Clock::System.now() - Duration::from_hours(1), 7)
}

/// An email of the operation to somebody at `domain`, whose status changed `seconds` after its creation.
pub(super) fn row(
    operation: OperationId,
    number: usize,
    word: &str,
    domain: &str,
    seconds: u64,
) -> Value {
    let created = operation.created();
    let id = operation_id(created, number as u128).to_string();
    let to = json!({"address": format!("somebody@{domain}"), "name": "Somebody"});
    json!({
        "id": id.replace("comms_operation_", "comms_email_"),
        "operationId": operation.to_string(),
        "status": word,
        "from": {"address": "news@example.com"},
        "to": if number.is_multiple_of(2) { to } else { json!([to]) },
        "createdAt": created.to_string(),
        "updatedAt": (created + Duration::from_secs(seconds)).to_string(),
        "scheduledFor": null,
    })
}
