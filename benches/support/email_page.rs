//! A page of emails as Twilio writes it.

/// A page of emails whose HTML is `html`, escaped as JSON.
pub(crate) fn page(rows: u32, html: &str) -> Vec<u8> {
    let rows = (0..rows).map(|row| {
        format!(
            r#"{{"id":"comms_email_01h2xcejqtf2nbrexx3vq{row:05}","operationId":"comms_operation_01h2xcejqtf2nbrexx3vqjhp41",
"from":{{"address":"news@shop.example","name":"Shop"}},"to":[{{"address":"jane{row}@example.com","name":"Jane Doe"}}],
"status":"DELIVERED","tags":{{}},"createdAt":"2023-06-14T16:40:03Z","updatedAt":"2023-06-14T16:40:08Z","scheduledFor":null,
"content":{{"subject":"Your order","html":"{html}","attachments":[]}}}}"#
        )
    });
    let rows: Vec<_> = rows.collect();
    format!(
        r#"{{"emails":[{}],"pagination":{{"next":null}}}}"#,
        rows.join(",")
    )
    .into_bytes()
}
