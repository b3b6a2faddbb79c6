//! Percentiles of delivery times in a real Prometheus, next to those of the simulated emails themselves.

use std::collections::BTreeMap;

use serde_json::Value;
use twilio_email_exporter::simulator::{MailboxSettings, Traffic, WorldSettings};
use twilio_email_exporter::timestamp::Timestamp;

use super::*;
use crate::support::eventually;
use crate::support::prometheus::Prometheus;

const HOUR: Duration = Duration::from_hours(1);
/// So short that no email expires.
const SPAN: Duration = Duration::from_hours(5 * 24);
/// After the end of the test.
const NEVER: Duration = Duration::from_hours(52 * 7 * 24);
/// The time between two collections.
const STEP: Duration = Duration::from_hours(4);
/// The time between two emails, each of an operation of its own, as receipts are: 20,000 in all.
const EVERY: Duration = Duration::from_secs(20);
/// With it, no true percentile is in the middle of a wide bucket, where it cannot be computed well.
const SPEED: f64 = 1.02;
/// What a percentile that is computed from buckets may be wrong by.
const TOLERANCE: f64 = 0.1;
/// Emails are read again after at most twelve hours, and none of them has expired yet.
const MOST_HOURS: usize = 36;
/// The most runs until all due emails have been read.
const RUNS: usize = 4;
/// The providers of the simulated domains.
const PROVIDERS: [(&str, &str); 6] = [
    ("gmail.com", "gmail"),
    ("outlook.com", "outlook"),
    ("yahoo.com", "yahoo"),
    ("icloud.com", "apple"),
    ("example.com", "other"),
    ("gmx.net", "gmx"),
];

/// The delivery times of all emails by provider, in seconds, as the rows of the simulator have them.
#[derive(Default)]
struct Truth {
    times: BTreeMap<String, (String, f64)>,
}

impl Truth {
    /// Reads the whole list with a client that has nothing of the exporter's.
    async fn read(&mut self, twilio: &Twilio) {
        let mut token = String::new();
        loop {
            let page = list(twilio, &format!("Emails?pageSize=1000{token}")).await;
            for row in page["emails"].as_array().unwrap() {
                self.add(row);
            }
            match page["pagination"]["next"].as_str() {
                Some(next) => token = format!("&pageToken={next}"),
                None => return,
            }
        }
    }

