//! A real Prometheus, which scrapes the exporter every second.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::eventually;
use super::exporter::Exporter;
use super::program::Program;

/// A Prometheus that scrapes one target every second. Dropping the value stops it.
pub(crate) struct Prometheus {
    address: SocketAddr,
    client: reqwest::Client,
    program: Program,
    _directory: TempDir,
}

impl Prometheus {
    /// A Prometheus that scrapes the exporter's metrics.
    pub(crate) async fn scraping(exporter: &Exporter) -> Self {
        let target = format!("static_configs: [{{targets: ['{}']}}]", exporter.address);
        Self::with_job(exporter, &target).await
    }

    /// A Prometheus with a job of these lines.
    pub(crate) async fn with_job(exporter: &Exporter, job: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("prometheus.yml");
        let mut yaml = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: twilio-email\n"
            .to_owned();
        for line in job.lines() {
            yaml.push_str("  ");
            yaml.push_str(line);
            yaml.push('\n');
        }
        std::fs::write(&config, yaml).unwrap();
        // Prometheus reports its port only in its log, so it gets one that was free a moment ago.
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
            // The log shows the reason if the wait above fails.
            () = tokio::time::sleep(Duration::from_secs(15)) => panic!("not ready:\n{}", self.program.stderr()),
        }
    }

    /// The result of a request to its API, or its error.
    pub(crate) async fn query_api(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, String> {
        let mut url = url::Url::parse(&format!("http://{}{path}", self.address)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let response = self.client.get(url).send().await.unwrap();
        let text = response.text().await.unwrap();
        let response: Value = serde_json::from_str(&text).unwrap();
        if response["status"] == "success" {
            Ok(response["data"].clone())
        } else {
            Err(format!("{path} {query:?}: {response}"))
        }
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        self.query_api(path, query)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The only value of an instant query.
    pub(crate) async fn value(&self, query: &str) -> Option<f64> {
        let data = self.get("/api/v1/query", &[("query", query)]).await;
        let result = data["result"].as_array().unwrap();
        assert!(result.len() <= 1, "{query}: {result:#?}");
        result.first()?["value"][1].as_str()?.parse().ok()
    }

    /// Waits until a query returns this value.
    pub(crate) async fn comes_to(&self, query: &str, wanted: f64) {
        eventually(&format!("{query} is {wanted}"), || async {
            self.value(query).await == Some(wanted)
        })
        .await;
    }
}
