//! The collector of emails (`--collector.emails`).

mod by_label;
mod by_status;
mod collecting;
mod disk;
mod durable;
mod mismatch;
mod model;
mod privacy;
mod providers;
mod quantiles;
mod refused;
mod variants;

use std::path::Path;
use std::time::Duration;

use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::PATIENCE;
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, ZERO_FOR, morning, pass, scrape_until};
use crate::support::twilio::Twilio;

/// A simulated account, an exporter that collects its emails, and a clock that only the test moves.
struct Scene {
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
}

/// The configuration of an exporter that collects emails, with further keys of the account and of the collector.
fn configuration(
    twilio: &Twilio,
    account: &str,
    collector: &str,
    storage: Option<&Path>,
) -> String {
    let storage = storage.map_or_else(String::new, |path| {
        format!("storage: {{path: {}}}\n", path.display())
    });
    let account = one_account(twilio, account);
    format!("{account}collectors: {{emails: {{enabled: true{collector}}}}}\n{storage}")
}

impl Scene {
    /// An exporter whose first collection found nothing.
    async fn new() -> Self {
        Self::with("", "").await
    }

    async fn with(account: &str, collector: &str) -> Self {
        let (clock, twilio) = quiet_account().await;
        Self::watching(clock, twilio, account, collector).await
    }

    /// An exporter of what is in `twilio`, after its first collection. New providers expose their counters from now on.
    async fn watching(clock: Clock, twilio: Twilio, account: &str, collector: &str) -> Self {
        let yaml = configuration(&twilio, account, collector, None);
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        let exporter = exporter.settled().await;
        let scene = Self {
            clock,
            twilio,
            exporter,
        };
        scene
            .seen("the first emails", |seen| inbound(seen).is_some())
            .await;
        // What the first run finds is baseline.
        scene.exporter.idle().await;
        pass(&scene.clock, ZERO_FOR);
        scene
    }

    /// Scrapes until one shows what is `wanted`.
    async fn seen(&self, what: &str, wanted: impl Fn(&Exposition) -> bool) -> Exposition {
        scrape_until(&self.exporter, &self.clock, what, wanted).await
    }
}

/// An account without operations, and its clock.
async fn quiet_account() -> (Clock, Twilio) {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    (clock, twilio)
}

fn inbound(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_inbound_total", &[])
}

/// The counter of an outcome at a provider.
fn outcome(seen: &Exposition, provider: &str, outcome: &str) -> Option<f64> {
    let labels = [("provider", provider), ("outcome", outcome)];
    seen.value("twilio_email_provider_outcomes_total", &labels)
}

/// The number of emails of a provider that have a status.
fn emails(seen: &Exposition, provider: &str, status: &str) -> Option<f64> {
    let labels = [("provider", provider), ("status", status)];
    seen.value("twilio_email_provider_emails", &labels)
}

/// Loads another configuration.
async fn reload(exporter: &Exporter, yaml: &str) {
    exporter.files.write("config.yml", yaml);
    let request = exporter.client.post(exporter.url("/-/reload"));
    assert_eq!(request.send().await.unwrap().status(), 200);
}

async fn start(yaml: &str, clock: &Clock) -> Exporter {
    let options = Overrides {
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(yaml, clock.clone(), options).await;
    exporter.settled().await
}
