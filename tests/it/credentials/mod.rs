//! Credentials: access tokens that are fetched and renewed, and secrets that change while the exporter runs.

mod backoff;
mod rotation;
mod sharing;
mod token_failures;
mod tokens;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{ApiSettings, BasicLogin, SimulatorSettings};

use crate::support::client::client;
use crate::support::eventually;
use crate::support::exporter::{Exporter, operations};
use crate::support::exposition::Exposition;
use crate::support::program::{Program, command};
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::twilio::Twilio;

/// The made-up OAuth client of the tests.
const CLIENT: &str = "OQ0123456789abcdef0123456789abcdef";
const SECRET: &str = "made-up-secret-of-a-client";

/// A directory for secrets that the test changes.
struct Secrets(TempDir);

impl Secrets {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a secret with a line break at its end, as editors do. Returns the path.
    fn write(&self, name: &str, secret: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, format!("{secret}\n")).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// An entry of `accounts` with tokens from `token_url` and `more` YAML, one key per line.
fn oauth_account(name: &str, base_url: &str, token_url: &str, secret: &Path, more: &str) -> String {
    let secret = secret.display();
    let mut yaml = format!(
        "- name: {name}\n  oauth: {{client_id: {CLIENT}, client_secret_file: {secret}, token_url: '{token_url}'}}\n  \
         base_url: {base_url}\n  max_requests_per_second: 100000\n"
    );
    for line in more.lines() {
        yaml.push_str("  ");
        yaml.push_str(line);
        yaml.push('\n');
    }
    yaml
}

/// The token endpoint of a simulated Twilio.
fn token_url(twilio: &Twilio) -> String {
    format!("http://{}/v2/token", twilio.address)
}

/// An account of an OAuth client with a few operations, and a clock that the test sets.
struct Scene {
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
    ids: Vec<OperationId>,
    _secrets: Secrets,
}

impl Scene {
    async fn new(more: &str) -> Self {
        Self::with(ApiSettings::default(), more).await
    }

    async fn with(settings: ApiSettings, more: &str) -> Self {
        Self::prepared(settings, more, |_| {}).await
    }

    /// Calls `prepare` before the exporter starts.
    async fn prepared(settings: ApiSettings, more: &str, prepare: impl FnOnce(&Twilio)) -> Self {
        let clock = morning();
        let settings = ApiSettings {
            clients: vec![BasicLogin::new(CLIENT, SECRET)],
            ..settings
        };
        let twilio = Twilio::start(settings, clock.clone()).await;
        let put = |age| twilio.put(Duration::from_mins(age), json!({"total": 1, "opened": 1}));
        let mut ids: Vec<_> = (1..=8).map(put).collect();
        ids.sort();
        prepare(&twilio);
        let secrets = Secrets::new();
        let secret = secrets.write("client", SECRET);
        let more = format!("{more}\n{}", operations(&ids));
        let account = oauth_account(
            "default",
            &twilio.base_url(),
            &token_url(&twilio),
            &secret,
            &more,
        );
        let exporter = Exporter::start_at(&format!("accounts:\n{account}"), clock.clone()).await;
        Self {
            exporter: exporter.settled().await,
            clock,
            twilio,
            ids,
            _secrets: secrets,
        }
    }

    /// A scrape after the usual interval.
    async fn next(&self) -> Exposition {
        self.after(INTERVAL).await
    }

    async fn after(&self, span: Duration) -> Exposition {
        pass(&self.clock, span);
        self.exporter.scrape().await
    }

    /// The number of requests for tokens, and of all others.
    fn requests(&self) -> (u64, u64) {
        let counts = self.twilio.handle.counts();
        (counts.token, counts.total - counts.token)
    }

    /// The account is up and every operation was read.
    #[track_caller]
    fn assert_healthy(&self, seen: &Exposition, when: &str) {
        seen.expect(when, &[("up", 1.0), ("collection_complete", 1.0)]);
        for id in &self.ids {
            assert_eq!(seen.of_operation(*id, "up"), Some(1.0), "{id} {when}");
        }
    }
}

fn failed(seen: &Exposition, endpoint: &str, reason: &str) -> f64 {
    let key = (endpoint.to_owned(), reason.to_owned());
    seen.failures().get(&key).copied().unwrap_or(0.0)
}

/// The number of requests to this endpoint with this status.
fn with_status(seen: &Exposition, endpoint: &str, code: &str) -> f64 {
    seen.requests(endpoint, code).unwrap_or(0.0)
}

/// The program with environment variables and a simulated Twilio.
struct Running {
    program: Program,
    url: String,
    http: reqwest::Client,
}

impl Running {
    fn new(variables: &[(&str, &str)]) -> Self {
        let mut program = Program::start(command(
            &["--web.listen-address=127.0.0.1:0", "--log.level=trace"],
            variables,
        ));
        let url = format!("http://{}", program.address());
        let http = client();
        Self { program, url, http }
    }

    /// Waits for the collection that the exporter makes at its start.
    async fn settled(self) -> Self {
        eventually("ready", || async {
            let url = format!("{}/-/ready", self.url);
            self.http.get(url).send().await.unwrap().status() == 200
        })
        .await;
        self
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        let response = self.http.get(url).send().await.unwrap();
        response.text().await.unwrap()
    }

    async fn scrape(&self) -> Exposition {
        Exposition::parse(&self.get("/metrics").await).unwrap()
    }

    /// Ends the program. Returns its log.
    fn log(self) -> String {
        self.program.signal("KILL");
        self.program.wait().stderr
    }
}

/// The number of lines with all `words`.
fn count(log: &str, words: &[&str]) -> usize {
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    log.lines().filter(has_all).count()
}
