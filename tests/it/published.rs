//! Twilio's published responses, from `tests/fixtures/twilio`: unchanged except for the ids, which do not fit their times.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::ApiSettings;

use crate::support::exporter::{Exporter, account_at};
use crate::support::exposition::Exposition;
use crate::support::scene::morning;
use crate::support::stub_server::{StubResponse, StubServer};
use crate::support::twilio::Twilio;
use crate::variants::{an_hour_old, only, watching};

const HOUR: Duration = Duration::from_hours(1);
const SAMPLE: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

/// A published sample with plausible ids: the ids of Twilio's samples are years older than their `createdAt`, so each
/// gets an id of that time. Everything else is unchanged.
fn published(name: &str) -> String {
    let [first, second] = published_ids().map(|id| id.to_string());
    fixture(name)
        .replace(SAMPLE, &first)
        .replace("comms_operation_01h9krwprkeee8fzqspvwy6nq8", &second)
}

/// The ids of the operations of 06:20 and of 06:10.
fn published_ids() -> [OperationId; 2] {
    ["2026-04-05T06:20:00Z", "2026-04-05T06:10:00Z"]
        .map(|created| twilio_email_exporter::simulator::operation_id(created.parse().unwrap(), 7))
}

/// A published sample, from `tests/fixtures/twilio`.
fn fixture(name: &str) -> String {
    let path = format!(
        "{}/tests/fixtures/twilio/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn the_published_operation_is_read_as_it_is_published() {
    let seen = only(serde_json::from_str(&published("operation")).unwrap()).await;
    assert_published(&seen);
}

#[tokio::test]
async fn the_published_lists_are_read_as_they_are_published() {
    for (list, last) in [
        ("list-next", "list-next-last"),
        ("list-page-token", "list-page-token-last"),
    ] {
        let (first, last) = (published(list), published(last));
        let server = StubServer::start(move |path| {
            let next = path.contains("pageToken=PT0a1b2c3d");
            StubResponse::json(if next { last.clone() } else { first.clone() })
        })
        .await;
        let yaml = format!(
            "accounts:\n{}",
            account_at("default", &server.base_url(), "")
        );
        let clock = morning();
        let exporter = Exporter::start_at(&yaml, clock).await.settled().await;
        let seen = exporter.scrape().await;
        assert_published(&seen);
        let [_, id] = published_ids();
        assert_eq!(
            seen.emails(id, "opened"),
            Some(3.0),
            "{list}: on the second page"
        );
        let cumulative = seen.value("twilio_email_stats_reading", &[("reading", "cumulative")]);
        assert_eq!(
            cumulative,
            Some(1.0),
            "{list}: 5 sent, 5 delivered, 3 opened of 5"
        );
        let requested = server.requests();
        assert_eq!(
            requested.len(),
            4,
            "{list}: two pages, twice: {requested:?}"
        );
        // Both lists cover the whole week, which fits into a page.
        let wanted = [false, true, false, true];
        for (path, has_token) in requested.iter().zip(wanted) {
            assert!(
                path.starts_with("/v1/Emails/Operations?startDate=2026-03-29T06%3A20%3A00Z&"),
                "{path}"
            );
            assert_eq!(path.contains("pageToken="), has_token, "{path}");
            assert!(
                path.contains("pageSize=1000"),
                "every page repeats the filters: {path}"
            );
        }
    }
}

/// The operation of the reference page.
#[track_caller]
fn assert_published(seen: &Exposition) {
    let [id, _] = published_ids();
    let found = (
        seen.of_operation(id, "size"),
        seen.emails(id, "delivered"),
        seen.emails(id, "sent"),
        seen.of_operation(id, "created_timestamp_seconds"),
        seen.of_operation(id, "updated_timestamp_seconds"),
        seen.of_operation(id, "up"),
    );
    let wanted = (
        Some(2.0),
        Some(2.0),
        Some(0.0),
        Some(1_775_370_000.0),
        Some(1_775_370_005.0),
        Some(1.0),
    );
    assert_eq!(found, wanted, "found, wanted");
    let completed = seen.value(
        "twilio_email_operation_state",
        &[("operation_id", &id.to_string()), ("state", "completed")],
    );
    assert_eq!(completed, Some(1.0));
}

#[tokio::test]
async fn the_published_errors_are_their_status_and_nothing_else() {
    for (body, status, reason, up) in [
        ("error-list", 404, "not_found", 0.0),
        ("error-flat", 401, "unauthorized", 0.0),
        // The exporter uses only the status, not the body.
        ("error-flat", 500, "server_error", 0.0),
        ("error-list", 410, "not_found", 0.0),
    ] {
        let text = fixture(body);
        let server = StubServer::start(move |_| StubResponse::error(status, text.clone())).await;
        let seen = watching(&server, an_hour_old(), "discovery: false").await;
        seen.expect(body, &[("up", up)]);
        let key = ("operation".to_owned(), reason.to_owned());
        assert!(
            seen.failures().contains_key(&key),
            "{body} {status}: {:?}",
            seen.failures()
        );
    }
}

#[tokio::test]
async fn the_response_to_a_send_request_is_not_parsed_as_an_operation() {
    let text = fixture("accepted");
    let server = StubServer::start(move |_| StubResponse::error(202, text.clone())).await;
    let seen = watching(&server, an_hour_old(), "discovery: false").await;
    seen.expect("202", &[("up", 0.0), ("collection_complete", 0.0)]);
    let key = ("operation".to_owned(), "invalid_response".to_owned());
    assert!(seen.failures().contains_key(&key), "{:?}", seen.failures());
}

#[tokio::test]
async fn an_operation_that_a_list_returns_twice_counts_once() {
    let row = |opened: u32| {
        format!(
            r#"{{"id":"{}","status":"COMPLETED","stats":{{"total":9,"opened":{opened}}}}}"#,
            an_hour_old()
        )
    };
    let body = format!(
        r#"{{"operations":[{},{}],"pagination":{{"next":""}}}}"#,
        row(8),
        row(9)
    );
    let server = StubServer::start(move |_| StubResponse::json(body.clone())).await;
    let yaml = format!(
        "accounts:\n{}",
        account_at("default", &server.base_url(), "")
    );
    let exporter = Exporter::start_at(&yaml, morning()).await;
    let seen = exporter.scrape().await;
    let opened = seen.value("twilio_email_emails", &[("status", "opened")]);
    assert_eq!(opened, Some(9.0));
    let operations = seen.value("twilio_email_operations", &[("state", "completed")]);
    assert_eq!(operations, Some(1.0));
}

#[tokio::test]
async fn a_base_url_may_have_a_path_of_its_own() {
    let clock: Clock = morning();
    let settings = ApiSettings {
        prefix: "/proxy/twilio/v1".to_owned(),
        ..ApiSettings::default()
    };
    let twilio = Twilio::start(settings, clock.clone()).await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    for slash in ["", "/"] {
        let base_url = format!("http://{}/proxy/twilio/v1{slash}", twilio.address);
        let more = format!("operations:\n- id: {id}");
        let yaml = format!("accounts:\n{}", account_at("default", &base_url, &more));
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        let seen = exporter.scrape().await;
        seen.expect(&base_url, &[("up", 1.0), ("discovery_up", 1.0)]);
        assert_eq!(seen.emails(id, "opened"), Some(1.0), "{base_url}");
    }
}

/// The sample's `createdAt` is three years later than the time in its id. The exporter uses the id.
#[tokio::test]
async fn the_published_operation_is_as_old_as_its_id() {
    let clock = Clock::manual("2023-06-15T06:20:00Z".parse().unwrap());
    let body = fixture("operation");
    let server = StubServer::start(move |_| StubResponse::json(body.clone())).await;
    let more = format!("discovery: false\noperations: [{{id: {SAMPLE}}}]");
    let account = account_at("default", &server.base_url(), &more);
    let exporter = Exporter::start_at(&format!("accounts:\n{account}"), clock).await;
    let seen = exporter.scrape().await;
    let id: OperationId = SAMPLE.parse().unwrap();
    assert_eq!(seen.emails(id, "delivered"), Some(2.0));
    let created = seen.of_operation(id, "created_timestamp_seconds");
    assert_eq!(created, Some(id.created().as_seconds()));
    assert_eq!(seen.of_operation(id, "updated_timestamp_seconds"), None);
}
