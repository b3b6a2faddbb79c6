//! The list of emails. Its rows are the emails that the operations' stats count, and emails that the account received.

use std::borrow::Cow;
use std::sync::Arc;

use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use crate::operation::CountingMode;
use crate::timestamp::Timestamp;

use super::api_request::ListQuery;
use super::creation_filter::CreationFilter;
use super::dialect::Recipients;
use super::id::{CHANCE_BITS, OperationPosition, email_text};
use super::life::{Origin, Spec};
use super::list::{Lists, MOST_EMAILS, NEWEST};
use super::random::mix;
use super::scripted_email::{NamedOperation, ScriptedEmail};
use super::world::{Item, SendTags};

/// Generated operations create all their emails within this time, in milliseconds.
const LONGEST_MAKING: i64 = 2 * 3600 * 1000;
/// The domains of emails of scripted operations, reserved for examples (RFC 2606).
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];
/// The sender of all emails, and the recipient of inbound ones.
const OWN_ADDRESS: &str = "news@example.com";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmailBody {
    id: String,
    from: Value,
    to: Value,
    status: String,
    tags: Value,
    created_at: String,
    updated_at: String,
    scheduled_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Value>,
}

/// The fields of a row.
struct EmailRow<'a> {
    word: &'a str,
    created: i64,
    updated: i64,
    scheduled: Option<i64>,
    /// Its random number.
    random: u64,
    from: String,
    to: String,
    operation: Option<Cow<'a, str>>,
    tags: Value,
}

/// The rows of a page so far.
struct Page {
    rows: Vec<EmailBody>,
    /// The first email that does not fit.
    next: Option<(OperationPosition, u32)>,
}

