//! The list of the account's operations, and the pages of lists. Rows are computed for each page; nothing is stored.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::timestamp::Timestamp;

use super::api_request::{ListQuery, PageToken};
use super::creation_filter::CreationFilter;
use super::fault::Effect;
use super::id::OperationPosition;
use super::response::{ListBody, OperationBody};
use super::settings::ApiSettings;
use super::world::{Item, World};

/// The documented maximum of one send. It also limits the emails of a scripted operation.
pub(super) const MOST_EMAILS: u32 = 10_000;
/// The rows that the fault `moving-rows` leaves out of a page.
const MOVING_ROWS: usize = 5;
/// A position newer than every operation: the start of a list.
pub(super) const NEWEST: OperationPosition = OperationPosition {
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
                Item::Scripted { value, .. } => {
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

    /// Writes a page with the token of the next one, as the effect requires.
    pub(super) fn page<T: Serialize>(
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
