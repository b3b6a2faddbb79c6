//! `/sd`: operations as targets, and real Prometheus servers that divide them among themselves.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::exporter::{Exporter, account, one_account, operations};
use crate::support::prometheus::Prometheus;
use crate::support::twilio::Twilio;

const REFRESH: &str = "X-Prometheus-Refresh-Interval-Seconds";
/// Operations that two servers shard.
const OPERATIONS: usize = 24;

async fn targets(exporter: &Exporter, query: &str) -> Vec<Value> {
    let response = exporter.get(&format!("/sd{query}")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()[REFRESH], "60");
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn each_operation_with_series_is_a_target_with_its_labels() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let labels = format!("operations: [{{id: {id}, labels: {{campaign: spring, secret: x}}}}]");
    let yaml = format!(
        "accounts:\n{}{}series: {{labels: [campaign]}}\n",
        account("one", &twilio, &format!("discovery: false\n{labels}")),
        account("two", &Twilio::empty().await, "discovery: false"),
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    let created = id.created().as_seconds();
    let expected = json!([{
        "targets": [id.to_string()],
        "labels": {
            "__meta_twilio_email_account": "one",
            "__meta_twilio_email_operation_id": id.to_string(),
            "__meta_twilio_email_state": "completed",
            "__meta_twilio_email_size": "7",
            "__meta_twilio_email_label_campaign": "spring",
        },
    }]);
    let mut found = targets(&exporter, "").await;
    let labels = found[0]["labels"].as_object_mut().unwrap();
    for (name, time) in [("created", created), ("expires", created + 604_800.0)] {
        let name = format!("__meta_twilio_email_{name}_timestamp_seconds");
        let value: f64 = labels
            .remove(&name)
            .unwrap()
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((value - time).abs() < 1.0, "{name}: {value}, not {time}");
    }
    assert_eq!(json!(found), expected);
    assert_eq!(targets(&exporter, "?account=one").await.len(), 1);
    assert!(targets(&exporter, "?account=two").await.is_empty());
    for query in [
        "?acount=one",
        "?account=one&account=two",
        "?account=jane@example.com",
    ] {
        let response = exporter.get(&format!("/sd{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        assert!(!response.text().await.unwrap().contains("example.com"));
    }
}

#[tokio::test]
async fn service_discovery_returns_503_until_the_operations_are_known() {
    let twilio = Twilio::empty().await;
    twilio.fault("all=hang");
    let exporter = Exporter::watching(&twilio).await;
    let request = exporter
        .client
        .get(exporter.url("/sd"))
        .header(REFRESH, "0.2");
    assert_eq!(request.send().await.unwrap().status(), 503);
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    assert!(targets(&exporter, "").await.is_empty());
}

#[tokio::test]
async fn a_request_for_targets_discovers_new_operations_without_a_scrape() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7})).to_string();
    assert!(
        targets(&exporter, "").await.is_empty(),
        "the last collection was just now"
    );
    eventually("it is found", || async {
        let request = exporter
            .client
            .get(exporter.url("/sd"))
            .header(REFRESH, "0.1");
        let text = request.send().await.unwrap().text().await.unwrap();
        text.contains(&id)
    })
    .await;
}

/// A job that finds operations through `/sd` and probes its share of them.
fn job(exporter: &Exporter, relabel: &str) -> String {
    format!(
        "metrics_path: /probe\n\
         http_sd_configs: [{{url: 'http://{address}/sd', refresh_interval: 1s}}]\n\
         relabel_configs:\n{relabel}\
         - {{source_labels: [__address__], target_label: __param_target}}\n\
         - {{source_labels: [__meta_twilio_email_account], target_label: __param_account}}\n\
         - {{source_labels: [__param_target], target_label: instance}}\n\
         - {{target_label: __address__, replacement: '{address}'}}\n",
        address = exporter.address
    )
}

#[tokio::test]
async fn prometheus_servers_that_shard_operations_by_hashmod_scrape_each_of_them_once() {
    let twilio = Twilio::empty().await;
    let put = |n: usize| twilio.put(Duration::ZERO, json!({"total": n + 1, "delivered": n + 1}));
    let ids: Vec<_> = (0..OPERATIONS).map(put).collect();
    let yaml = one_account(&twilio, &format!("discovery: false\n{}", operations(&ids)));
    let exporter = Exporter::start(&yaml).await.settled().await;
    let share = |shard: usize| {
        let relabel = format!(
            "- {{source_labels: [__address__], modulus: 2, target_label: __tmp_hash, action: hashmod}}\n\
             - {{source_labels: [__tmp_hash], regex: '{shard}', action: keep}}\n"
        );
        job(&exporter, &relabel)
    };
    let jobs = [job(&exporter, ""), share(0), share(1)];
    let (whole, even, odd) = tokio::join!(
        Prometheus::with_job(&exporter, &jobs[0]),
        Prometheus::with_job(&exporter, &jobs[1]),
        Prometheus::with_job(&exporter, &jobs[2]),
    );
    let all: f64 = (1..=OPERATIONS).map(|size| size as f64).sum();
    whole
        .comes_to("sum(twilio_email_operation_size)", all)
        .await;
    // On a busy machine, one of many probes a second may take too long.
    whole
        .comes_to(
            "count(max_over_time(probe_success[1m]) == 1)",
            OPERATIONS as f64,
        )
        .await;
    assert_eq!(whole.value("min(max_over_time(up[1m]))").await, Some(1.0));
    let id = ids[4].to_string();
    let one = format!(
        "max_over_time(twilio_email_operation_emails{{instance=\"{id}\",status=\"delivered\"}}[1m])"
    );
    assert_eq!(whole.value(&one).await, Some(5.0));

    let seen = async |server: &Prometheus| {
        let data = server
            .get(
                "/api/v1/query",
                &[("query", "max_over_time(probe_success[1m]) == 1")],
            )
            .await;
        let result = data["result"].as_array().unwrap().iter();
        let mut seen: Vec<String> = result
            .map(|each| each["metric"]["instance"].as_str().unwrap().to_owned())
            .collect();
        seen.sort();
        seen
    };
    let mut wanted: Vec<String> = ids.iter().map(ToString::to_string).collect();
    wanted.sort();
    let together = async || {
        let (first, second) = (seen(&even).await, seen(&odd).await);
        assert!(
            first.iter().all(|id| !second.contains(id)),
            "one is seen twice"
        );
        let mut all = [first.clone(), second.clone()].concat();
        all.sort();
        (!first.is_empty() && !second.is_empty()).then_some(all)
    };
    eventually("together they see all of them", || async {
        together().await.as_ref() == Some(&wanted)
    })
    .await;
    assert_eq!(seen(&whole).await, wanted);
}