impl Lists<'_> {
    pub(super) fn emails(&self, query: &ListQuery) -> Response {
        let mut page = Page {
            rows: Vec::new(),
            next: None,
        };
        if let Some(id) = &query.operation {
            if let Some(item) = self.world.find(id, self.now) {
                let offset = query.token.map_or(0, |token| token.offset);
                self.add_emails(&mut page, query, NEWEST, &item, offset);
            }
        } else {
            self.add_all(&mut page, query);
        }
        self.page("emails", "/Emails", query, page.rows, page.next)
    }

    /// Adds emails of all operations and inbound ones, newest first, until the page is full.
    fn add_all(&self, page: &mut Page, query: &ListQuery) {
        let start = query.token.map_or(NEWEST, |token| token.position);
        let mut offset = query.token.map_or(0, |token| token.offset);
        let earlier = |from: Timestamp| {
            Timestamp::from_millis(from.as_millis().saturating_sub(LONGEST_MAKING))
        };
        let window = CreationFilter {
            after: query.token.map(|token| (token.position, true)),
            from: query.window.from.map(earlier),
            ..query.window
        };
        let mut inbound = self.inbound(query, start).peekable();
        for (position, item) in self.world.walk(&window, self.now) {
            while let Some(received) = inbound.next_if(|received| *received > position) {
                if !self.add_inbound(page, query, received) {
                    return;
                }
            }
            if !self.add_emails(page, query, position, &item, offset) {
                return;
            }
            offset = 0;
        }
        for received in inbound {
            if !self.add_inbound(page, query, received) {
                return;
            }
        }
    }

    /// The positions of inbound emails from `start` on, newest first.
    fn inbound(
        &self,
        query: &ListQuery,
        start: OperationPosition,
    ) -> impl Iterator<Item = OperationPosition> + use<> {
        let every = self.world.inbound_every.unwrap_or(i64::MAX);
        let until = query.window.until.map_or(i64::MAX, Timestamp::as_millis);
        let newest = self.now.as_millis().min(until).min(start.created);
        let from = query.window.from.map_or(0, Timestamp::as_millis);
        let oldest = from.max(self.world.oldest(self.now).saturating_add(1));
        let mut created = newest.div_euclid(every) * every;
        std::iter::from_fn(move || {
            // The time is 0 in an account that receives nothing.
            (created >= oldest && created > 0).then(|| {
                let number = created.unsigned_abs();
                let chance = u128::from(mix(1, number)) << 64 | u128::from(mix(2, number));
                let position = OperationPosition {
                    created,
                    chance: chance & ((1 << CHANCE_BITS) - 1),
                };
                created -= every;
                position
            })
        })
        .filter(move |position| *position <= start)
    }

    /// Adds an inbound email; returns whether the page has room for more.
    fn add_inbound(&self, page: &mut Page, query: &ListQuery, received: OperationPosition) -> bool {
        let row = EmailRow {
            word: "INBOUND",
            created: received.created,
            updated: received.created,
            scheduled: None,
            random: mix(3, received.created.unsigned_abs()),
            from: "customer@example.net".to_owned(),
            to: OWN_ADDRESS.to_owned(),
            operation: None,
            tags: json!({}),
        };
        self.add(page, query, (received, 0), &row)
    }

    /// Adds emails of one operation from `offset` on; returns whether the page has room for more.
    fn add_emails(
        &self,
        page: &mut Page,
        query: &ListQuery,
        position: OperationPosition,
        item: &Item,
        offset: u32,
    ) -> bool {
        let now = self.now.as_millis();
        let id = item.id().unwrap_or_default();
        let row = |index: u32| match item {
            Item::Generated { spec, tags, .. } => {
                let email = spec.email(self.world.pace, index, now)?;
                Some(EmailRow {
                    word: email.word,
                    created: email.created,
                    updated: email.updated,
                    scheduled: spec.scheduled.then_some(spec.begins),
                    random: mix(spec.seed, index.into()),
                    from: OWN_ADDRESS.to_owned(),
                    to: format!("reader{index}@{}", email.domain),
                    operation: Some(Cow::Borrowed(&id)),
                    tags: tags_of(spec, tags.as_ref()),
                })
            }
            Item::Scripted { value, emails } => match emails {
                Some(emails) => emails
                    .get(index as usize)
                    .map(|email| of_script(email, value, &id, index, now)),
                None => by_stats(value, &id, index, self.settings.reading, now),
            },
        };
        for index in offset..MOST_EMAILS {
            let Some(row) = row(index) else {
                break;
            };
            if !self.add(page, query, (position, index), &row) {
                return false;
            }
        }
        true
    }

    /// Adds a row if the query selects it; returns false if it does and the page is full.
    fn add(
        &self,
        page: &mut Page,
        query: &ListQuery,
        place: (OperationPosition, u32),
        row: &EmailRow<'_>,
    ) -> bool {
        let created = Timestamp::from_millis(row.created);
        let CreationFilter { from, until, .. } = query.window;
        if !query.matches_status(row.word)
            || from.is_some_and(|from| created < from)
            || until.is_some_and(|until| created > until)
        {
            return true;
        }
        if page.rows.len() == query.size {
            page.next = Some(place);
            return false;
        }
        let dialect = &self.settings.dialect;
        let to = json!({"address": row.to, "name": "A Reader"});
        page.rows.push(EmailBody {
            id: email_text(row.created, u128::from(row.random) << 8),
            from: json!({"address": row.from, "name": "Example News"}),
            to: match dialect.recipients {
                Recipients::List => json!([to]),
                Recipients::Object => to,
            },
            status: dialect.word(row.word),
            tags: row.tags.clone(),
            created_at: dialect.time(row.created),
            updated_at: dialect.time(row.updated),
            scheduled_for: row.scheduled.map(|scheduled| dialect.time(scheduled)),
            operation_id: row.operation.as_deref().map(str::to_owned),
            content: self.settings.email_body.map(content),
        });
        true
    }
}

