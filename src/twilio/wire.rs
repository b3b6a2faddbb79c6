//! Twilio's JSON, in every variant that its documents show or that has been seen
//! (<https://www.twilio.com/docs/email/api/email-operation-resource>).
//!
//! Read as much as can be read: an odd value is no reason to lose an operation, a row that is no JSON none to lose a page. But a
//! figure that cannot be makes its row no answer about its operation: nothing is shown in its place.

use super::error::ApiError;
use super::pages::Pagination;
use super::row::{self, Row};
use super::scan;
use crate::operation::{Field, Operation, OperationId, Unexpected};

/// What some writers put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One page of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) operations: Vec<Operation>,
    /// Operations whose rows say nothing that can be believed: each counts as one whose read failed. With the reason.
    pub(super) rejected: Vec<(OperationId, &'static str)>,
    /// Rows that are about no operation.
    pub(super) unreadable: usize,
    /// Odd values that cost only themselves.
    pub(super) unexpected: Unexpected,
    /// What follows, and how many rows make a page.
    pub(super) pagination: Pagination,
}

impl Page {
    /// How many rows there were, whatever they were.
    pub(super) fn rows(&self) -> usize {
        self.operations.len() + self.rejected.len() + self.unreadable
    }
}

/// Reads the answer of `GET /Emails/Operations/{id}`; odd values that cost only themselves are noted in `unexpected`.
pub(super) fn operation(body: &[u8], unexpected: &mut Unexpected) -> Result<Operation, ApiError> {
    let body = without_mark(body, unexpected);
    match row::read(body, unexpected) {
        Row::Operation(operation) => Ok(operation),
        Row::Rejected(_, why) => Err(ApiError::Implausible(why)),
        Row::Unreadable => Err(ApiError::InvalidResponse(
            "no JSON object of an operation with a right `id`",
        )),
    }
}

/// Reads the answer of `GET /Emails/Operations`.
pub(super) fn page(body: &[u8]) -> Result<Page, ApiError> {
    let mut unexpected = Unexpected::default();
    let body = without_mark(body, &mut unexpected);
    let (rows, rest) = rows(body)?;
    let list: List = serde_json::from_slice(&rest)
        .map_err(|_| ApiError::InvalidResponse("no JSON object of a list"))?;
    let pagination = list.pagination.unwrap_or_default();
    let pagination = pagination.or(list.meta.unwrap_or_default());
    let pagination = pagination.or(Pagination::beside(&rest));
    let mut page = Page {
        operations: Vec::with_capacity(rows.len()),
        rejected: Vec::new(),
        unreadable: 0,
        unexpected,
        pagination,
    };
    for json in rows {
        match row::read(json, &mut page.unexpected) {
            Row::Operation(operation) => page.operations.push(operation),
            Row::Rejected(id, why) => page.rejected.push((id, why)),
            Row::Unreadable => page.unreadable += 1,
        }
    }
    Ok(page)
}

/// A list without its rows.
#[derive(serde::Deserialize)]
struct List {
    pagination: Option<Pagination>,
    meta: Option<Pagination>,
}

/// The rows of a list, each as it is written, and the list without them.
fn rows(body: &[u8]) -> Result<(Vec<&[u8]>, Vec<u8>), ApiError> {
    let (mut operations, mut data) = (None, None);
    scan::members(body, |key, value| match key {
        b"operations" => operations = Some(value),
        b"data" => data = Some(value),
        _ => {}
    })
    .ok_or(ApiError::InvalidResponse("no JSON object of a list"))?;
    for place in [operations, data].into_iter().flatten() {
        if let Some(rows) = scan::elements(&body[place.clone()]) {
            let list = &body[place.clone()];
            let rows = rows.into_iter().map(|row| &list[row]).collect();
            let rest = [&body[..place.start], b"[]", &body[place.end..]].concat();
            return Ok((rows, rest));
        }
    }
    Err(ApiError::InvalidResponse(
        "a list without `operations` or `data`",
    ))
}

