//! Every form of responses that Twilio's documents or live accounts have. All of them mean the same.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use twilio_email_exporter::operation::{CountingMode, OperationId};
use twilio_email_exporter::simulator::{
    ApiSettings, Dialect, ErrorShape, ListKey, PaginationStyle, SimulatorSettings, Times, Words,
    WorldSettings,
};

use crate::support::exporter::{Exporter, account_at, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::morning;
use crate::support::stub_server::{StubResponse, StubServer};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

/// The values of a scrape of an account with 2,100 operations in this dialect: three pages, with some active operations.
async fn shown(dialect: Dialect) -> BTreeMap<String, f64> {
    let clock = morning();
    let settings = SimulatorSettings {
        world: WorldSettings {
            operations: 2100,
            active: 3,
            ..WorldSettings::empty()
        },
        api: ApiSettings {
            dialect,
            ..ApiSettings::default()
        },
    };
    let twilio = Twilio::start(settings, clock.clone()).await;
    let yaml = one_account(&twilio, "") + "series: {max_operations: 20}\n";
    let exporter = Exporter::start_at(&yaml, clock).await;
    let seen = exporter.scrape().await;
    let health = [
        ("up", 1.0),
        ("discovery_up", 1.0),
        ("collection_complete", 1.0),
        ("operations_without_series", 2080.0),
    ];
    seen.expect("in any dialect", &health);
    assert!(seen.failures().is_empty(), "{:?}", seen.failures());
    let families = seen.families.iter().filter(|family| {
        let name = family.name.trim_start_matches("twilio_email_");
        ["operation", "emails", "stats"]
            .iter()
            .any(|start| name.starts_with(start))
    });
    families
        .flat_map(|family| &family.samples)
        .map(|sample| (format!("{}{:?}", sample.name, sample.labels), sample.value))
        .collect()
}

#[tokio::test]
async fn every_documented_form_of_responses_gives_the_same_series() {
    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", foreign.local_addr().unwrap());
    let wanted = shown(Dialect::default()).await;
    assert!(wanted.len() > 250, "only {} samples", wanted.len());
    let dialects = [
        Dialect {
            list_key: ListKey::Data,
            ..Dialect::default()
        },
        Dialect {
            pagination: PaginationStyle::NextPageToken,
            ..Dialect::default()
        },
        Dialect {
            pagination: PaginationStyle::NextUrl(origin),
            ..Dialect::default()
        },
        Dialect {
            pagination: PaginationStyle::NextUrl(String::new()),
            ..Dialect::default()
        },
        Dialect {
            words: Words::Lower,
            british: true,
            ..Dialect::default()
        },
        Dialect {
            words: Words::Title,
            times: Times::Millis,
            ..Dialect::default()
        },
        Dialect {
            times: Times::Offset,
            errors: ErrorShape::Flat,
            ..Dialect::default()
        },
    ];
    for dialect in dialects {
        let said = format!("{dialect:?}");
        let found = shown(dialect).await;
        let names = |samples: &BTreeMap<String, f64>| samples.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&wanted), "{said}");
        for (series, value) in &found {
            // A dialect with fractions has more precise times.
            let tolerance = if series.contains("timestamp") {
                1.0
            } else {
                1e-9
            };
            let difference = value - wanted[series];
            assert!(
                difference.abs() < tolerance,
                "{series}: {value}, wanted {}; {said}",
                wanted[series]
            );
        }
    }
    // No request went to the other origin, to which a page linked.
    let knock = tokio::time::timeout(Duration::from_millis(50), foreign.accept()).await;
    assert!(knock.is_err(), "a request to a foreign origin: {knock:?}");
}

#[tokio::test]
async fn both_counting_modes_give_the_same_counters_for_the_same_emails() {
    for (reading, word) in [
        (CountingMode::Exclusive, "exclusive"),
        (CountingMode::Cumulative, "cumulative"),
    ] {
        let clock = morning();
        let settings = SimulatorSettings {
            world: WorldSettings {
                operations: 40,
                active: 10,
                ..WorldSettings::empty()
            },
            api: ApiSettings {
                reading,
                ..ApiSettings::default()
            },
        };
        let twilio = Twilio::start(settings, clock.clone()).await;
        let exporter = Exporter::start_at(&one_account(&twilio, ""), clock).await;
        let seen = exporter.scrape().await;
        let found = seen.value("twilio_email_stats_reading", &[("reading", word)]);
        assert_eq!(found, Some(1.0), "{word}");
    }
}

/// A scrape of an account that has only `operation`, sent unchanged.
pub(crate) async fn only(operation: Value) -> Exposition {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    twilio.handle.put(operation);
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock).await;
    exporter.scrape().await
}

pub(crate) fn an_hour_old() -> OperationId {
    twilio_email_exporter::simulator::operation_id(morning().now() - HOUR, 7)
}

