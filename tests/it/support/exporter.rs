//! The exporter, in this process, from a configuration file as a user writes it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use twilio_email_exporter::app::App;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::store::Store;
use twilio_email_exporter::store::disk_gate::DiskGate;
use twilio_email_exporter::timestamp::Timestamp;

use super::client::client;
use super::exposition::Exposition;
use super::twilio::Twilio;
use super::{PATIENCE, eventually};

/// The account SID and the token that tests use; made up.
pub(crate) const SID: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "made-up-token-of-the-tests";

/// A running exporter. Dropping the value stops it.
pub(crate) struct Exporter {
    pub(crate) address: SocketAddr,
    pub(crate) client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    finished: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    pub(crate) files: Files,
}

/// A configuration file and a token file in their own directory.
pub(crate) struct Files {
    pub(crate) config: PathBuf,
    directory: TempDir,
}

/// One account named `default` that reads from `twilio`, with `more` YAML of the account, one key a line.
pub(crate) fn one_account(twilio: &Twilio, more: &str) -> String {
    format!("accounts:\n{}", account("default", twilio, more))
}

/// An entry of `accounts` without a noticeable rate limit.
pub(crate) fn account(name: &str, twilio: &Twilio, more: &str) -> String {
    account_at(name, &twilio.base_url(), more)
}

/// An entry of `accounts` for the server at `base_url`.
pub(crate) fn account_at(name: &str, base_url: &str, more: &str) -> String {
    let mut yaml = format!(
        "- name: {name}\n  account_sid: {SID}\n  auth_token_file: token\n  base_url: {base_url}\n  max_requests_per_second: 100000\n"
    );
    for line in more.lines() {
        yaml.push_str("  ");
        yaml.push_str(line);
        yaml.push('\n');
    }
    yaml
}

/// The key of an account that watches these operations.
pub(crate) fn operations(ids: &[OperationId]) -> String {
    let lines: Vec<_> = ids.iter().map(|id| format!("- id: {id}")).collect();
    format!("operations:\n{}", lines.join("\n"))
}

/// Writes `yaml` and a token to files.
pub(crate) fn files(yaml: &str) -> Files {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("token"), TOKEN).unwrap();
    let config = directory.path().join("config.yml");
    std::fs::write(&config, yaml).unwrap();
    Files { config, directory }
}

impl Files {
    /// Writes or replaces a file next to the configuration.
    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.directory.path().join(name), content).unwrap();
    }

    /// Removes a file next to the configuration.
    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.directory.path().join(name)).unwrap();
    }
}

impl Exporter {
    /// An exporter of one account with discovery.
    pub(crate) async fn watching(twilio: &Twilio) -> Self {
        Self::start(&one_account(twilio, "")).await
    }

    pub(crate) async fn start(yaml: &str) -> Self {
        Self::start_at(yaml, Clock::System).await
    }

    pub(crate) async fn start_at(yaml: &str, clock: Clock) -> Self {
        Self::start_with(yaml, clock, Overrides::default()).await
    }

    /// An exporter with this file and with options of the command line.
    pub(crate) async fn start_with(yaml: &str, clock: Clock, options: Overrides) -> Self {
        Self::start_behind(DiskGate::default(), yaml, clock, options).await
    }

    /// An exporter with a store on a disk that the test can make hang.
    pub(crate) async fn start_behind(
        gate: DiskGate,
        yaml: &str,
        clock: Clock,
        options: Overrides,
    ) -> Self {
        let open = |path: Option<&Path>, now| Store::open_behind(gate, path, now).unwrap();
        Self::start_on(open, yaml, clock, options).await
    }

    /// An exporter with the store that `open` opens.
    pub(crate) async fn start_on(
        open: impl FnOnce(Option<&Path>, Timestamp) -> Store,
        yaml: &str,
        clock: Clock,
        options: Overrides,
    ) -> Self {
        let files = files(yaml);
        let mut listen = options.listen.clone();
        if listen.is_empty() {
            listen.push("127.0.0.1:0".parse().unwrap());
        }
        let overrides = Overrides {
            config_file: Some(files.config.clone()),
            listen,
            // Without a store, unless the test is about storage.
            storage_path: (!yaml.contains("storage:")).then(PathBuf::new),
            ..options
        };
        let config = Config::load(&overrides, &|_| None).unwrap_or_else(|error| panic!("{error}"));
        let load = move || Config::load(&overrides, &|_| None);
        let store = open(config.storage.path.as_deref(), clock.now());
        let app = App::bind_on(store, &config, clock, Some(Box::new(load)));
        let app = app.await.unwrap();
        let address = app.addresses()[0];
        let finished = Box::new(app.finished());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(app.run(async {
            let _ = stopped.await;
        }));
        let client = client();
        Self {
            address,
            client,
            stop: Some(stop),
            running,
            finished,
            files,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// One scrape, as Prometheus makes it. Panics unless the response is valid.
    pub(crate) async fn scrape(&self) -> Exposition {
        self.scrape_within(PATIENCE.as_secs_f64()).await
    }

    /// One scrape with this `scrape_timeout`, in seconds.
    pub(crate) async fn scrape_within(&self, seconds: f64) -> Exposition {
        let request = self
            .client
            .get(self.url("/metrics"))
            .header("X-Prometheus-Scrape-Timeout-Seconds", seconds.to_string());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        let text = response.text().await.unwrap();
        Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Waits for the collection that the exporter makes at its start.
    pub(crate) async fn settled(self) -> Self {
        eventually("ready", || async {
            self.get("/-/ready").await.status() == 200
        })
        .await;
        self
    }

    /// Waits until everything that earlier scrapes began has finished, reads of emails included.
    pub(crate) async fn idle(&self) {
        let idle = tokio::time::timeout(PATIENCE, (self.finished)()).await;
        assert!(idle.is_ok(), "a run takes longer than {PATIENCE:?}");
    }

    /// Stops as on SIGTERM.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        (&mut self.running).await?;
        Ok(())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.running.abort();
    }
}
