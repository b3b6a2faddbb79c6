//! Every way in which Twilio may write a list of emails, through the whole collector.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{
    ApiSettings, Dialect, ListKey, NamedOperation, PaginationStyle, Recipients, ScriptedEmail,
    Times, Words,
};

use super::*;

const MINUTE: Duration = Duration::from_mins(1);
/// More than one page.
const DELIVERED: usize = 1200;

async fn account(dialect: Dialect) -> (Clock, Twilio) {
    let clock = morning();
    let api = ApiSettings {
        dialect,
        ..ApiSettings::default()
    };
    let twilio = Twilio::start(SimulatorSettings::from(api), clock.clone()).await;
    (clock, twilio)
}

/// An operation with rows of many kinds; some do not name it.
fn put(twilio: &Twilio) -> OperationId {
    let id = twilio.put(MINUTE, json!({"total": 0}));
    let updated = id.created() + Duration::from_secs(5);
    let email = |status: &str| ScriptedEmail::new(status, updated);
    let mut emails = vec![email("DELIVERED"); DELIVERED];
    emails.extend(["CANCELED", "DEFERRED", "UNDELIVERED", "FAILED"].map(email));
    for at in [0, 7, DELIVERED] {
        emails[at].operation = NamedOperation::Missing;
    }
    twilio.handle.put_emails(id, emails);
    twilio.set(
        id,
        id.created(),
        "COMPLETED",
        json!({"total": DELIVERED + 4}),
    );
    id
}

async fn expect_all(scene: &Scene, what: &str) {
    let seen = scene
        .seen(what, |seen| {
            outcome(seen, "other", "delivered") == Some(DELIVERED as f64)
                && emails(seen, "other", "unknown") == Some(1.0)
        })
        .await;
    for name in ["canceled", "undelivered", "failed"] {
        assert_eq!(outcome(&seen, "other", name), Some(1.0), "{name}: {what}");
    }
    let timed = [("provider", "other")];
    let timed = seen.value("twilio_email_delivery_duration_seconds_count", &timed);
    assert_eq!(timed, Some(DELIVERED as f64), "{what}");
    let within = [("provider", "other"), ("le", "5")];
    let within = seen.value("twilio_email_delivery_duration_seconds_bucket", &within);
    assert_eq!(within, Some(DELIVERED as f64), "{what}");
    let collector = [("collector", "emails")];
    let success = seen.value("twilio_email_collector_success", &collector);
    assert_eq!(success, Some(1.0), "{what}");
    assert_eq!(
        seen.of_account("emails_foreign_rows_total"),
        Some(0.0),
        "{what}"
    );
}

fn dialects() -> Vec<Dialect> {
    let elsewhere = || "https://elsewhere.example.com".to_owned();
    let paginations = [
        PaginationStyle::Next,
        PaginationStyle::NextPageToken,
        PaginationStyle::NextUrl(elsewhere()),
        PaginationStyle::MetaUrl(elsewhere()),
        PaginationStyle::MetaToken,
        PaginationStyle::NextObject,
        PaginationStyle::TopUri,
        PaginationStyle::Links,
    ];
    let paginations = paginations.into_iter().enumerate();
    let dialects = paginations.map(|(at, pagination)| Dialect {
        list_key: [ListKey::Named, ListKey::Data][at % 2],
        recipients: [Recipients::List, Recipients::Object][at / 2 % 2],
        words: [Words::Upper, Words::Lower, Words::Title][at % 3],
        times: [Times::Seconds, Times::Millis, Times::Offset][at / 2 % 3],
        british: at % 2 == 1,
        pagination,
        ..Dialect::default()
    });
    dialects.collect()
}

#[tokio::test]
async fn every_variant_of_a_list_of_emails_is_counted_alike() {
    for dialect in dialects() {
        let what = format!("{dialect:?}");
        let (clock, twilio) = account(dialect).await;
        let scene = Scene::watching(clock, twilio, "", "").await;
        put(&scene.twilio);
        expect_all(&scene, &what).await;
    }
}

#[tokio::test]
async fn every_variant_of_an_operations_own_list_is_counted_alike() {
    for dialect in dialects().into_iter().step_by(3) {
        let what = format!("{dialect:?}");
        let (clock, twilio) = account(dialect).await;
        twilio.fault("unfiltered-emails=403");
        twilio.put(60 * MINUTE, json!({"total": 1, "failed": 1}));
        let scene = Scene::watching(clock, twilio, "", "").await;
        put(&scene.twilio);
        expect_all(&scene, &what).await;
    }
}

#[tokio::test]
async fn a_row_of_another_operation_among_those_of_the_requested_one_is_reported_and_not_counted() {
    let (clock, twilio) = quiet_account().await;
    twilio.fault("unfiltered-emails=403");
    let other = twilio.put(60 * MINUTE, json!({"total": 1, "failed": 1}));
    let scene = Scene::watching(clock, twilio, "", "").await;
    let id = scene.twilio.put(Duration::ZERO, json!({"total": 0}));
    let mut rows = vec![ScriptedEmail::new("DELIVERED", id.created()); 5];
    rows[2].operation = NamedOperation::Other(other);
    scene.twilio.handle.put_emails(id, rows);
    scene
        .twilio
        .set(id, id.created(), "COMPLETED", json!({"total": 5}));
    let seen = scene
        .seen("a foreign row", |seen| {
            seen.of_account("emails_foreign_rows_total") >= Some(1.0)
        })
        .await;
    assert_eq!(outcome(&seen, "other", "delivered"), Some(4.0));
    let collector = [("collector", "emails")];
    assert_eq!(
        seen.value("twilio_email_collector_success", &collector),
        Some(0.0)
    );
}
