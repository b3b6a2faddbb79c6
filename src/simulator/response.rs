//! The JSON of responses: operations, lists and errors.
//!
//! The field names come from <https://www.twilio.com/docs/email/api/email-operation-resource>. They are written independently of the
//! client, so that a misspelling in either fails a test.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::operation::CountingMode;

use super::dialect::{Dialect, ErrorShape, ListKey, PaginationStyle};
use super::life::Tally;
use super::settings::ApiSettings;
use super::world::{Item, World};

/// An operation in a response.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum OperationBody {
    Generated(GeneratedBody),
    Scripted(Value),
}

/// An operation that the simulator computes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GeneratedBody {
    id: String,
    status: String,
    stats: StatsBody,
    created_at: String,
    updated_at: String,
}

/// The stats, exclusive or cumulative.
#[derive(Debug, Serialize, Clone, PartialEq, Eq)]
pub(super) struct StatsBody {
    pub(super) total: u32,
    pub(super) recipients: u32,
    pub(super) attempts: u32,
    pub(super) scheduled: u32,
    pub(super) queued: u32,
    pub(super) sent: u32,
    pub(super) delivered: u32,
    pub(super) opened: u32,
    pub(super) undelivered: u32,
    pub(super) failed: u32,
    pub(super) canceled: u32,
}

impl OperationBody {
    pub(super) fn of(item: Item, world: &World, settings: &ApiSettings, now: i64) -> Self {
        let id = item.id().unwrap_or_default();
        let spec = match item {
            Item::Scripted { value, .. } => return Self::Scripted(Value::clone(&value)),
            Item::Generated { spec, .. } => spec,
        };
        let (tally, updated) = spec.state_at(world.pace, now);
        Self::Generated(GeneratedBody {
            id,
            status: settings.dialect.word(tally.phase.word()),
            stats: StatsBody::of(&tally, spec.emails, settings.reading),
            created_at: settings.dialect.time(spec.created),
            updated_at: settings.dialect.time(updated),
        })
    }
}

impl StatsBody {
    pub(super) fn of(tally: &Tally, recipients: u32, reading: CountingMode) -> Self {
        let funnel = Self {
            total: tally.made,
            recipients,
            // A bounced email was attempted twice.
            attempts: tally.sent + tally.undelivered,
            scheduled: tally.scheduled,
            queued: tally.queued,
            sent: tally.sent,
            delivered: tally.delivered,
            opened: tally.opened,
            undelivered: tally.undelivered,
            failed: tally.failed,
            canceled: tally.canceled,
        };
        match reading {
            CountingMode::Cumulative => funnel,
            CountingMode::Exclusive => Self {
                sent: tally.sent - tally.delivered - tally.undelivered,
                delivered: tally.delivered - tally.opened,
                ..funnel
            },
        }
    }
}

/// One page of a list.
pub(super) struct ListBody<'a, T> {
    pub(super) dialect: &'a Dialect,
    /// The key of the rows, unless the dialect uses `data`.
    pub(super) name: &'static str,
    pub(super) rows: Vec<T>,
    pub(super) size: usize,
    /// The path of the list, for dialects that return the next page's URL.
    pub(super) path: &'a str,
    pub(super) next: Option<String>,
}

impl<T: Serialize> Serialize for ListBody<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = match self.dialect.list_key {
            ListKey::Named => self.name,
            ListKey::Data => "data",
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(key, &self.rows)?;
        let pagination = match self.dialect.pagination {
            PaginationStyle::MetaUrl(_) | PaginationStyle::MetaToken => "meta",
            PaginationStyle::TopUri => "next_page_uri",
            PaginationStyle::Links => "links",
            _ => "pagination",
        };
        map.serialize_entry(pagination, &self.pagination())?;
        map.end()
    }
}

