//! A real Prometheus scrapes the running exporter, and its queries give the numbers that are at Twilio.

use std::time::Duration;

use serde_json::json;

use crate::support::exporter::Exporter;
use crate::support::prometheus::Prometheus;
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn queries_in_prometheus_return_the_stats_at_twilio() {
    let mut twilio = Twilio::empty().await;
    let stats = json!({"total": 10, "queued": 3, "delivered": 5, "opened": 1, "undelivered": 1});
    let spring = twilio.put_as(HOUR, "PROCESSING", stats);
    twilio.put(2 * HOUR, json!({"total": 4, "delivered": 4}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let prometheus = Prometheus::scraping(&exporter).await;
    prometheus.comes_to("up", 1.0).await;
    prometheus.comes_to("twilio_email_up", 1.0).await;
    let of_spring = |status: &str| {
        format!("twilio_email_operation_emails{{operation_id=\"{spring}\",status=\"{status}\"}}")
    };
    for (status, emails, all) in [
        ("queued", 3.0, 3.0),
        ("delivered", 5.0, 9.0),
        ("opened", 1.0, 1.0),
        ("undelivered", 1.0, 1.0),
        ("canceled", 0.0, 0.0),
    ] {
        assert_eq!(
            prometheus.value(&of_spring(status)).await,
            Some(emails),
            "{status}"
        );
        let sum = format!("sum by (status) (twilio_email_operation_emails{{status=\"{status}\"}})");
        assert_eq!(prometheus.value(&sum).await, Some(all), "{sum}");
        let account = format!("twilio_email_emails{{account=\"default\",status=\"{status}\"}}");
        assert_eq!(prometheus.value(&account).await, Some(all), "{account}");
    }
    let sizes = "sum(twilio_email_operation_size)";
    assert_eq!(prometheus.value(sizes).await, Some(14.0), "{sizes}");
    let target = &prometheus.get("/api/v1/targets", &[]).await["activeTargets"][0];
    assert_eq!(
        (&target["health"], &target["lastError"]),
        (&json!("up"), &json!(""))
    );
    let metadata = prometheus
        .get(
            "/api/v1/metadata",
            &[("metric", "twilio_email_operation_emails")],
        )
        .await;
    assert_eq!(
        metadata["twilio_email_operation_emails"][0]["type"],
        "gauge"
    );

    // A change at Twilio arrives with a scrape.
    let stats = json!({"total": 10, "delivered": 6, "opened": 3, "undelivered": 1});
    twilio.set(spring, spring.created(), "COMPLETED", stats);
    prometheus.comes_to(&of_spring("opened"), 3.0).await;
    assert_eq!(prometheus.value(&of_spring("queued")).await, Some(0.0));
    assert_eq!(
        prometheus
            .value("count(twilio_email_operation_state{state=\"completed\"} == 1)")
            .await,
        Some(2.0)
    );

    // A Twilio that is unreachable or hangs is the value of a metric; the scrape succeeds.
    twilio.vanish().await;
    prometheus.comes_to("twilio_email_up", 0.0).await;
    prometheus
        .comes_to("max(twilio_email_operation_up)", 0.0)
        .await;
    assert_eq!(prometheus.value("up").await, Some(1.0));
    assert_eq!(
        prometheus.value(sizes).await,
        Some(14.0),
        "what was known stays"
    );
    let failed = "sum(twilio_email_api_request_failures_total{reason=\"connect\"}) > 0";
    assert!(prometheus.value(failed).await.is_some(), "{failed}");
    twilio.come_back().await;
    prometheus.comes_to("twilio_email_up", 1.0).await;
    prometheus
        .comes_to("min(twilio_email_operation_up)", 1.0)
        .await;
    twilio.fault("list=hang:times=1");
    prometheus
        .comes_to("twilio_email_collection_complete", 0.0)
        .await;
    assert_eq!(prometheus.value("up").await, Some(1.0));
    assert_eq!(prometheus.value(&of_spring("opened")).await, Some(3.0));
    exporter.stop().await.unwrap();
    prometheus.comes_to("up", 0.0).await;
}
