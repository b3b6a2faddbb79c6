//! Emails in every variant, and what of a row is kept.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::twilio::pages::Next;
use crate::twilio::wire::{ListPage, page};

const ID: &str = "comms_email_01h2xcejqtf2nbrexx3vqjhp41";
const OPERATION: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp42";

fn full() -> Value {
    json!({
        "id": ID, "operationId": OPERATION, "status": "DELIVERED", "tags": {"campaign": "spring"},
        "from": {"address": "news@shop.example", "name": "Shop"},
        "to": [{"address": "Jane.Doe@Example.com", "name": "Jane Doe"}],
        "createdAt": "2023-06-14T16:40:03Z", "updatedAt": "2023-06-14T16:40:08.5Z", "scheduledFor": null,
        "deletedAt": null, "related": [], "content": {"subject": "Hi", "html": "<p>Hi</p>", "attachments": []},
    })
}

/// [`full`] with other fields; a field that is `Value::Null` here is left out.
fn with(fields: Value) -> Value {
    let (mut row, Value::Object(fields)) = (full(), fields) else {
        panic!("an object")
    };
    for (name, value) in fields {
        match value {
            Value::Null => row.as_object_mut().unwrap().remove(&name),
            value => row.as_object_mut().unwrap().insert(name, value),
        };
    }
    row
}

fn read(row: &Value) -> (Row<Email>, Unexpected) {
    let mut unexpected = Unexpected::default();
    let read = Email::read(row.to_string().as_bytes(), &mut unexpected);
    (read, unexpected)
}

fn email(row: &Value) -> Email {
    match read(row).0 {
        Row::Read(email) => email,
        other => panic!("{row}: {other:?}"),
    }
}

