//! Twilio's JSON, in every variant that its documents show or that has been seen
//! (<https://www.twilio.com/docs/email/api/email-operation-resource>).
//!
//! Read as much as can be read: an odd figure is no reason to lose an operation, an odd operation none to lose a page.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ApiError;
use super::figure::Figure;
use super::pages::Pagination;
use crate::operation::{Operation, OperationId, State, Stats, Status, Word};

/// Unknown stats that are kept of one operation; Twilio would have to double its vocabulary to reach it.
const UNKNOWN_STATS: usize = 16;

/// One page of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) operations: Vec<Operation>,
    /// Rows that are no operation.
    pub(super) unreadable: usize,
    /// What follows, and how many rows make a page.
    pub(super) pagination: Pagination,
}

impl Page {
    /// How many rows there were, whatever they were.
    pub(super) fn rows(&self) -> usize {
        self.operations.len() + self.unreadable
    }
}

/// Reads the answer of `GET /Emails/Operations/{id}`.
pub(super) fn operation(body: &[u8]) -> Result<Operation, ApiError> {
    let row: Row = serde_json::from_slice(body)
        .map_err(|_| ApiError::InvalidResponse("no JSON object of an operation"))?;
    row.read().ok_or(ApiError::InvalidResponse(
        "an operation without a right `id`",
    ))
}

/// Reads the answer of `GET /Emails/Operations`.
pub(super) fn page(body: &[u8]) -> Result<Page, ApiError> {
    let list: List = serde_json::from_slice(body)
        .map_err(|_| ApiError::InvalidResponse("no JSON object of a list"))?;
    let rows = list
        .operations
        .or(list.data)
        .ok_or(ApiError::InvalidResponse(
            "a list without `operations` or `data`",
        ))?;
    let mut operations = Vec::with_capacity(rows.len());
    for row in &rows {
        operations.extend(
            serde_json::from_str::<Row>(row.get())
                .ok()
                .and_then(Row::read),
        );
    }
    let pagination = list.pagination.unwrap_or_default();
    let pagination = pagination.or(list.meta.unwrap_or_default());
    Ok(Page {
        unreadable: rows.len() - operations.len(),
        operations,
        pagination,
    })
}

#[derive(serde::Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    operations: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    data: Option<Vec<&'a RawValue>>,
    pagination: Option<Pagination>,
    meta: Option<Pagination>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(default)]
    stats: Figures,
    #[serde(borrow, default)]
    created_at: Text<'a>,
    #[serde(borrow, default)]
    updated_at: Text<'a>,
}

impl Row<'_> {
    fn read(self) -> Option<Operation> {
        let id: OperationId = self.id.0?.parse().ok()?;
        Some(Operation {
            id,
            state: State::parse(self.status.0.as_deref().unwrap_or("unknown")),
            stats: self.stats.0,
            created: self
                .created_at
                .0
                .and_then(|text| text.parse().ok())
                .unwrap_or_else(|| id.created()),
            updated: self.updated_at.0.and_then(|text| text.parse().ok()),
        })
    }
}

/// A text, or nothing where something else stands.
#[derive(Default)]
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self(
            match raw
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
                Some(_) => serde_json::from_str(raw).ok().map(Cow::Owned),
                None => None,
            },
        ))
    }
}

/// The `stats` of an operation; none at all where it is no object.
#[derive(Default)]
struct Figures(Stats);

impl<'de> Deserialize<'de> for Figures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        if !raw.starts_with('{') {
            return Ok(Self::default());
        }
        Ok(Self(
            serde_json::Deserializer::from_str(raw)
                .deserialize_map(FiguresVisitor)
                .unwrap_or_default(),
        ))
    }
}

struct FiguresVisitor;

