//! The two lists of the API: the account's operations, and emails. Rows are computed for each page; nothing is stored.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::operation::CountingMode;
use crate::timestamp::Timestamp;

use super::api_request::{ListQuery, PageToken};
use super::creation_filter::CreationFilter;
use super::fault::Effect;
use super::id::{OperationPosition, email_text};
use super::life::Origin;
use super::random::mix;
use super::response::{ListBody, OperationBody, StatsBody};
use super::settings::ApiSettings;
use super::world::{Item, Tags, World};

/// The domains of made-up addresses, reserved for examples (RFC 2606).
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];
/// The documented maximum of one send. It also limits the emails of a scripted operation.
pub(super) const MOST_EMAILS: u32 = 10_000;
/// The rows that the fault `moving-rows` leaves out of a page.
const MOVING_ROWS: usize = 5;
/// A position newer than every operation: the start of a list.
const NEWEST: OperationPosition = OperationPosition {
    created: i64::MAX,
    chance: u128::MAX >> 48,
};

/// The account at one time, for its lists.
pub(super) struct Lists<'a> {
    pub(super) world: &'a World,
    pub(super) settings: &'a ApiSettings,
    pub(super) now: Timestamp,
    /// The effect of a fault on the list.
    pub(super) effect: Option<Effect>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Email {
    id: String,
    from: Value,
    to: Value,
    status: String,
    tags: Value,
    created_at: String,
    updated_at: String,
    operation_id: String,
}

impl Lists<'_> {
    pub(super) fn operations(&self, query: &ListQuery) -> Response {
        if let Some(Effect::EmptyPages(pages)) = self.effect
            && query.page_number() <= pages
        {
            let rows = Vec::<OperationBody>::new();
            return self.page(
                "operations",
                "/Emails/Operations",
                query,
                rows,
                Some((NEWEST, 0)),
            );
        }
        let after = query.token.map(|token| (token.position, false));
        let window = CreationFilter {
            after,
            ..query.window
        };
        let now = self.now.as_millis();
        let mut wanted = self
            .world
            .walk(&window, self.now)
            .filter(|(_, item)| match item {
                Item::Generated { spec, .. } => query.matches_status(spec.phase(now).word()),
                Item::Scripted(value) => {
                    let status = value.get("status").and_then(Value::as_str);
                    query.matches_status(&status.unwrap_or_default().to_ascii_uppercase())
                }
            });
        let mut rows = Vec::with_capacity(query.size);
        let mut last = None;
        for (position, item) in wanted.by_ref().take(query.size) {
            rows.push(OperationBody::of(item, self.world, self.settings, now));
            last = Some(position);
        }
        if self.effect == Some(Effect::MovingRows) && query.page_number() > 1 && !rows.is_empty() {
            let seconds = usize::try_from(now / 1000).unwrap_or_default();
            for _ in 0..MOVING_ROWS.min(rows.len()) {
                rows.remove(seconds % rows.len());
            }
        }
        let next = last.filter(|_| wanted.next().is_some());
        let next = next.map(|position| (position, 0));
        self.page("operations", "/Emails/Operations", query, rows, next)
    }

    pub(super) fn emails(&self, query: &ListQuery) -> Response {
        let token = query.token;
        let mut offset = token.map_or(0, |token| token.offset);
        let mut rows = Vec::new();
        let mut next = None;
        let mut add = |position: OperationPosition, item: &Item| {
            let (given, more) = self.add_emails(&mut rows, query, item, offset);
            next = more.then_some((position, given));
            offset = 0;
            more
        };
        if let Some(id) = &query.operation {
            if let Some(item) = self.world.find(id, self.now) {
                add(NEWEST, &item);
            }
        } else {
            let window = CreationFilter {
                after: token.map(|token| (token.position, true)),
                ..query.window
            };
            for (position, item) in self.world.walk(&window, self.now) {
                if add(position, &item) {
                    break;
                }
            }
        }
        self.page("emails", "/Emails", query, rows, next)
    }

    /// Adds emails of one operation until the page is full. Returns the index of the next email, and whether there is one.
    fn add_emails(
        &self,
        rows: &mut Vec<Email>,
        query: &ListQuery,
        item: &Item,
        offset: u32,
    ) -> (u32, bool) {
        let counts = EmailCounts::of(item, self.world, self.now.as_millis());
        let id = item.id().unwrap_or_default();
        for at in offset..counts.emails() {
            let word = counts.word(at);
            if !query.matches_status(word) {
                continue;
            }
            if rows.len() == query.size {
                return (at, true);
            }
            let chance = u128::from(mix(counts.seed, at.into())) << 8;
            let domain = DOMAINS[at as usize % DOMAINS.len()];
            let address = format!("reader{at}@{domain}");
            rows.push(Email {
                id: email_text(counts.created, chance),
                from: json!({"address": "news@example.com", "name": "Example News"}),
                to: json!([{"address": address}]),
                status: self.settings.dialect.word(word),
                tags: counts.tags.clone(),
                created_at: self.settings.dialect.time(counts.created),
                updated_at: self.settings.dialect.time(counts.updated),
                operation_id: id.clone(),
            });
        }
        (0, false)
    }

    /// Writes a page with the token of the next one, as the effect requires.
    fn page<T: Serialize>(
        &self,
        name: &'static str,
        path: &str,
        query: &ListQuery,
        mut rows: Vec<T>,
        next: Option<(OperationPosition, u32)>,
    ) -> Response {
        let token = |(position, offset), page| PageToken {
            position,
            offset,
            page,
        };
        let page = query.page_number().saturating_add(1);
        let next = match self.effect {
            Some(Effect::Empty) => {
                rows.clear();
                None
            }
            Some(Effect::RepeatToken) => Some(token((NEWEST, 0), 2)),
            Some(Effect::Endless) => Some(token(next.unwrap_or((NEWEST, 0)), page)),
            _ => next.map(|place| token(place, page)),
        };
        Json(ListBody {
            dialect: &self.settings.dialect,
            name,
            rows,
            size: query.size,
            path: &format!("{}{path}", self.settings.prefix),
            next: next.map(|token| token.text()),
        })
        .into_response()
    }
}