#[tokio::test]
async fn states_are_parsed_in_any_case_and_undocumented_ones_are_exposed_unchanged() {
    for (word, state) in [
        ("SCHEDULED", "scheduled"),
        ("processing", "processing"),
        ("Completed", "completed"),
        ("CANCELED", "canceled"),
        ("CANCELLED", "canceled"),
        ("cancelled", "canceled"),
        ("ON_HOLD", "ON_HOLD"),
        ("paused", "paused"),
        (" processing ", "processing"),
        ("jane@example.com", "unreadable"),
        ("Jane Doe", "unreadable"),
    ] {
        let seen =
            only(json!({"id": an_hour_old().to_string(), "status": word, "stats": {"total": 1}}))
                .await;
        let states = seen.samples("twilio_email_operation_state");
        let on: Vec<_> = states.iter().filter(|sample| sample.value > 0.0).collect();
        assert_eq!(on.len(), 1, "{word}: {states:?}");
        assert_eq!(on[0].labels["state"], state, "{word}");
        let operations = seen.value("twilio_email_operations", &[("state", state)]);
        assert_eq!(operations, Some(1.0), "{word}");
    }
}

#[tokio::test]
async fn stats_are_parsed_in_any_spelling_and_undocumented_ones_affect_no_others() {
    let id = an_hour_old();
    let stats = json!({
        "total": "120", "delivered": 3.0, "failed": null, "queued": 1e2, "Cancelled": 4, "soft_bounced": 5, "RECIPIENTS": 11,
        "detail": {"a": 1}, "rate": 1.9, "huge": 1e30, "below": -2, "note": "many", "99999": 7,
    });
    let seen = only(json!({"id": id.to_string(), "status": "COMPLETED", "stats": stats})).await;
    for (status, emails) in [
        ("delivered", 3.0),
        ("failed", 0.0),
        ("sent", 0.0),
        ("queued", 100.0),
        ("canceled", 4.0),
        ("soft_bounced", 5.0),
        ("99999", 7.0),
    ] {
        assert_eq!(seen.emails(id, status), Some(emails), "{status}");
    }
    assert_eq!(seen.of_operation(id, "size"), Some(120.0));
    assert_eq!(seen.of_operation(id, "recipients"), Some(11.0));
    assert_eq!(
        seen.of_operation(id, "attempts"),
        None,
        "not given, not shown"
    );
    for status in ["detail", "rate", "huge", "below", "note"] {
        assert_eq!(seen.emails(id, status), None, "{status} is no count");
    }
    let odd = "twilio_email_api_unexpected_values_total";
    assert_eq!(seen.value(odd, &[("field", "stats")]), Some(3.0));
    seen.expect("odd stats", &[("up", 1.0), ("collection_complete", 1.0)]);
}

#[tokio::test]
async fn times_are_parsed_with_offsets_and_fractions() {
    let id = an_hour_old();
    let created = id.created().as_seconds();
    for (written, shown) in [
        (json!("2026-04-05T05:20:00Z"), created),
        (json!("2026-04-05T07:20:00.25+02:00"), created + 0.25),
        (json!("2026-04-04T23:20:00.123456-06:00"), created + 0.123),
        (json!("2026-04-05T05:20:00z"), created),
        (json!(null), created),
    ] {
        let seen = only(
            json!({"id": id.to_string(), "status": "COMPLETED", "stats": {"total": 1}, "createdAt": written}),
        )
        .await;
        let found = seen.of_operation(id, "created_timestamp_seconds");
        assert_eq!(found, Some(shown), "{written}");
        let expires = seen.of_operation(id, "expires_timestamp_seconds");
        assert_eq!(expires, Some(shown + 604_800.0), "{written}");
        assert_eq!(seen.of_operation(id, "updated_timestamp_seconds"), None);
    }
}

#[tokio::test]
async fn a_row_that_is_not_an_operation_is_skipped_and_counted() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    twilio
        .handle
        .put(json!({"id": "not an id", "status": "COMPLETED"}));
    twilio
        .handle
        .put(json!({"status": "COMPLETED", "stats": {"total": 1}}));
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock).await;
    let seen = exporter.scrape().await;
    assert_eq!(seen.emails(id, "opened"), Some(1.0));
    assert_eq!(seen.samples("twilio_email_operation_up").len(), 1);
    seen.expect(
        "with bad rows",
        &[
            ("up", 1.0),
            ("discovery_up", 1.0),
            ("collection_complete", 0.0),
        ],
    );
    let key = ("operations".to_owned(), "invalid_response".to_owned());
    assert_eq!(seen.failures().get(&key), Some(&1.0));
}

#[tokio::test]
async fn a_response_with_another_operation_is_a_failure() {
    let id = an_hour_old();
    let other = twilio_email_exporter::simulator::operation_id(id.created(), 8);
    let body =
        json!({"id": other.to_string(), "status": "COMPLETED", "stats": {"total": 9}}).to_string();
    let server = StubServer::start(move |_| StubResponse::json(body.clone())).await;
    let seen = watching(&server, id, "discovery: false").await;
    assert_eq!(seen.of_operation(id, "up"), Some(0.0));
    assert_eq!(seen.of_operation(id, "size"), None);
    assert_eq!(
        seen.samples("twilio_email_operation_up").len(),
        1,
        "nothing unasked-for"
    );
}

/// A scrape of an exporter with the configured operation `id` at `server`.
pub(crate) async fn watching(server: &StubServer, id: OperationId, more: &str) -> Exposition {
    let more = format!("operations:\n- id: {id}\n{more}");
    let yaml = format!(
        "accounts:\n{}",
        account_at("default", &server.base_url(), &more)
    );
    let exporter = Exporter::start_at(&yaml, morning()).await.settled().await;
    exporter.scrape().await
}