impl<T> ListBody<'_, T> {
    fn pagination(&self) -> Value {
        let Self { size, path, .. } = self;
        match (&self.dialect.pagination, &self.next) {
            (PaginationStyle::Next, next) => {
                json!({"next": next, "self": format!("{path}?pageSize={size}")})
            }
            (PaginationStyle::NextPageToken, Some(next)) => {
                json!({"nextPageToken": next, "pageSize": size})
            }
            (PaginationStyle::NextPageToken, None) => json!({"pageSize": size}),
            (PaginationStyle::NextUrl(origin), next) => {
                let url = |token| format!("{origin}{path}?pageSize={size}&pageToken={token}");
                json!({"next": next.as_ref().map(url)})
            }
            (PaginationStyle::MetaUrl(origin), next) => {
                let url =
                    |token| format!("{origin}{path}?PageSize={size}&Page=1&PageToken={token}");
                json!({"next_page_url": next.as_ref().map(url), "page_size": size, "key": self.name})
            }
            (PaginationStyle::MetaToken, next) => json!({"nextToken": next, "pageSize": size}),
            (PaginationStyle::NextObject, next) => {
                json!({"next": next.as_ref().map(|token| json!({"token": token}))})
            }
            (PaginationStyle::TopUri, next) => {
                json!(
                    next.as_ref()
                        .map(|token| format!("{path}?PageToken={token}"))
                )
            }
            (PaginationStyle::Links, next) => {
                let url = |token| format!("{path}?pageToken={token}");
                json!({"self": path, "next": next.as_ref().map(url)})
            }
            (PaginationStyle::Unknown, next) => json!({"after": next}),
        }
    }
}

/// An error with Twilio's body, in the dialect's shape.
pub(super) fn error(dialect: &Dialect, status: u16) -> Response {
    described(dialect, status, message(status))
}

/// The response to a request with an invalid parameter.
pub(super) fn bad_parameter(dialect: &Dialect, name: &str) -> Response {
    described(dialect, 400, &format!("Invalid value of {name}"))
}

const fn message(status: u16) -> &'static str {
    match status {
        400 => "Invalid request",
        401 => "Authentication Error - invalid username",
        403 => "Permission denied",
        404 => "The requested resource was not found",
        413 => "Request entity too large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "An error occurred",
    }
}

fn described(dialect: &Dialect, status: u16, message: &str) -> Response {
    let code = if status == 401 {
        20003
    } else {
        20000 + u32::from(status)
    };
    let body = match dialect.errors {
        ErrorShape::Errors => json!({"errors": [{
            "code": code,
            "message": message,
            "infoUrl": format!("https://www.twilio.com/docs/api/errors/{code}"),
            "context": null,
        }]}),
        ErrorShape::Flat => json!({
            "code": code,
            "message": message,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
            "status": status,
        }),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::life::LifePhase;

    #[test]
    fn both_counting_modes_count_the_same_emails() {
        let tally = Tally {
            phase: LifePhase::Processing,
            made: 100,
            scheduled: 0,
            queued: 10,
            canceled: 0,
            failed: 2,
            sent: 88,
            undelivered: 3,
            delivered: 80,
            opened: 30,
        };
        let exclusive = StatsBody::of(&tally, 100, CountingMode::Exclusive);
        let funnel = StatsBody::of(&tally, 100, CountingMode::Cumulative);
        assert_eq!(
            (exclusive.sent, exclusive.delivered, exclusive.opened),
            (5, 50, 30)
        );
        assert_eq!((funnel.sent, funnel.delivered, funnel.opened), (88, 80, 30));
        let StatsBody {
            queued,
            sent,
            delivered,
            opened,
            undelivered,
            failed,
            total,
            ..
        } = exclusive;
        assert_eq!(
            queued + sent + delivered + opened + undelivered + failed,
            total
        );
    }

    #[test]
    fn the_next_page_is_written_in_every_pagination_style() {
        let page = |pagination, next: Option<&str>| {
            let dialect = Dialect {
                pagination,
                ..Dialect::default()
            };
            let list: ListBody<'_, u8> = ListBody {
                dialect: &dialect,
                name: "operations",
                rows: vec![],
                size: 5,
                path: "/v1/Emails",
                next: next.map(str::to_owned),
            };
            serde_json::to_value(list).unwrap()["pagination"].take()
        };
        assert_eq!(page(PaginationStyle::Next, None)["next"], Value::Null);
        assert_eq!(page(PaginationStyle::Next, Some("t"))["next"], "t");
        assert_eq!(
            page(PaginationStyle::NextPageToken, None),
            json!({"pageSize": 5})
        );
        let elsewhere = PaginationStyle::NextUrl("https://elsewhere.example.com".to_owned());
        assert_eq!(
            page(elsewhere, Some("t"))["next"],
            "https://elsewhere.example.com/v1/Emails?pageSize=5&pageToken=t"
        );
    }
}