/// The number of emails of an operation per status, in the order of the list of emails.
struct EmailCounts {
    parts: [(&'static str, u64); 8],
    seed: u64,
    created: i64,
    updated: i64,
    tags: Value,
}

impl EmailCounts {
    fn of(item: &Item, world: &World, now: i64) -> Self {
        match item {
            Item::Generated { spec, tags, .. } => {
                let (tally, updated) = spec.state_at(world.pace, now);
                let stats = StatsBody::of(&tally, spec.emails, CountingMode::Exclusive);
                Self {
                    parts: parts(&json!(stats)),
                    seed: spec.seed,
                    created: spec.created,
                    updated,
                    tags: tags_of(spec.origin, tags.as_ref()),
                }
            }
            Item::Scripted(value) => {
                let time = |name: &str| {
                    let time = value.get(name).and_then(Value::as_str);
                    let time = time.and_then(|text| text.parse::<Timestamp>().ok());
                    time.map_or(now, Timestamp::as_millis)
                };
                Self {
                    parts: parts(value.get("stats").unwrap_or(&Value::Null)),
                    seed: mix(0, now.unsigned_abs()),
                    created: time("createdAt"),
                    updated: time("updatedAt"),
                    tags: json!({}),
                }
            }
        }
    }

    fn emails(&self) -> u32 {
        let emails = self
            .parts
            .iter()
            .fold(0, |sum: u64, (_, n)| sum.saturating_add(*n));
        u32::try_from(emails).map_or(MOST_EMAILS, |emails| emails.min(MOST_EMAILS))
    }

    fn word(&self, at: u32) -> &'static str {
        let mut end = 0_u64;
        let mut parts = self.parts.iter();
        let part = parts.find(|(_, emails)| {
            end = end.saturating_add(*emails);
            u64::from(at) < end
        });
        part.map_or("QUEUED", |(word, _)| word)
    }
}

fn parts(stats: &Value) -> [(&'static str, u64); 8] {
    [
        ("OPENED", "opened"),
        ("DELIVERED", "delivered"),
        ("SENT", "sent"),
        ("QUEUED", "queued"),
        ("SCHEDULED", "scheduled"),
        ("CANCELED", "canceled"),
        ("UNDELIVERED", "undelivered"),
        ("FAILED", "failed"),
    ]
    .map(|(word, key)| (word, stats.get(key).and_then(Value::as_u64).unwrap_or(0)))
}

fn tags_of(origin: Origin, tags: Option<&Arc<Tags>>) -> Value {
    match (tags, origin) {
        (Some(tags), _) => json!(**tags),
        (None, Origin::Campaign) => json!({"kind": "newsletter"}),
        (None, Origin::Single | Origin::Bulk) => json!({"kind": "receipt"}),
        (None, Origin::Sent) => json!({}),
    }
}
