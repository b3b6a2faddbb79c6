//! A real Prometheus scrapes the exporter and evaluates the dashboards' queries.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::operation::OperationId;

use crate::support::dashboard::{Chosen, Dashboard, array, text};
use crate::support::exporter::{Exporter, account, one_account};
use crate::support::prometheus::Prometheus;
use crate::support::twilio::Twilio;

const NOW: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_hours(1);

/// A campaign that began after the first scrape, and its stats a moment later.
async fn campaign(twilio: &Twilio, prometheus: &Prometheus, id: OperationId) {
    let accepted = "sum(twilio_email_emails_accepted_total)";
    let begun = json!({"total": 400, "recipients": 400, "queued": 390, "sent": 10});
    twilio.set(id, id.created(), "PROCESSING", begun);
    prometheus.comes_to(accepted, 400.0).await;
    let later = json!({"total": 400, "recipients": 400, "queued": 100, "sent": 10, "delivered": 200, "opened": 60,
        "undelivered": 20, "failed": 10});
    twilio.set(id, id.created(), "PROCESSING", later);
    for (outcome, emails) in [
        ("delivered", 260.0),
        ("undelivered", 20.0),
        ("failed", 10.0),
    ] {
        let counter = format!("sum(twilio_email_email_outcomes_total{{outcome=\"{outcome}\"}})");
        prometheus.comes_to(&counter, emails).await;
    }
}

/// Panics with all queries of all dashboards that return no values.
async fn assert_all_return_values(prometheus: &Prometheus, given: &Chosen) {
    let mut faults = Vec::new();
    // Deliverability needs the collector of emails; written histories test it.
    let all = Dashboard::all().into_iter();
    for dashboard in all.filter(|it| it.file != "deliverability.json") {
        let chosen = dashboard.choice(given, prometheus).await;
        for query in dashboard.queries(&chosen) {
            // One of the two has no value: what is left, or how many times over it is spent.
            if !query.place.contains(": Error budget ") {
                faults.extend(query.fault(prometheus).await);
            }
        }
        let budget = dashboard.queries(&chosen).into_iter();
        let budget = budget.filter(|query| query.place.contains(": Error budget "));
        let mut without = Vec::new();
        for query in budget {
            without.extend(query.fault(prometheus).await);
        }
        assert!(without.len() <= 1, "{without:?}");
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[tokio::test]
async fn every_query_returns_values_with_the_default_configuration() {
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 30, "delivered": 30}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let prometheus = Prometheus::scraping(&exporter).await;
    let id = twilio.put_as(NOW, "PROCESSING", json!({"total": 0}));
    campaign(&twilio, &prometheus, id).await;
    assert_all_return_values(&prometheus, &Chosen::new()).await;
}

#[tokio::test]
async fn every_query_returns_values_with_labels_of_users() {
    let twilio = Twilio::empty().await;
    let teaser = twilio.put(2 * HOUR, json!({"total": 30, "delivered": 29, "failed": 1}));
    let spring = twilio.put(HOUR, json!({"total": 50, "delivered": 30, "opened": 20}));
    let labeled =
        |id, name: &str| format!("- id: {id}\n  labels: {{name: {name}, campaign: spring}}\n");
    let operations = labeled(teaser, "Teaser") + &labeled(spring, "Spring");
    let storage = tempfile::tempdir().unwrap();
    let storage = format!("storage: {{path: {}}}\n", storage.path().display());
    let yaml = one_account(&twilio, &format!("operations:\n{operations}")) + &storage;
    let exporter = Exporter::start(&yaml).await.settled().await;
    let prometheus = Prometheus::scraping(&exporter).await;
    let id = twilio.put_as(NOW, "PROCESSING", json!({"total": 0}));
    campaign(&twilio, &prometheus, id).await;
    let given = Chosen::from([("operation_id".to_owned(), spring.to_string())]);
    assert_all_return_values(&prometheus, &given).await;

    // Tables show names, and operations of the same campaign are next to each other.
    let operation = Dashboard::named("operation.json");
    let mut chosen = operation.choice(&given, &prometheus).await;
    let title = "Compared with the last operations of the same ${label}";
    let mut beside = Vec::new();
    for label in ["campaign", "account"] {
        chosen.insert("label".to_owned(), label.to_owned());
        let query = &operation.panel(title, &chosen)[0].expr;
        let data = prometheus.get("/api/v1/query", &[("query", query)]).await;
        let sends = array(&data["result"]).iter();
        let send = |it: &Value| {
            let part = |label: &str| text(&it["metric"][label]).to_owned();
            (part("send"), part("operation_id"))
        };
        beside.push(sends.map(send).collect::<BTreeSet<_>>());
    }
    let both = BTreeSet::from([
        ("Teaser".to_owned(), teaser.to_string()),
        ("Spring".to_owned(), spring.to_string()),
    ]);
    assert_eq!(beside, [both.clone(), both], "by campaign, by account");
}

#[tokio::test]
async fn the_status_on_the_overview_is_the_right_one() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let prometheus = Prometheus::scraping(&exporter).await;
    let overview = Dashboard::named("overview.json");
    prometheus.comes_to("twilio_email_up", 1.0).await;
    let chosen = overview.choice(&Chosen::new(), &prometheus).await;
    let word = &overview.panel("Is mail getting through?", &chosen)[0].expr;
    let [quiet, yes, partly, stuck, no, unknown] = [0.0, 1.0, 3.0, 4.0, 5.0, 6.0];
    prometheus.comes_to(word, quiet).await;
    let id = twilio.put_as(NOW, "PROCESSING", json!({"total": 2000, "queued": 2000}));
    prometheus.comes_to(word, stuck).await;
    let becomes = |delivered: u32, failed: u32| {
        let stats = json!({"total": 2000, "queued": 2000 - delivered - failed, "delivered": delivered, "failed": failed});
        twilio.set(id, id.created(), "PROCESSING", stats);
    };
    becomes(100, 2);
    prometheus.comes_to(word, yes).await;
    becomes(970, 30);
    prometheus.comes_to(word, partly).await;
    twilio.fault("500");
    prometheus.comes_to(word, unknown).await;
    twilio.handle.clear_faults();
    prometheus.comes_to(word, partly).await;
    becomes(1000, 80);
    prometheus.comes_to(word, no).await;
    // Unreadable accounts are not judged, whatever their last values were.
    twilio.fault("500");
    prometheus.comes_to("twilio_email_up", 0.0).await;
    prometheus.comes_to(word, unknown).await;
}

