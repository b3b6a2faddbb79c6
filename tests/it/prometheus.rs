//! A real Prometheus scrapes the running exporter, and its queries give the numbers that are at Twilio.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::eventually;
use crate::support::exporter::Exporter;
use crate::support::program::Program;
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

/// A Prometheus that scrapes one target every second; it ends with the value.
struct Prometheus {
    address: SocketAddr,
    client: reqwest::Client,
    program: Program,
    _directory: TempDir,
}

impl Prometheus {
    async fn scraping(exporter: &Exporter) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("prometheus.yml");
        let yaml = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: twilio-email\n  \
             static_configs: [{{targets: ['{}']}}]\n",
            exporter.address
        );
        std::fs::write(&config, yaml).unwrap();
        // Prometheus tells its port nowhere but in its log, so it is given one that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(&directory);
        let installed = Command::new("prometheus").arg("--version").output();
        assert!(
            installed.is_ok(),
            "there is no `prometheus` here; run tests/run, which installs it"
        );
        let prometheus = Self {
            address,
            client: exporter.client.clone(),
            program: Program::start(command),
            _directory: directory,
        };
        prometheus.ready().await;
        prometheus
    }

    async fn ready(&self) {
        let ready = eventually("Prometheus is ready", || async {
            let url = format!("http://{}/-/ready", self.address);
            let response = self.client.get(url).send().await;
            response.is_ok_and(|response| response.status() == 200)
        });
        tokio::select! {
            () = ready => {}
            // For the reason, should the wait above give up.
            () = tokio::time::sleep(Duration::from_secs(15)) => panic!("not ready:\n{}", self.program.stderr()),
        }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url = url::Url::parse(&format!("http://{}{path}", self.address)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let text = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["status"], "success", "{path} {query:?}: {answer}");
        answer["data"].clone()
    }

    /// The only value of an instant query.
    async fn value(&self, query: &str) -> Option<f64> {
        let data = self.get("/api/v1/query", &[("query", query)]).await;
        let result = data["result"].as_array().unwrap();
        assert!(result.len() <= 1, "{query}: {result:#?}");
        result.first()?["value"][1].as_str()?.parse().ok()
    }

    /// Waits until a query gives this value.
    async fn comes_to(&self, query: &str, wanted: f64) {
        eventually(&format!("{query} is {wanted}"), || async {
            self.value(query).await == Some(wanted)
        })
        .await;
    }
}

#[tokio::test]
async fn prometheus_sees_what_is_at_twilio() {
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

    // A Twilio that is gone, or hangs, is a figure; the scrape itself goes well.
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
