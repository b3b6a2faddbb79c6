//! Responses in gzip, which requests accept, and in other encodings.

use serde_json::json;
use std::time::Duration;

use super::list;
use crate::support::exporter::Exporter;
use crate::support::raw::{Act, Raw};
use crate::support::scene::Scene;
use crate::support::twilio::Twilio;

#[tokio::test]
async fn gzip_is_accepted_and_decoded() {
    let scene = Scene::new().await;
    scene.twilio.fault("gzip");
    let seen = scene.next().await;
    scene.assert_healthy(&seen, "in gzip");
    for request in scene.twilio.handle.requests() {
        assert_eq!(
            request.accept_encoding.as_deref(),
            Some("gzip"),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_long_list_in_gzip_is_read_completely() {
    let twilio = Twilio::empty().await;
    for number in 0..1500 {
        twilio.put(
            Duration::from_secs(3600 + number),
            json!({"total": 1, "delivered": 1}),
        );
    }
    twilio.fault("gzip");
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let seen = exporter.scrape().await;
    seen.expect(
        "1,500 in gzip",
        &[("up", 1.0), ("collection_complete", 1.0)],
    );
    let completed = [("state", "completed")];
    assert_eq!(
        seen.value("twilio_email_operations", &completed),
        Some(1500.0)
    );
}

#[tokio::test]
async fn a_list_of_operations_may_be_in_gzip_and_other_encodings_are_named() {
    // `[]` in gzip.
    let gzip = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x8b, 0x8e, 5, 0, 0x29, 0xbb, 0x4c, 0x0d, 2, 0, 0, 0,
    ];
    for (encoding, body, expected) in [
        ("gzip", &gzip[..], None),
        (
            "gzip",
            &gzip[..20],
            Some("the response has the encoding gzip, but is not valid gzip"),
        ),
        (
            "gzip",
            b"[]",
            Some("the response has the encoding gzip, but is not valid gzip"),
        ),
        (
            "br",
            b"[]",
            Some("the response has the encoding br; only gzip or none is accepted"),
        ),
        (
            "made-up-secret",
            b"[]",
            Some(
                "the response has the encoding one that is not registered; only gzip or none is accepted",
            ),
        ),
    ] {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n"
        );
        let response = [head.as_bytes(), body].concat();
        let raw = Raw::start(Act::Send(response), Act::Close).await;
        let outcome = list(&raw).fetch().await;
        let message = outcome.err().map(|error| error.to_string());
        assert_eq!(message.as_deref(), expected, "{encoding}");
    }
}
