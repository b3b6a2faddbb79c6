//! Registrations and their removal.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{SimulatorSettings, operation_id};

use super::{OPERATIONS, delete, get, post, request, start, start_at};
use crate::support::exporter::{Exporter, account, one_account, operations};
use crate::support::scene::{ZERO_FOR, morning, pass};
use crate::support::twilio::Twilio;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_registered_operation_is_in_the_next_scrape_until_its_registration_is_removed() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let yaml = one_account(&twilio, "discovery: false") + "series: {aggregate_by: [campaign]}\n";
    let exporter = start_at(&yaml, clock.clone()).await.settled().await;
    let id = twilio.put(
        Duration::ZERO,
        json!({"total": 7, "delivered": 5, "failed": 2}),
    );
    let body = json!({"id": id.to_string(), "labels": {"campaign": "spring"}});
    let response = post(&exporter, &body).await;
    assert_eq!(
        (response.status, &response.body["result"]),
        (201, &json!("created"))
    );
    assert_eq!(response.headers["location"], format!("{OPERATIONS}/{id}"));
    let again = post(&exporter, &body).await;
    assert_eq!(
        (again.status, &again.body["result"]),
        (200, &json!("unchanged"))
    );
    let seen = exporter.scrape().await;
    assert_eq!(seen.emails(id, "failed"), Some(2.0));
    assert_eq!(
        seen.value("twilio_email_operation_info", &[("campaign", "spring")]),
        Some(1.0)
    );
    let group = [("value", "spring"), ("outcome", "failed")];
    let by_label = "twilio_email_email_outcomes_by_label_total";
    assert_eq!(seen.value(by_label, &group), Some(0.0), "a new series");
    pass(&clock, ZERO_FOR);
    let seen = exporter.scrape().await;
    assert_eq!(seen.value(by_label, &group), Some(2.0));

    let shown = get(&exporter, &format!("{OPERATIONS}/{id}")).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.body["emails"]["delivered"], 5);
    assert_eq!(
        (&shown.body["size"], &shown.body["up"]),
        (&json!(7), &json!(true))
    );
    assert_eq!(shown.body["sources"], json!(["api"]));
    assert_eq!(shown.body["state"], "completed");

    let other = json!({"id": id.to_string(), "labels": {"campaign": "autumn"}});
    let changed = post(&exporter, &other).await;
    assert_eq!(
        (changed.status, &changed.body["result"]),
        (200, &json!("updated"))
    );

    let gone = delete(&exporter, id).await;
    assert_eq!(gone.status, 200);
    assert_eq!(
        (&gone.body["watched"], &gone.body["sources"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(delete(&exporter, id).await.status, 404);
    assert_eq!(
        get(&exporter, &format!("{OPERATIONS}/{id}")).await.status,
        404
    );
    let seen = exporter.scrape().await;
    assert_eq!(seen.emails(id, "failed"), None);
    let accepted = "twilio_email_emails_accepted_total";
    assert_eq!(
        seen.value(accepted, &[]),
        Some(7.0),
        "what it gave to the counters stays"
    );
}

#[tokio::test]
async fn twilios_response_to_a_send_can_be_forwarded() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "discovery: false"))
        .await
        .settled()
        .await;
    let sent = exporter
        .client
        .post(format!("{}/Emails", twilio.base_url()))
        .basic_auth("AC00000000000000000000000000000000", Some("x"))
        .header("content-type", "application/json")
        .body(json!({"from": {"address": "us@example.com"}, "to": [{"address": "jane@example.com"}], "content": {"subject": "Hi"}}).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 202);
    let text = sent.text().await.unwrap();
    let response = request(&exporter, Method::POST, OPERATIONS, Some(text.clone())).await;
    assert_eq!(response.status, 201);
    let id: OperationId = response.body["id"].as_str().unwrap().parse().unwrap();
    assert!(text.contains(&id.to_string()));
    assert_eq!(exporter.scrape().await.of_operation(id, "up"), Some(1.0));
}