fn without_mark<'a>(body: &'a [u8], unexpected: &mut Unexpected) -> &'a [u8] {
    match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => {
            unexpected.note(Field::Body);
            rest
        }
        None => body,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::operation::{OperationState, Stats, Status, Word};
    use crate::timestamp::Timestamp;
    use crate::twilio::pages::Next;

    const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
    const OTHER: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp42";

    fn read(fields: &str) -> Result<(Operation, Unexpected), ApiError> {
        let mut unexpected = Unexpected::default();
        let body = format!(r#"{{"id":"{ID}",{fields}}}"#);
        let operation = operation(body.as_bytes(), &mut unexpected)?;
        Ok((operation, unexpected))
    }

    fn stats(json: &str) -> Result<(Stats, Unexpected), ApiError> {
        let read = read(&format!(r#""status":"COMPLETED","stats":{json}"#));
        read.map(|(operation, unexpected)| (operation.stats, unexpected))
    }

    fn noted(fields: &[Field]) -> Unexpected {
        let mut unexpected = Unexpected::default();
        for field in fields {
            unexpected.note(*field);
        }
        unexpected
    }

    #[test]
    fn odd_spellings_of_figures_are_read() {
        let (stats, unexpected) = stats(
            r#"{" total ":"9","sent":2.0,"CANCELLED":3,"canceled":1,"failed":null,"bounced":4}"#,
        )
        .unwrap();
        assert_eq!(stats.size, Some(9));
        let at = [Status::Sent, Status::Failed, Status::Canceled].map(|status| stats.get(status));
        assert_eq!(at, [2, 0, 3]);
        assert_eq!(stats.unknown(), [(Word::new("bounced"), 4)]);
        assert_eq!((stats.recipients, stats.attempts), (None, None));
        assert_eq!(unexpected, Unexpected::default());
    }

    #[test]
    fn what_is_odd_in_a_stat_that_nobody_documents_costs_only_that() {
        let odd = r#"{"total":1,"\ud800":1,"rate":0.5,"huge":1e30,"below":-1,"note":"x","more":{"a":[1]},"is":true}"#;
        let (stats, unexpected) = stats(odd).unwrap();
        assert_eq!((stats.size, stats.unknown()), (Some(1), &[][..]));
        assert_eq!(unexpected, noted(&[Field::Stats; 4]));
    }

    #[test]
    fn figures_that_cannot_be_are_no_answer() {
        for json in [
            "null",
            "[]",
            "7",
            "\"{}\"",
            "{}",
            "true",
            r#"{"total":null,"sent":null}"#,
            r#"{"total":1,"failed":1e19}"#,
            r#"{"total":1,"failed":-1}"#,
            r#"{"total":1,"failed":0.5}"#,
            r#"{"total":1,"failed":{}}"#,
            r#"{"total":1,"failed":[1]}"#,
            r#"{"total":1,"failed":true}"#,
            r#"{"total":1,"failed":"0x1"}"#,
            r#"{"total":1,"failed":"many"}"#,
            r#"{"total":1,"failed":2}"#,
            r#"{"total":4294967295}"#,
            r#"{"total":1,"attempts":1e12}"#,
        ] {
            let read = stats(json);
            assert!(
                matches!(read, Err(ApiError::Implausible(_))),
                "{json}: {read:?}"
            );
        }
        assert!(matches!(
            read(r#""status":"COMPLETED""#),
            Err(ApiError::Implausible(_))
        ));
    }

    #[test]
    fn a_large_send_and_many_attempts_are_possible() {
        let (stats, _) =
            stats(r#"{"total":250000,"recipients":10,"attempts":900000,"queued":250000}"#).unwrap();
        assert_eq!((stats.size, stats.attempts), (Some(250_000), Some(900_000)));
    }

    #[test]
    fn an_answer_without_a_state_is_none_and_one_that_is_no_word_is_unreadable() {
        let state = |json: &str| read(&format!(r#""status":{json},"stats":{{"total":1}}"#));
        for json in ["null", "7", "[]", "{}", r#""\ud800""#] {
            assert!(
                matches!(state(json), Err(ApiError::Implausible(_))),
                "{json}"
            );
        }
        assert_eq!(
            state(r#"" processing ""#).unwrap().0.state,
            OperationState::Processing
        );
        for json in [r#""""#, r#""Jane Doe""#, r#""a@b.example""#] {
            let (operation, unexpected) = state(json).unwrap();
            assert_eq!(operation.state.as_str(), Word::UNREADABLE, "{json}");
            assert_eq!(unexpected, noted(&[Field::Status]), "{json}");
        }
    }

    fn times(fields: &str) -> (Timestamp, Option<Timestamp>, Unexpected) {
        let (operation, unexpected) = read(&format!(
            r#""status":"COMPLETED","stats":{{"total":1}}{fields}"#
        ))
        .unwrap();
        (operation.created, operation.updated, unexpected)
    }

    /// Of 2023-06-14T16:40:03.066Z.
    fn in_id() -> Timestamp {
        ID.parse::<OperationId>().unwrap().created()
    }

    #[test]
    fn where_created_at_is_not_given_or_contradicts_the_id_the_id_tells_it() {
        for fields in ["", r#","createdAt":null"#] {
            assert_eq!(
                times(fields),
                (in_id(), None, Unexpected::default()),
                "{fields}"
            );
        }
        for json in [
            r#""yesterday""#,
            "7",
            "{}",
            r#""""#,
            r#""0001-01-01T00:00:00Z""#,
            r#""1970-01-01T00:00:00Z""#,
            r#""2023-06-13T16:40:03Z""#,
            r#""2023-06-15T16:40:04Z""#,
            r#""9999-12-31T23:59:59Z""#,
        ] {
            let found = times(&format!(r#","createdAt":{json}"#));
            assert_eq!(found, (in_id(), None, noted(&[Field::CreatedAt])), "{json}");
        }
        for (near, same) in [
            ("2023-06-14T18:40:03.5+02:00", "2023-06-14T16:40:03.5Z"),
            ("2023-06-13T16:40:04Z", "2023-06-13T16:40:04Z"),
        ] {
            let (created, _, unexpected) = times(&format!(r#","createdAt":"{near}""#));
            assert_eq!(
                (created.to_string(), unexpected),
                (same.to_owned(), Unexpected::default())
            );
        }
    }

    #[test]
    fn a_time_at_which_it_cannot_have_changed_is_left_out() {
        for json in [
            r#""0001-01-01T00:00:00Z""#,
            r#""1970-01-01T00:00:00Z""#,
            r#""2023-06-13T16:40:03Z""#,
            r#""2023-06-22T16:40:04Z""#,
            r#""9999-12-31T23:59:59Z""#,
            "0",
            r#""never""#,
        ] {
            let found = times(&format!(r#","updatedAt":{json}"#));
            assert_eq!(found, (in_id(), None, noted(&[Field::UpdatedAt])), "{json}");
        }
        let (_, updated, unexpected) = times(r#","updatedAt":"2023-06-14T16:40:00Z""#);
        assert_eq!(updated.unwrap().to_string(), "2023-06-14T16:40:00Z");
        assert_eq!(unexpected, Unexpected::default());
    }

    #[test]
    fn a_bad_row_costs_itself_and_the_others_are_kept() {
        let good = format!(r#"{{"id":"{ID}","status":"COMPLETED","stats":{{"total":1}}}}"#);
        let bad = [
            format!(r#"{{"id":"{OTHER}","status":"COMPLETED","stats":{{"total":1}},"x":"caf"#)
                .into_bytes(),
            b"\xe9\"}".to_vec(),
        ]
        .concat();
        let tab = format!(
            r#"{{"id":"{OTHER}","status":"COMPLETED","stats":{{"total":1}},"x":"a{}b"}}"#,
            '\t'
        );
        let nan = format!(r#"{{"id":"{OTHER}","status":"COMPLETED","stats":{{"total":NaN}}}}"#);
        for bad in [&bad[..], tab.as_bytes(), nan.as_bytes()] {
            let rest = br#",{"id":"x"},7,null,{}],"pagination":{"next":"t"}}"#;
            let body = [br#"{"data":["#, bad, b",", good.as_bytes(), rest].concat();
            let page = page(&body).unwrap();
            let rejected: Vec<_> = page.rejected.iter().map(|(id, _)| id.to_string()).collect();
            assert_eq!(rejected, [OTHER]);
            assert_eq!((page.operations.len(), page.unreadable), (1, 4));
            assert_eq!(page.pagination.next, Next::Token("t".to_owned()));
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_noted() {
        let row = format!(
            "\u{feff}{{\"id\":\"{ID}\",\"status\":\"COMPLETED\",\"stats\":{{\"total\":1}}}}"
        );
        let mut unexpected = Unexpected::default();
        assert!(operation(row.as_bytes(), &mut unexpected).is_ok());
        assert_eq!(unexpected, noted(&[Field::Body]));
        let page = page("\u{feff}{\"operations\":[]}".as_bytes()).unwrap();
        assert_eq!(page.unexpected, noted(&[Field::Body]));
    }

    #[test]
    fn odd_keys_and_keys_that_stand_twice_cost_nothing_else() {
        let fields = r#""status":"SCHEDULED","\ud800":1,"status":"COMPLETED","stats":{"total":1}"#;
        assert_eq!(read(fields).unwrap().0.state, OperationState::Completed);
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
            r#"{"operations":[]"#,
            r#"{"operations":[]}]"#,
        ] {
            assert!(page(body.as_bytes()).is_err(), "{body}");
            let operation = operation(body.as_bytes(), &mut Unexpected::default());
            assert!(
                matches!(operation, Err(ApiError::InvalidResponse(_))),
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (page(&body), operation(&body, &mut Unexpected::default()));
        }

        #[test]
        fn nothing_that_looks_like_an_answer_panics(
            stats in r#"\{("[a-z]{1,6}":(-?[0-9]{1,25}(\.[0-9]{1,3})?(e[0-9]{1,3})?|null|"[^"\\\x00-\x1f]{0,9}"),?){0,6}\}?"#,
            status in r#"[^"\\\x00-\x1f]{0,70}"#,
            time in "[-0-9TZ:.+]{0,30}",
        ) {
            let row = format!(r#"{{"id":"{ID}","status":"{status}","stats":{stats},"createdAt":"{time}"}}"#);
            let _ = operation(row.as_bytes(), &mut Unexpected::default());
            let _ = page(format!(r#"{{"operations":[{row}],"pagination":{{"next":"{time}"}}}}"#).as_bytes());
        }
    }
}
