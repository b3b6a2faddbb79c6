//! Both parsers read the same from a row, and the fast one leaves doubtful rows to the general one.

use proptest::prelude::*;

use super::*;
use crate::twilio::resource::Row;
use crate::twilio::row;

const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

/// A row with these fields behind its id.
fn row(fields: &str) -> String {
    format!(r#"{{"id":"{ID}",{fields}}}"#)
}

/// What the general parser reads, if it finds nothing unexpected.
fn generally(json: &[u8]) -> Option<Operation> {
    let mut unexpected = Unexpected::default();
    match row::read(json, &mut unexpected) {
        Row::Read(operation) if unexpected == Unexpected::default() => Some(operation),
        _ => None,
    }
}

#[test]
fn a_row_as_twilio_documents_it_is_read_with_its_length() {
    let stats = r#"{"total":9,"recipients":9,"attempts":12,"scheduled":0,"queued":1,"sent":2,"delivered":3,"opened":1,"undelivered":1,"failed":1,"canceled":0}"#;
    for fields in [
        format!(
            r#""status":"COMPLETED","stats":{stats},"createdAt":"2023-06-14T16:40:03Z","updatedAt":"2023-06-14T16:41:07.25Z""#
        ),
        format!(
            "\"updatedAt\" :null, \"createdAt\":null,\n\t\"accountId\":\"AC1\",\"n\":10,\"a\":true,\"b\":false,\"c\":null,\"stats\": {stats} ,\"status\":\"processing\" "
        ),
    ] {
        let json = row(&fields);
        let (operation, length) = read(format!("{json},{{}}]").as_bytes()).unwrap();
        assert_eq!(length, json.len());
        assert_eq!(Some(operation), generally(json.as_bytes()), "{json}");
    }
}

#[test]
fn whatever_needs_a_decision_is_left_to_the_general_parser() {
    let fine = r#""status":"COMPLETED","stats":{"total":1},"createdAt":null,"updatedAt":null"#;
    assert!(read(row(fine).as_bytes()).is_some());
    for (part, other) in [
        ("COMPLETED", "PAUSED"),
        ("COMPLETED", "COMPL\\u0045TED"),
        ("\"COMPLETED\"", "\"COMPLETED\",\"status\":\"SCHEDULED\""),
        ("{\"total\":1}", "{}"),
        ("{\"total\":1}", "{\"total\":1,\"total\":2}"),
        ("{\"total\":1}", "{\"total\":1,\"bounced\":2}"),
        ("{\"total\":1}", "{\"total\":1,\"sent\":2}"),
        ("{\"total\":1}", "{\"total\":01}"),
        ("{\"total\":1}", "{\"total\":1.0}"),
        ("{\"total\":1}", "{\"total\":100000001}"),
        ("{\"total\":1}", "{\"total\":9999999999}"),
        ("{\"total\":1}", "{\"total\":-1}"),
        ("{\"total\":1}", "{\"total\":null}"),
        ("{\"total\":1}", "{\"total\":1,}"),
        (
            "\"createdAt\":null",
            "\"createdAt\":\"2026-06-14T16:40:03Z\"",
        ),
        (
            "\"updatedAt\":null",
            "\"updatedAt\":\"2026-06-14T16:40:03Z\"",
        ),
        ("\"updatedAt\":null", "\"updatedAt\":\"never\""),
        ("\"updatedAt\":null", "\"updatedAt\":nul"),
        (
            "\"updatedAt\":null",
            "\"updatedAt\":null,\"x\":\"J\u{f6}rg\"",
        ),
        ("\"updatedAt\":null", "\"updatedAt\":null,\"x\":\"a\tb\""),
        ("\"updatedAt\":null", "\"updatedAt\":null,\"x\":NaN"),
        ("\"updatedAt\":null", "\"updatedAt\":null,\"x\":{}"),
        ("\"updatedAt\":null", "\"updatedAt\":null]"),
    ] {
        assert!(fine.contains(part), "{part}");
        let json = row(&fine.replacen(part, other, 1));
        assert_eq!(read(json.as_bytes()), None, "{json}");
    }
    let json = row(fine);
    for end in 0..json.len() {
        assert_eq!(read(&json.as_bytes()[..end]), None, "{end}");
    }
}

proptest! {
    #[test]
    fn a_row_means_the_same_in_both_parsers(
        status in "(COMPLETED|processing|Canceled|cancelled| SCHEDULED|PAUSED|Jane Doe)",
        stats in r#"("(total|sent|delivered|opened|failed|canceled|cancelled|Total|bounced)":(0|[1-9]{1,3}|[0-9]{1,10}|null|"7"|1e2),?){1,4}"#,
        times in r#"("(createdAt|updatedAt|note|id)": ?("2023-06-1[345]T16:40:03(\.[0-9]{1,3})?Z"|"x"|null|7|true|\[\]),?){0,3}"#,
        at in any::<proptest::sample::Index>(),
        byte in proptest::option::weighted(0.3, any::<u8>()),
    ) {
        let json = row(&format!(
            r#""status":"{status}","stats":{{{}}},"createdAt":null,{}"#,
            stats.trim_end_matches(','),
            if times.is_empty() { r#""updatedAt":null"# } else { times.trim_end_matches(',') },
        ));
        let mut json = json.into_bytes();
        if let Some(byte) = byte {
            let at = at.index(json.len());
            json[at] = byte;
        }
        if let Some((operation, length)) = read(&json) {
            prop_assert_eq!(generally(&json[..length]), Some(operation));
        }
    }
}