#[tokio::test]
async fn both_counting_modes_give_the_same_dashboard() {
    let (exclusive, cumulative) = (Twilio::empty().await, Twilio::empty().await);
    let once = json!({"total": 100, "queued": 15, "sent": 10, "delivered": 40, "opened": 25, "undelivered": 7, "failed": 3});
    let funnel = json!({"total": 100, "queued": 15, "sent": 82, "delivered": 65, "opened": 25, "undelivered": 7, "failed": 3});
    let ids = [
        exclusive.put_as(HOUR, "PROCESSING", once),
        cumulative.put_as(HOUR, "PROCESSING", funnel),
    ];
    let yaml = format!(
        "accounts:\n{}{}",
        account("once", &exclusive, "stats_reading: exclusive"),
        account("funnel", &cumulative, "stats_reading: cumulative")
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    let prometheus = Prometheus::scraping(&exporter).await;
    prometheus
        .comes_to("count(twilio_email_operation_size)", 2.0)
        .await;
    let operation = Dashboard::named("operation.json");
    for id in ids {
        let given = Chosen::from([("operation_id".to_owned(), id.to_string())]);
        let chosen = operation.choice(&given, &prometheus).await;
        let mut parts = Vec::new();
        for query in operation.panel("Progress", &chosen) {
            parts.push(prometheus.value(&query.expr).await.unwrap());
        }
        // Failed, undelivered, opened, delivered and not opened, in transit, queued, scheduled, canceled.
        assert_eq!(parts, [3.0, 7.0, 25.0, 40.0, 10.0, 15.0, 0.0, 0.0], "{id}");
    }
    let overview = Dashboard::named("overview.json");
    for name in ["once", "funnel"] {
        let given = Chosen::from([("account".to_owned(), name.to_owned())]);
        let chosen = overview.choice(&given, &prometheus).await;
        let in_flight = &overview.panel("In flight", &chosen)[0].expr;
        assert_eq!(prometheus.value(in_flight).await, Some(25.0), "{name}");
    }
}
