//! Requests that no HTTP client sends. Each gets its right response, and the exporter serves others as before.

mod connection;
mod request_bodies;
mod request_heads;
mod requests;

use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use self::connection::exchange;
use crate::support::exporter::{Exporter, one_account};
use crate::support::twilio::Twilio;

/// At least this number of kinds is tried.
const FEWEST: usize = 60;

#[tokio::test]
async fn every_malformed_request_gets_its_response_and_the_exporter_stays_healthy() {
    let twilio = Twilio::empty().await;
    let options = Overrides {
        enable_api: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&one_account(&twilio, ""), Clock::System, options).await;
    let exporter = exporter.settled().await;
    let cases = requests::all();
    assert!(cases.len() >= FEWEST, "only {} requests", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (responses, then) = exchange(
            exporter.address,
            &case.bytes,
            case.statuses.len(),
            case.then,
        )
        .await;
        let statuses: Vec<_> = responses.iter().map(|each| each.status).collect();
        if (&statuses[..], then) != (case.statuses, case.then) {
            let expected = (case.statuses, case.then);
            wrong.push(format!(
                "{}: {statuses:?} {then:?}, expected {expected:?}",
                case.name
            ));
        }
        for response in &responses {
            let head = response.head.to_lowercase();
            assert!(!head.contains("x-injected"), "{}: {head}", case.name);
            for text in ["<script>", "made-up", "passwd"] {
                assert!(
                    !response.body.contains(text),
                    "{}: {}",
                    case.name,
                    response.body
                );
            }
        }
        let healthy = exporter.get("/-/healthy").await.status();
        assert_eq!(healthy, 200, "after {}", case.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    exporter.scrape().await.expect("afterwards", &[("up", 1.0)]);
}
