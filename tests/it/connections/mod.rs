//! Connections that break, give no response or carry no HTTP, for all three clients: of the API, of the token endpoint and of
//! source URLs.

mod deaf;
mod encodings;
mod stale;

use std::time::Duration;

use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::sources::Url;

use crate::support::exporter::{Exporter, account_at, files};
use crate::support::exposition::Exposition;
use crate::support::raw::{Act, Raw};
use crate::support::scene::{morning, pass};

const LIST: &str = "/v1/Emails/Operations";

/// An exporter of one account at `raw`, with a clock that the test sets.
struct Scene {
    clock: Clock,
    exporter: Exporter,
}

impl Scene {
    async fn new(raw: &Raw, more: &str) -> Self {
        Self::of(&account_at("default", &raw.url("/v1"), more)).await
    }

    async fn of(account: &str) -> Self {
        let clock = morning();
        let yaml = format!("accounts:\n{account}");
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        Self { clock, exporter }
    }

    /// A scrape that lists the operations again.
    async fn scrape(&self) -> Exposition {
        pass(&self.clock, Duration::from_mins(2));
        self.exporter.scrape().await
    }
}

/// The failures by endpoint and reason that are not 0.
fn failures(seen: &Exposition) -> Vec<(String, String, f64)> {
    let failures = seen.failures();
    let happened = failures.iter().filter(|(_, count)| **count > 0.0);
    happened
        .map(|((endpoint, reason), count)| (endpoint.clone(), reason.clone(), *count))
        .collect()
}

/// A list of operations that `raw` serves.
fn list(raw: &Raw) -> Url {
    let url = raw.url("/targets");
    let more = format!("operation_urls: [{{url: '{url}'}}]");
    let account = account_at("default", &raw.url("/v1"), &more);
    let files = files(&format!("accounts:\n{account}"));
    let overrides = Overrides {
        config_file: Some(files.config.clone()),
        ..Overrides::default()
    };
    let config = Config::load(&overrides, &|_| None).unwrap_or_else(|error| panic!("{error}"));
    Url::new(
        &config.accounts[0].name,
        config.accounts[0].operation_urls[0].clone(),
    )
}