/// A body of this size, with HTML characters that JSON escapes.
fn content(size: usize) -> Value {
    let line = "<p style=\"margin:0\">Hello, dear reader.</p>\n";
    let html: String = line.chars().cycle().take(size).collect();
    json!({"subject": "Our news", "html": html, "attachments": []})
}

/// An email of a scripted operation, as a test specified it.
fn of_script<'a>(
    email: &'a ScriptedEmail,
    operation: &Value,
    id: &'a str,
    index: u32,
    now: i64,
) -> EmailRow<'a> {
    let created = email.created.map(Timestamp::as_millis);
    EmailRow {
        word: &email.status,
        created: created.unwrap_or_else(|| time_of(operation, "createdAt", now)),
        updated: email.updated.as_millis(),
        scheduled: email.scheduled.map(Timestamp::as_millis),
        random: random_of(id, index),
        from: email.from.clone(),
        to: email.to.clone(),
        operation: match email.operation {
            NamedOperation::Own => Some(Cow::Borrowed(id)),
            NamedOperation::Missing => None,
            NamedOperation::Other(other) => Some(Cow::Owned(other.to_string())),
        },
        tags: json!(email.tags),
    }
}

/// A time of a scripted operation.
fn time_of(operation: &Value, name: &str, now: i64) -> i64 {
    let time = operation.get(name).and_then(Value::as_str);
    let time = time.and_then(|text| text.parse::<Timestamp>().ok());
    time.map_or(now, Timestamp::as_millis)
}

/// The random number of an email of a scripted operation: the same email has the same id in every response.
fn random_of(id: &str, index: u32) -> u64 {
    let seed = id.bytes().fold(0, |seed, byte| mix(seed, byte.into()));
    mix(seed, index.into())
}

/// An email of a scripted operation, whose stats say how many emails have which status.
fn by_stats<'a>(
    operation: &Value,
    id: &'a str,
    index: u32,
    reading: CountingMode,
    now: i64,
) -> Option<EmailRow<'a>> {
    let parts = parts(operation.get("stats").unwrap_or(&Value::Null), reading);
    let mut end = 0_u64;
    let (word, _) = parts.into_iter().find(|(_, emails)| {
        end = end.saturating_add(*emails);
        u64::from(index) < end
    })?;
    Some(EmailRow {
        word,
        created: time_of(operation, "createdAt", now),
        updated: time_of(operation, "updatedAt", now),
        scheduled: None,
        random: random_of(id, index),
        from: OWN_ADDRESS.to_owned(),
        to: format!("reader{index}@{}", DOMAINS[index as usize % DOMAINS.len()]),
        operation: Some(Cow::Borrowed(id)),
        tags: json!({}),
    })
}

/// The number of emails per status, each email once.
fn parts(stats: &Value, reading: CountingMode) -> [(&'static str, u64); 8] {
    let at = |key: &str| stats.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (sent, delivered, opened) = (at("sent"), at("delivered"), at("opened"));
    let (sent, delivered) = match reading {
        CountingMode::Exclusive => (sent, delivered),
        CountingMode::Cumulative => (
            sent.saturating_sub(delivered)
                .saturating_sub(at("undelivered")),
            delivered.saturating_sub(opened),
        ),
    };
    [
        ("OPENED", opened),
        ("DELIVERED", delivered),
        ("SENT", sent),
        ("QUEUED", at("queued")),
        ("SCHEDULED", at("scheduled")),
        ("CANCELED", at("canceled")),
        ("UNDELIVERED", at("undelivered")),
        ("FAILED", at("failed")),
    ]
}

fn tags_of(spec: &Spec, tags: Option<&Arc<SendTags>>) -> Value {
    match (tags, spec.origin) {
        (Some(tags), _) => json!(**tags),
        (None, Origin::Campaign) => json!({"kind": "newsletter"}),
        (None, Origin::Single | Origin::Bulk) => json!({"kind": "receipt"}),
        (None, Origin::Sent) => json!({}),
    }
}