    fn add(&mut self, row: &Value) {
        if row["status"] != "DELIVERED" {
            return;
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let time = |name: &str| text(&row[name])?.parse::<Timestamp>().ok();
        let began = time("scheduledFor").or(time("createdAt")).unwrap();
        let took = time("updatedAt").unwrap().since(began).as_secs_f64();
        let address = text(&row["to"][0]["address"]).unwrap();
        let (_, domain) = address.split_once('@').unwrap();
        let provider = PROVIDERS.iter().find(|(known, _)| *known == domain);
        let provider = provider.map(|(_, name)| (*name).to_owned()).unwrap();
        self.times
            .insert(text(&row["id"]).unwrap(), (provider, took));
    }

    /// The delivery times of a provider, the shortest first.
    fn of(&self, provider: &str) -> Vec<f64> {
        let own = self.times.values().filter(|(name, _)| name == provider);
        let mut times: Vec<f64> = own.map(|(_, took)| *took).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// The time within which 95 % of a provider's deliveries took place.
    fn p95(&self, provider: &str) -> f64 {
        let times = self.of(provider);
        times[(times.len() * 95).div_ceil(100) - 1]
    }
}

/// The deliveries of a provider in the histogram.
fn deliveries(seen: &Exposition, provider: &str) -> f64 {
    let name = "twilio_email_delivery_duration_seconds_count";
    seen.value(name, &[("provider", provider)]).unwrap_or(0.0)
}

/// A page of a list of the simulator's.
async fn list(twilio: &Twilio, path: &str) -> Value {
    let url = format!("{}/{path}", twilio.base_url());
    let request = crate::support::client::client().get(url);
    let response = request.basic_auth("AC0", Some("x")).send().await.unwrap();
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// An account that sends for a while, beginning an hour from now, one email after another.
async fn sending_account(clock: &Clock) -> Twilio {
    let start = clock.now();
    clock.put(start + HOUR);
    let world = WorldSettings {
        traffic: Some(Traffic {
            history: 0,
            campaign_every: NEVER,
            single_every: EVERY,
            lasts: Some(SPAN),
            fails_campaigns: false,
        }),
        speed: SPEED,
        tracks_opens: false,
        mailboxes: Some(MailboxSettings {
            defers_after: NEVER,
            rejects_after: NEVER,
        }),
        ..WorldSettings::default()
    };
    let settings = SimulatorSettings {
        world,
        ..SimulatorSettings::default()
    };
    let twilio = Twilio::start(settings, clock.clone()).await;
    // The first campaign, whose emails wait for each other much longer than for their delivery.
    clock.put(start + HOUR + Duration::from_secs(10));
    let operations = list(&twilio, "Emails/Operations").await;
    for operation in operations["operations"].as_array().unwrap() {
        assert!(twilio.handle.remove(operation["id"].as_str().unwrap()));
    }
    clock.put(start);
    twilio
}

/// The exposition in which every delivery is counted, after the last email was sent. Twilio's clock moves only between attempts.
async fn complete(scene: &Scene, truth: &mut Truth) -> Exposition {
    let mut counts = String::new();
    for _ in 0..MOST_HOURS {
        truth.read(&scene.twilio).await;
        for _ in 0..RUNS {
            let seen = scene.exporter.scrape().await;
            let counted = format!("{:?}", PROVIDERS.map(|(_, name)| deliveries(&seen, name)));
            let wanted = PROVIDERS.map(|(_, name)| truth.of(name).len() as f64);
            if counted == format!("{wanted:?}") {
                return seen;
            }
            counts = format!("{counted} instead of {wanted:?}");
            scene.exporter.idle().await;
        }
        pass(&scene.clock, HOUR);
    }
    panic!("deliveries are missing, or counted twice: {counts}");
}

#[tokio::test]
async fn prometheus_computes_the_95th_percentile_of_each_provider_within_a_tenth() {
    let clock = morning();
    let end = clock.now() + SPAN;
    let twilio = sending_account(&clock).await;
    let scene = Scene::watching(clock, twilio, "discovery: false", "").await;
    let prometheus = Prometheus::scraping(&scene.exporter).await;
    let series = "count(twilio_email_delivery_duration_seconds_count)";
    let (mut truth, mut known) = (Truth::default(), 0);
    while scene.clock.now() < end {
        pass(&scene.clock, STEP);
        let seen = scene.exporter.scrape().await;
        // Prometheus sees the counters of a new provider at 0, as it does where a scrape comes every 15 seconds.
        let samples = seen.samples("twilio_email_delivery_duration_seconds_count");
        if samples.len() > known {
            known = samples.len();
            eventually(&format!("{known} providers in Prometheus"), || async {
                let found = prometheus.value(series).await;
                found.is_some_and(|found| found >= known as f64)
            })
            .await;
        }
    }
    let seen = complete(&scene, &mut truth).await;
    for (_, provider) in PROVIDERS {
        let times = truth.of(provider);
        assert!(times.len() > 500, "{provider}: {} deliveries", times.len());
        let labels = [("provider", provider)];
        let unobserved = seen.value("twilio_email_deliveries_unobserved_total", &labels);
        assert_eq!(unobserved, Some(0.0), "{provider}");
        let own =
            format!("twilio_email_delivery_duration_seconds_count{{provider=\"{provider}\"}}");
        prometheus.comes_to(&own, times.len() as f64).await;
    }
    for (_, provider) in PROVIDERS {
        let buckets =
            format!("twilio_email_delivery_duration_seconds_bucket{{provider=\"{provider}\"}}");
        let query =
            format!("histogram_quantile(0.95, sum by (provider, le) (rate({buckets}[10m])))");
        let (computed, true_one) = (prometheus.value(&query).await.unwrap(), truth.p95(provider));
        let error = (computed / true_one - 1.0).abs();
        assert!(
            error <= TOLERANCE,
            "{provider}: {computed} instead of {true_one} seconds"
        );
    }
}
