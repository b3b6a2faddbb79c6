//! A page of operations as Twilio writes it.

use std::time::Duration;

use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::timestamp::Timestamp;

/// When the first operation of a page was created.
const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

/// A page of operations with the fields that Twilio documents, and `more` at the end of each row.
pub(crate) fn page(rows: u32, more: &str) -> Vec<u8> {
    let rows = (0..rows).map(|row| {
        let created = START + Duration::from_millis(500) * row;
        let id = operation_id(created, row.into());
        let updated = created + Duration::from_mins(9);
        let (total, opened) = (100 + row * 7, row % 60);
        format!(
            r#"{{"id":"{id}","status":"COMPLETED","stats":{{"total":{total},"recipients":{total},"attempts":{total},"#
        ) + &format!(
            r#""scheduled":0,"queued":0,"sent":3,"delivered":{},"opened":{opened},"undelivered":2,"failed":1,"canceled":0}},"#,
            total - opened - 6
        ) + &format!(r#""createdAt":"{created}","updatedAt":"{updated}"{more}}}"#)
    });
    let rows: Vec<_> = rows.collect();
    format!(
        r#"{{"operations":[{}],"pagination":{{"next":null}}}}"#,
        rows.join(",")
    )
    .into_bytes()
}
