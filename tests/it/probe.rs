//! `/probe`: one operation, read now.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::exporter::{Exporter, account, one_account, operations};
use crate::support::exposition::Exposition;
use crate::support::promtool;
use crate::support::twilio::Twilio;

async fn probe(exporter: &Exporter, query: &str) -> Exposition {
    let response = exporter.get(&format!("/probe?{query}")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = response.text().await.unwrap();
    assert_eq!(promtool::check_metrics(text.as_bytes()), "");
    Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[tokio::test]
async fn a_probe_of_an_unknown_operation_reads_it_and_does_not_keep_it() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let seen = probe(&exporter, &format!("target={id}")).await;
    assert_eq!(seen.value("probe_success", &[]), Some(1.0));
    assert!(seen.value("probe_duration_seconds", &[]).unwrap() >= 0.0);
    assert_eq!(seen.emails(id, "delivered"), Some(7.0));
    assert_eq!(seen.of_operation(id, "up"), Some(1.0));
    assert!(seen.family("twilio_email_up").is_none());
    assert_eq!(exporter.scrape().await.emails(id, "delivered"), None);
}

#[tokio::test]
async fn a_probe_of_a_known_operation_updates_its_counters_and_has_its_labels() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 3}));
    let watched = format!("discovery: false\noperations: [{{id: {id}, labels: {{name: Sale}}}}]");
    let exporter = Exporter::start(&one_account(&twilio, &watched))
        .await
        .settled()
        .await;
    twilio.set(
        id,
        id.created(),
        "COMPLETED",
        json!({"total": 7, "delivered": 7}),
    );
    let seen = probe(&exporter, &format!("target={id}&account=default")).await;
    assert_eq!(seen.emails(id, "delivered"), Some(7.0));
    assert_eq!(
        seen.value("twilio_email_operation_info", &[("name", "Sale")]),
        Some(1.0)
    );
    let landing = exporter.get("/").await.text().await.unwrap();
    assert!(landing.contains(">7<"), "known without another collection");
    twilio.fault("all=500");
    let seen = probe(&exporter, &format!("target={id}")).await;
    assert_eq!(seen.value("probe_success", &[]), Some(0.0));
    assert_eq!(seen.of_operation(id, "up"), Some(0.0));
    assert_eq!(
        seen.emails(id, "delivered"),
        Some(7.0),
        "the last values stay"
    );
}

#[tokio::test]
async fn concurrent_probes_of_one_operation_share_one_request() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7}));
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    twilio.fault("operation=slow:500ms");
    let query = format!("target={id}");
    let probes = join_all((0..20).map(|_| probe(&exporter, &query))).await;
    for seen in probes {
        assert_eq!(seen.value("probe_success", &[]), Some(1.0));
    }
    let requests = twilio.handle.counts().operation;
    assert!(requests <= 2, "{requests}");
}

#[tokio::test]
async fn a_probe_ends_at_its_deadline_and_respects_a_pause() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7}));
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    twilio.fault("operation=hang");
    let request = exporter
        .client
        .get(exporter.url(&format!("/probe?target={id}")))
        .header("X-Prometheus-Scrape-Timeout-Seconds", "0.6");
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("\nprobe_success 0\n"), "{text}");
    twilio.handle.clear_faults();
    twilio.fault("operation=429:retry-after=60");
    let other = twilio.put(Duration::ZERO, json!({"total": 7}));
    probe(&exporter, &format!("target={other}")).await;
    let before = twilio.handle.counts().operation;
    let seen = probe(&exporter, &format!("target={other}")).await;
    assert_eq!(seen.value("probe_success", &[]), Some(0.0));
    assert_eq!(twilio.handle.counts().operation, before);
}

#[tokio::test]
async fn debug_output_has_the_request_and_response_and_no_secret() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7}));
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    let get = async |query: &str| {
        let response = exporter.get(&format!("/probe?{query}&debug=true")).await;
        response.text().await.unwrap()
    };
    let text = get(&format!("target={id}")).await;
    let requested = format!(
        "# request: GET {}/Emails/Operations/{id}\n",
        twilio.base_url()
    );
    assert!(text.contains(&requested), "{text}");
    assert!(text.contains("# result: an operation\n") && text.contains("probe_success 1"));
    twilio.fault("all=401");
    let text = get(&format!("target={id}")).await;
    assert!(text.contains("# reason: unauthorized\n"), "{text}");
    let secrets = [
        crate::support::exporter::SID,
        crate::support::exporter::TOKEN,
    ];
    assert!(secrets.iter().all(|secret| !text.contains(secret)));
}

#[tokio::test]
async fn an_invalid_probe_gets_400_and_the_reason() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7}));
    let yaml = format!(
        "accounts:\n{}{}",
        account("one", &twilio, &operations(&[id])),
        account("two", &twilio, "")
    );
    let exporter = Exporter::start(&yaml).await;
    for (query, sentence) in [
        (
            String::new(),
            "The parameter target is missing: an operation's id.\n",
        ),
        ("target=x&account=one".to_owned(), "target: "),
        (
            format!("target={id}"),
            "The parameter account is missing, and there are several: one, two.\n",
        ),
        (
            format!("target={id}&account=jane@example.com"),
            "There is no such account; there are: one, two.\n",
        ),
        (
            format!("target={id}&target={id}"),
            "The parameter target is given twice.\n",
        ),
        (
            "module=http".to_owned(),
            "Unknown parameter. Allowed: target, account, emails and debug.\n",
        ),
        (
            format!("target={id}&account=one&emails=yes"),
            "emails: write true or false.\n",
        ),
    ] {
        let response = exporter.get(&format!("/probe?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        let text = response.text().await.unwrap();
        assert!(text.starts_with(sentence), "{query}: {text}");
        assert!(!text.contains("example.com"), "{text}");
    }
}