fn emails(body: &[u8]) -> ListPage<Email> {
    page(body, 1000).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn domains(email: Email) -> (Option<String>, Option<String>) {
    let text = |domain: Option<crate::email::Domain>| domain.map(|domain| domain.to_string());
    (text(email.sender), text(email.recipient))
}

#[test]
fn a_documented_row_is_parsed_to_its_times_status_and_domains() {
    let email = email(&full());
    assert_eq!(email.id, EmailId::parse(ID, None).unwrap());
    assert_eq!(email.operation, Some(OPERATION.parse().unwrap()));
    assert_eq!(email.status, EmailStatus::Delivered);
    assert_eq!(email.created, at("2023-06-14T16:40:03Z"));
    assert_eq!(email.updated, Some(at("2023-06-14T16:40:08.5Z")));
    assert_eq!(email.scheduled, None);
    let wanted = (Some("shop.example".into()), Some("example.com".into()));
    assert_eq!(domains(email), wanted);
}

#[test]
fn both_keys_and_both_forms_of_pagination_are_parsed() {
    for key in ["emails", "data"] {
        for (pagination, next) in [
            (json!({"next": "t1", "self": "x"}), Next::Token("t1".into())),
            (
                json!({"nextPageToken": "t1", "pageSize": 50}),
                Next::Token("t1".into()),
            ),
            (json!({"next": null}), Next::End),
            (json!({"pageSize": 50}), Next::Unnamed),
        ] {
            let body = json!({key: [full(), full()], "pagination": pagination});
            let page = emails(body.to_string().as_bytes());
            assert_eq!((page.rows.len(), page.size()), (2, 2));
            assert_eq!(page.pagination.next, next);
        }
    }
}

#[test]
fn the_recipient_is_an_object_a_text_or_a_list_of_these() {
    let jane = json!({"name": "jane@wrong.example", "address": "jane@example.com"});
    for to in [
        jane.clone(),
        json!([jane]),
        json!([jane, {"address": "joe@EXAMPLE.com", "variables": {"address": "x@wrong.example"}}]),
        json!("Jane <jane@example.com>"),
        json!(["jane@example.com"]),
        json!([{"address": "jane\u{40}example.com"}, null]),
        json!({"address": ["jane@example.com"]}),
    ] {
        let email = email(&with(json!({"to": to, "from": to})));
        let wanted = Some("example.com".to_owned());
        assert_eq!(domains(email), (wanted.clone(), wanted), "{to}");
    }
    for to in [
        json!([]),
        json!({}),
        json!({"name": "jane@example.com"}),
        json!(["jane@example.com", "joe@example.net"]),
        json!(["jane@example.com", 7]),
        json!({"address": true}),
        json!({"address": {"local": "jane", "domain": "example.com"}}),
        json!(7.5),
        json!(-7),
        json!(true),
    ] {
        let email = email(&with(json!({"to": to, "from": to})));
        assert_eq!(domains(email), (None, None), "{to}");
    }
}

#[test]
fn escapes_in_an_address_are_decoded() {
    let row = full().to_string();
    for written in [
        r"jane\u0040example.com",
        r"\u006aane@\u0045xample.com",
        r#"\"jane@wrong.example\" <jane@example.com>"#,
        r"jane@ex\u0061mple.com\n",
    ] {
        let row = row.replace("Jane.Doe@Example.com", written);
        let Row::Read(email) = Email::read(row.as_bytes(), &mut Unexpected::default()) else {
            panic!("{row}");
        };
        assert_eq!(email.recipient.unwrap().as_str(), "example.com", "{row}");
    }
}

#[test]
fn every_status_is_parsed_and_an_unknown_one_is_counted() {
    for (word, status) in [
        ("SCHEDULED", EmailStatus::Scheduled),
        ("QUEUED", EmailStatus::Queued),
        ("SENT", EmailStatus::Sent),
        ("DELIVERED", EmailStatus::Delivered),
        ("UNDELIVERED", EmailStatus::Undelivered),
        ("OPENED", EmailStatus::Opened),
        ("FAILED", EmailStatus::Failed),
        ("CANCELED", EmailStatus::Canceled),
        ("CANCELLED", EmailStatus::Canceled),
        ("INBOUND", EmailStatus::Inbound),
        ("inbound", EmailStatus::Inbound),
    ] {
        let (read, unexpected) = read(&with(json!({"status": word})));
        assert!(matches!(read, Row::Read(email) if email.status == status));
        assert_eq!(unexpected, Unexpected::default());
    }
    for word in ["DEFERRED", "", "jane@example.com", "\u{1f4e7}"] {
        let (read, unexpected) = read(&with(json!({"status": word})));
        assert!(matches!(read, Row::Read(email) if email.status == EmailStatus::Unknown));
        let counts: Vec<_> = unexpected.counts().collect();
        assert_eq!(counts, [(ResponseField::Status, 1)]);
    }
}

#[test]
fn times_are_parsed_in_every_variant() {
    let row = |field: &str, value: &str| email(&with(json!({field: value})));
    for same in [
        "2023-06-14T16:40:09Z",
        "2023-06-14T16:40:09.000Z",
        "2023-06-14T18:40:09+02:00",
        " 2023-06-14T16:40:09Z ",
    ] {
        let time = at("2023-06-14T16:40:09Z");
        assert_eq!(row("createdAt", same).created, time);
        assert_eq!(row("updatedAt", same).updated, Some(time));
        assert_eq!(row("scheduledFor", same).scheduled, Some(time));
    }
    let without = with(json!({"createdAt": null, "updatedAt": null, "scheduledFor": null}));
    let email = email(&without);
    assert_eq!(email.created, email.id.created());
    assert_eq!((email.updated, email.scheduled), (None, None));
    assert_eq!(read(&without).1, Unexpected::default());
}

#[test]
fn an_unusable_time_is_left_out_or_makes_its_row_invalid() {
    let at_id = EmailId::parse(ID, None).unwrap().created();
    for odd in [json!("yesterday"), json!("0001-01-01T00:00:00Z"), json!(7)] {
        let (created, unexpected) = read(&with(json!({"createdAt": odd})));
        assert!(matches!(created, Row::Read(email) if email.created == at_id));
        assert_eq!(
            unexpected.counts().next(),
            Some((ResponseField::CreatedAt, 1))
        );
        let (updated, unexpected) = read(&with(json!({"updatedAt": odd})));
        assert!(matches!(updated, Row::Read(email) if email.updated.is_none()));
        assert_eq!(
            unexpected.counts().next(),
            Some((ResponseField::UpdatedAt, 1))
        );
        let (scheduled, _) = read(&with(json!({"scheduledFor": odd})));
        assert!(matches!(scheduled, Row::Rejected(..)), "{odd}");
    }
}

#[test]
fn an_email_without_an_operation_is_an_email() {
    for operation in [json!(null), json!(""), json!(" ")] {
        let mut row = full();
        row["operationId"] = operation;
        assert_eq!(email(&row).operation, None);
    }
    assert_eq!(email(&with(json!({"operationId": null}))).operation, None);
    for operation in [json!("comms_email_1"), json!(7), json!({"id": OPERATION})] {
        let (read, _) = read(&with(json!({"operationId": operation})));
        assert!(matches!(read, Row::Rejected(..)), "{operation}");
    }
}

#[test]
fn an_invalid_row_affects_no_other_row() {
    let good = full().to_string();
    let broken = |value: &[u8]| {
        let start = format!(r#"{{"id":"{ID}","status":"SENT","x":"#);
        [start.as_bytes(), value, b"}"].concat()
    };
    let rejected = [
        broken(b"NaN"),
        broken(b"\"a\tb\""),
        broken(b"[1 2]"),
        with(json!({"status": null})).to_string().into_bytes(),
        with(json!({"status": 7})).to_string().into_bytes(),
        // A control character in a body.
        good.replace("<p>Hi", "<p>\t").into_bytes(),
    ];
    let unreadable = [
        &b"7"[..],
        b"null",
        b"[]",
        b"\"x\"",
        b"{}",
        br#"{"id":7,"status":"SENT"}"#,
        br#"{"id":"comms_email_1","status":"SENT"}"#,
        br#"{"id":"jane@example.com","status":"SENT","createdAt":"2023-06-14T16:40:09Z"}"#,
    ];
    let rows: Vec<&[u8]> = rejected
        .iter()
        .map(Vec::as_slice)
        .chain(unreadable)
        .collect();
    for bad in rows {
        let body = [
            b"\xef\xbb\xbf{\"emails\":[",
            good.as_bytes(),
            b",",
            bad,
            b",",
            good.as_bytes(),
            b"]}",
        ]
        .concat();
        let page = emails(&body);
        assert_eq!((page.rows.len(), page.size()), (2, 3), "{bad:?}");
        let is_rejected = rejected.iter().any(|row| row == bad);
        assert_eq!(page.rejected.len(), usize::from(is_rejected), "{bad:?}");
    }
}

#[test]
fn invalid_utf8_in_skipped_members_is_ignored() {
    let row = full().to_string();
    for (text, bytes) in [
        ("Jane Doe", &b"Jan\xe9"[..]),
        ("<p>Hi</p>", b"\xff\xfe"),
        ("Hi", br"\ud800"),
    ] {
        let at = row.find(text).unwrap();
        let row = [
            &row.as_bytes()[..at],
            bytes,
            &row.as_bytes()[at + text.len()..],
        ]
        .concat();
        let read = Email::read(&row, &mut Unexpected::default());
        assert!(matches!(read, Row::Read(_)), "{text}");
    }
}

#[test]
fn of_a_repeated_field_the_last_one_counts() {
    let row = format!(
        r#"{{"id":"x","status":"SENT","to":"a@wrong.example","id":"{ID}","status":"OPENED","to":"a@example.com"}}"#
    );
    let Row::Read(email) = Email::read(row.as_bytes(), &mut Unexpected::default()) else {
        panic!("{row}");
    };
    assert_eq!(email.status, EmailStatus::Opened);
    assert_eq!(email.recipient.unwrap().as_str(), "example.com");
}

#[test]
fn deep_nesting_affects_only_its_row() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let skipped = format!(
        r#"{{"id":"{ID}","status":"SENT","content":{}}}"#,
        deep(100_000)
    );
    let field = format!(r#"{{"id":"{ID}","status":"SENT","to":{}}}"#, deep(100_000));
    let body = format!(r#"{{"emails":[{skipped},{field},{}]}}"#, full());
    let page = emails(body.as_bytes());
    assert_eq!((page.rows.len(), page.rejected.len()), (2, 1));
}

#[test]
fn only_domains_of_a_row_are_kept() {
    let mark = "marked-secret";
    let marked = json!({
        "id": ID, "status": format!("{mark}@x.example"), "createdAt": mark, "updatedAt": mark,
        "from": {"address": format!("{mark}@shop.example"), "name": mark, mark: [mark]},
        "to": [{"address": format!("\"{mark}\" <{mark}+x@example.com> ({mark})"), "name": {"first": mark}}],
        "tags": {mark: mark}, "related": [mark, {mark: [[mark]]}], "content": {"subject": mark, "html": mark, "text": mark},
        mark: mark,
    });
    let mut email = email(&marked);
    assert!(!format!("{email:?}").contains(mark));
    assert_eq!(email.recipient.take().unwrap().as_str(), "example.com");
    // A rejected row and its error do not contain it either.
    for field in ["operationId", "scheduledFor", "status", "id"] {
        let mut row = marked.clone();
        row[field] = json!([mark]);
        assert!(!format!("{:?}", read(&row)).contains(mark), "{field}");
    }
}

proptest! {
    #[test]
    fn no_row_panics(text in ".{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..40), seconds in any::<i32>()) {
        let mut unexpected = Unexpected::default();
        let _ = Email::read(&bytes, &mut unexpected);
        for field in ["id", "operationId", "status", "createdAt", "updatedAt", "scheduledFor", "from", "to"] {
            for value in [json!(text), json!(seconds), json!([text]), json!({"address": text})] {
                let _ = read(&with(json!({field: value})));
            }
        }
    }

    #[test]
    fn every_plausible_time_is_kept(after in 0_u64..7 * 86_400_000) {
        let created = EmailId::parse(ID, None).unwrap().created();
        let time = created + Duration::from_millis(after);
        let row = with(json!({"updatedAt": time.to_string(), "scheduledFor": time.to_string()}));
        let email = email(&row);
        prop_assert_eq!((email.updated, email.scheduled), (Some(time), Some(time)));
    }
}