impl<'de> Visitor<'de> for FiguresVisitor {
    type Value = Stats;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of figures")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stats, A::Error> {
        let mut stats = Stats::default();
        let mut unknown = Vec::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let Figure(figure) = map.next_value()?;
            let Some(figure) = figure else { continue };
            match Status::parse(&name) {
                // `canceled` and `cancelled` side by side mean the same emails.
                Some(status) => stats.set(status, stats.get(status).max(figure)),
                None if name.eq_ignore_ascii_case("total") => stats.size = Some(figure),
                None if name.eq_ignore_ascii_case("recipients") => stats.recipients = Some(figure),
                None if name.eq_ignore_ascii_case("attempts") => stats.attempts = Some(figure),
                None => unknown.push((Word::new(&name), figure)),
            }
        }
        unknown.sort_unstable();
        unknown.dedup_by(|again, first| again.0 == first.0);
        unknown.truncate(UNKNOWN_STATS);
        stats.unknown = (!unknown.is_empty()).then(|| unknown.into());
        Ok(stats)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::twilio::pages::Next;

    const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

    fn read(fields: &str) -> Operation {
        operation(format!(r#"{{"id":"{ID}"{fields}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn odd_figures_cost_only_themselves() {
        let stats = read(r#","stats":{"total":"9","sent":2.0,"opened":-1,"CANCELLED":3,"failed":null,"bounced":4,"delivered":{}}"#).stats;
        assert_eq!(stats.size, Some(9));
        assert_eq!(
            (
                stats.get(Status::Sent),
                stats.get(Status::Opened),
                stats.get(Status::Canceled)
            ),
            (2, 0, 3)
        );
        assert_eq!(stats.unknown(), [(Word::new("bounced"), 4)]);
        assert_eq!((stats.recipients, stats.attempts), (None, None));
    }

    #[test]
    fn stats_that_are_no_object_are_none() {
        for stats in ["null", "[]", "7", "\"many\""] {
            assert_eq!(
                read(&format!(r#","stats":{stats}"#)).stats,
                Stats::default(),
                "{stats}"
            );
        }
    }

    #[test]
    fn without_a_right_creation_time_the_id_tells_it() {
        let id: OperationId = ID.parse().unwrap();
        for fields in [
            "",
            r#","createdAt":"yesterday""#,
            r#","createdAt":7"#,
            r#","createdAt":null"#,
        ] {
            assert_eq!(read(fields).created, id.created(), "{fields}");
        }
        let offset = read(
            r#","createdAt":"2026-04-05T08:20:00.5+02:00","updatedAt":"2026-04-05T06:20:05Z""#,
        );
        assert_eq!(offset.created.to_string(), "2026-04-05T06:20:00.5Z");
        assert_eq!(offset.updated.unwrap().to_string(), "2026-04-05T06:20:05Z");
    }

    #[test]
    fn a_bad_row_is_counted_and_the_others_are_kept() {
        let body = format!(
            r#"{{"data":[{{"id":"{ID}"}},{{"id":"x"}},7,null,{{}}],"pagination":{{"next":"t"}}}}"#
        );
        let page = page(body.as_bytes()).unwrap();
        assert_eq!((page.operations.len(), page.unreadable), (1, 4));
        assert_eq!(page.pagination.next, Next::Token("t".to_owned()));
    }

    #[test]
    fn what_is_no_list_or_no_operation_is_an_error() {
        for body in [
            "",
            "[]",
            "{}",
            "null",
            "<html>",
            r#"{"operations":null}"#,
            r#"{"operations":[}"#,
        ] {
            assert!(page(body.as_bytes()).is_err(), "{body}");
            assert!(operation(body.as_bytes()).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (page(&body), operation(&body));
        }

        #[test]
        fn nothing_that_looks_like_an_answer_panics(
            stats in r#"\{("[a-z]{1,6}":(-?[0-9]{1,25}(\.[0-9]{1,3})?(e[0-9]{1,3})?|null|"[^"\\\x00-\x1f]{0,9}"),?){0,6}\}?"#,
            status in r#"[^"\\\x00-\x1f]{0,70}"#,
            time in "[-0-9TZ:.+]{0,30}",
        ) {
            let row = format!(r#"{{"id":"{ID}","status":"{status}","stats":{stats},"createdAt":"{time}"}}"#);
            let _ = operation(row.as_bytes());
            let _ = page(format!(r#"{{"operations":[{row}],"pagination":{{"next":"{time}"}}}}"#).as_bytes());
        }
    }
}