#[tokio::test]
async fn a_list_has_a_result_for_each_operation() {
    let twilio = Twilio::empty().await;
    let yaml = format!(
        "accounts:\n{}{}",
        account("one", &twilio, "discovery: false"),
        account("two", &twilio, "discovery: false")
    );
    let exporter = start(&yaml).await;
    let ids = [0, 1, 2].map(|_| twilio.put(Duration::ZERO, json!({"total": 1})).to_string());
    let old = operation_id(twilio.handle.now() - 8 * DAY, 1).to_string();
    let both = json!([{"id": ids[0], "account": "one"}, {"id": ids[1], "account": "two"}]);
    assert_eq!(post(&exporter, &both).await.status, 201, "all are new");
    assert_eq!(post(&exporter, &both).await.status, 200, "none is");
    assert_eq!(post(&exporter, &json!([])).await.status, 200);
    let response = post(
        &exporter,
        &json!([
            {"id": ids[0], "account": "one"},
            {"id": ids[2], "account": "one"},
            {"id": ids[2], "account": "three"},
            {"id": ids[2]},
            {"id": "jane@example.com", "account": "one"},
            {"id": old, "account": "one"},
            {"operationId": ids[2], "account": "one", "labels": {"team": "mail"}},
        ]),
    )
    .await;
    assert_eq!(response.status, 207);
    let results = response.body["results"].as_array().unwrap();
    let became: Vec<_> = results
        .iter()
        .map(|each| {
            (
                each["status"].as_u64().unwrap(),
                each["result"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        (200, "unchanged"),
        (201, "created"),
        (404, "invalid"),
        (409, "invalid"),
        (400, "invalid"),
        (409, "expired"),
        (200, "updated"),
    ];
    assert_eq!(became, expected, "{results:#?}");
    assert_eq!(results[4]["errors"][0]["place"], "[4].id");
    assert!(
        !response.body.to_string().contains("example.com"),
        "{}",
        response.body
    );
    // The query may name the account of operations that name none.
    let path = format!("{OPERATIONS}?account=two");
    let body = json!({"operationId": ids[2]}).to_string();
    let response = request(&exporter, Method::POST, &path, Some(body)).await;
    assert_eq!(
        (response.status, &response.body["account"]),
        (201, &json!("two"))
    );
    let gone = delete(&exporter, &ids[2]).await;
    let wherever = json!(["one", "two"]);
    assert_eq!(
        gone.body["accounts"], wherever,
        "wherever it was registered"
    );
    let gone = delete(&exporter, format!("{}?account=two", ids[1])).await;
    assert_eq!(gone.body["accounts"], json!(["two"]));
    let other = delete(&exporter, format!("{}?account=two", ids[0])).await;
    assert_eq!(other.status, 404, "it was registered in the other account");
}

#[tokio::test]
async fn an_operation_that_other_sources_list_keeps_its_series() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7}));
    let watched = format!("discovery: false\n{}", operations(&[id]));
    let exporter = start(&one_account(&twilio, &watched)).await.settled().await;
    assert_eq!(
        delete(&exporter, id).await.status,
        404,
        "it was not registered"
    );
    assert_eq!(
        post(&exporter, &json!({"id": id.to_string()})).await.status,
        201
    );
    let shown = get(&exporter, &format!("{OPERATIONS}/{id}")).await;
    assert_eq!(shown.body["sources"], json!(["configuration", "api"]));
    let gone = delete(&exporter, id).await;
    assert_eq!(gone.body["watched"], true);
    assert_eq!(gone.body["sources"], json!(["configuration"]));
    assert_eq!(exporter.scrape().await.of_operation(id, "size"), Some(7.0));
}

#[tokio::test]
async fn an_invalid_request_gets_a_problem_document() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "discovery: false")).await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7})).to_string();
    let old = operation_id(twilio.handle.now() - 8 * DAY, 1).to_string();
    let labels: serde_json::Map<_, _> = (0..17).map(|n| (format!("l{n}"), json!("x"))).collect();
    for (body, status) in [
        (String::new(), 400),
        ("{".to_owned(), 400),
        ("null".to_owned(), 400),
        (json!({"id": id, "campaign": "spring"}).to_string(), 400),
        (json!({"id": id, "labels": labels}).to_string(), 400),
        (
            json!({"id": id, "labels": {"a": "v".repeat(257)}}).to_string(),
            400,
        ),
        (json!({"id": id, "account": "other"}).to_string(), 404),
        (json!({"id": old}).to_string(), 409),
        (" ".repeat(4 * 1024 * 1024 + 1), 413),
        (format!("[{}0]", "0,".repeat(10_000)), 400),
        ("[".repeat(100_000), 400),
    ] {
        let response = request(&exporter, Method::POST, OPERATIONS, Some(body)).await;
        assert_eq!(response.status, status, "{}", response.body);
    }
    // A send request instead of Twilio's response: it contains an email, and the problem repeats none of it.
    let send = json!({"to": [{"address": "jane@example.com"}], "content": {"subject": "s3cret"}});
    let response = post(&exporter, &send).await;
    assert_eq!(response.status, 400);
    let text = response.body.to_string();
    assert!(
        !text.contains("example.com") && !text.contains("s3cret"),
        "{text}"
    );
    for media in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = exporter.client.post(exporter.url(OPERATIONS));
        let request = request
            .header("content-type", media)
            .body(json!({"id": id}).to_string());
        assert_eq!(request.send().await.unwrap().status(), 415, "{media}");
    }
    for (method, path, status) in [
        (Method::PUT, OPERATIONS.to_owned(), 405),
        (Method::POST, format!("{OPERATIONS}/{id}"), 405),
        (Method::DELETE, OPERATIONS.to_owned(), 405),
        (Method::GET, format!("{OPERATIONS}/x"), 400),
        (Method::GET, format!("{OPERATIONS}/%ff"), 400),
        (Method::GET, format!("{OPERATIONS}/{id}"), 404),
        (Method::GET, format!("{OPERATIONS}/{id}?account=x"), 404),
        (Method::DELETE, format!("{OPERATIONS}/{id}"), 404),
        (Method::DELETE, format!("{OPERATIONS}/{id}?acount=x"), 400),
        (Method::GET, "/api/v2/operations".to_owned(), 404),
    ] {
        let response = request(&exporter, method, &path, None).await;
        assert_eq!(response.status, status, "{path}: {}", response.body);
        assert_eq!(
            response.headers.contains_key("allow"),
            status == 405,
            "{path}"
        );
    }
    assert_eq!(
        twilio.handle.counts().operation,
        0,
        "nothing of it was watched"
    );
}

#[tokio::test]
async fn the_api_is_off_by_default() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    for path in ["/api", OPERATIONS, "/api/v1/openapi.json"] {
        let response = get(&exporter, path).await;
        assert_eq!(response.status, 403, "{path}");
        let detail = response.body["detail"].as_str().unwrap();
        assert!(detail.contains("--web.enable-api"), "{detail}");
    }
    let id = twilio.put(Duration::ZERO, json!({"total": 7})).to_string();
    assert_eq!(post(&exporter, &json!({"id": id})).await.status, 403);
}
