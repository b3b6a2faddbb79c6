//! Responses in every variant, valid and invalid.

use proptest::prelude::*;

use super::*;
use crate::operation::{OperationId, OperationState, Stats, Status, Word};
use crate::timestamp::Timestamp;
use crate::twilio::pages::Next;

const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
const OTHER: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp42";

fn operations(body: &[u8]) -> Result<ListPage<Operation>, ApiError> {
    page(body, 1000)
}

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

fn noted(fields: &[ResponseField]) -> Unexpected {
    let mut unexpected = Unexpected::default();
    for field in fields {
        unexpected.note(*field);
    }
    unexpected
}

#[test]
fn counts_are_parsed_in_any_notation() {
    let (stats, unexpected) =
        stats(r#"{" total ":"9","sent":2.0,"CANCELLED":3,"canceled":1,"failed":null,"bounced":4}"#)
            .unwrap();
    assert_eq!(stats.size, Some(9));
    let at = [Status::Sent, Status::Failed, Status::Canceled].map(|status| stats.get(status));
    assert_eq!(at, [2, 0, 3]);
    assert_eq!(stats.unknown(), [(Word::new("bounced"), 4)]);
    assert_eq!((stats.recipients, stats.attempts), (None, None));
    assert_eq!(unexpected, Unexpected::default());
}

#[test]
fn undocumented_stats_count_once_each_in_their_order() {
    let (stats, unexpected) =
        stats(r#"{"total":1,"deferred":2,"bounced":4,"deferred":3}"#).unwrap();
    assert_eq!(
        stats.unknown(),
        [(Word::new("bounced"), 4), (Word::new("deferred"), 2)]
    );
    assert_eq!(unexpected, Unexpected::default());
}

#[test]
fn a_list_is_filtered_by_the_creation_and_the_state_of_its_operations() {
    let (operation, _) = read(r#""status":"COMPLETED","stats":{"total":1}"#).unwrap();
    assert_eq!(Resource::created(&operation), in_id());
    assert_eq!(Resource::status(&operation), "completed");
}

#[test]
fn an_invalid_undocumented_stat_is_left_out() {
    let odd = r#"{"total":1,"\ud800":1,"rate":0.5,"huge":1e30,"below":-1,"note":"x","more":{"a":[1]},"is":true}"#;
    let (stats, unexpected) = stats(odd).unwrap();
    assert_eq!((stats.size, stats.unknown()), (Some(1), &[][..]));
    assert_eq!(unexpected, noted(&[ResponseField::Stats; 4]));
}

#[test]
fn impossible_counts_make_a_response_invalid() {
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
fn a_response_without_a_state_is_invalid_and_a_state_that_is_no_word_is_unreadable() {
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
        assert_eq!(unexpected, noted(&[ResponseField::Status]), "{json}");
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
fn the_time_in_the_id_replaces_a_missing_or_contradicting_created_at() {
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
        assert_eq!(
            found,
            (in_id(), None, noted(&[ResponseField::CreatedAt])),
            "{json}"
        );
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
fn an_impossible_updated_at_is_left_out() {
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
        assert_eq!(
            found,
            (in_id(), None, noted(&[ResponseField::UpdatedAt])),
            "{json}"
        );
    }
    // From a day before the creation, because clocks differ, until a day after the operation expires.
    for time in [
        "2023-06-13T16:40:04Z",
        "2023-06-14T16:40:00Z",
        "2023-06-22T16:40:03Z",
    ] {
        let (_, updated, unexpected) = times(&format!(r#","updatedAt":"{time}""#));
        assert_eq!(updated.unwrap().to_string(), time);
        assert_eq!(unexpected, Unexpected::default());
    }
}

#[test]
fn an_invalid_row_does_not_affect_other_rows() {
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
        let page = operations(&body).unwrap();
        let rejected: Vec<_> = page.rejected.iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(rejected, [OTHER]);
        assert_eq!((page.rows.len(), page.unreadable), (1, 4));
        assert_eq!(page.pagination.next, Next::Token("t".to_owned()));
    }
}

#[test]
fn an_invalid_byte_outside_the_rows_affects_no_row_and_is_noted() {
    let row = format!(r#"{{"id":"{ID}","status":"COMPLETED","stats":{{"total":1}}}}"#);
    for (before, after, next) in [
        (
            &b"{\"account\":\"caf\xe9\",\"operations\":["[..],
            &b"],\"pagination\":{\"next\":\"t\"}}"[..],
            Next::Token("t".to_owned()),
        ),
        (
            b"{\"data\":[",
            b"],\"x\":NaN,\"meta\":{\"next\":null}}",
            Next::End,
        ),
        (
            b"{\"data\":[",
            b"],\"pagination\":{\"next\":\"\xe9\"}}",
            Next::Unreadable,
        ),
        (
            b"{\"data\":[",
            b"],\"meta\":{\"x\":\"a\tb\"}}",
            Next::Unreadable,
        ),
    ] {
        let page = operations(&[before, row.as_bytes(), after].concat()).unwrap();
        assert_eq!((page.rows.len(), page.pagination.next), (1, next));
        assert_eq!(page.unexpected, noted(&[ResponseField::Body]));
    }
}

#[test]
fn a_byte_order_mark_is_skipped_and_noted() {
    let row =
        format!("\u{feff}{{\"id\":\"{ID}\",\"status\":\"COMPLETED\",\"stats\":{{\"total\":1}}}}");
    let mut unexpected = Unexpected::default();
    assert!(operation(row.as_bytes(), &mut unexpected).is_ok());
    assert_eq!(unexpected, noted(&[ResponseField::Body]));
    let page = operations("\u{feff}{\"operations\":[]}".as_bytes()).unwrap();
    assert_eq!(page.unexpected, noted(&[ResponseField::Body]));
}

#[test]
fn invalid_and_repeated_keys_do_not_affect_other_keys() {
    let fields = r#""status":"SCHEDULED","\ud800":1,"status":"COMPLETED","stats":{"total":1}"#;
    assert_eq!(read(fields).unwrap().0.state, OperationState::Completed);
}

#[test]
fn a_body_that_is_no_list_or_no_operation_is_an_error() {
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
        assert!(operations(body.as_bytes()).is_err(), "{body}");
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
        let _ = (operations(&body), operation(&body, &mut Unexpected::default()));
    }

    #[test]
    fn parsing_never_panics(
        stats in r#"\{("[a-z]{1,6}":(-?[0-9]{1,25}(\.[0-9]{1,3})?(e[0-9]{1,3})?|null|"[^"\\\x00-\x1f]{0,9}"),?){0,6}\}?"#,
        status in r#"[^"\\\x00-\x1f]{0,70}"#,
        time in "[-0-9TZ:.+]{0,30}",
    ) {
        let row = format!(r#"{{"id":"{ID}","status":"{status}","stats":{stats},"createdAt":"{time}"}}"#);
        let _ = operation(row.as_bytes(), &mut Unexpected::default());
        let _ = operations(format!(r#"{{"operations":[{row}],"pagination":{{"next":"{time}"}}}}"#).as_bytes());
    }
}
