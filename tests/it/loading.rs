//! A large saved state is loaded while the exporter already serves: scrapes are marked as incomplete, and counters continue.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::simulator::SimulatorSettings;
use twilio_email_exporter::store::Store;
use twilio_email_exporter::store::disk_gate::DiskGate;
use twilio_email_exporter::timestamp::Timestamp;

use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::twilio::Twilio;

/// Far below the timeout of a scrape, and far above what one takes on a slow machine.
const SOON: Duration = Duration::from_secs(5);

struct Scene {
    clock: Clock,
    twilio: Twilio,
    yaml: String,
    directory: tempfile::TempDir,
}

impl Scene {
    /// An account whose counters were saved: 5 emails were accepted since the start.
    async fn saved() -> Self {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let directory = tempfile::tempdir().unwrap();
        let yaml = one_account(&twilio, "")
            + &format!("storage: {{path: {}}}\n", directory.path().display());
        let scene = Self {
            clock,
            twilio,
            yaml,
            directory,
        };
        let exporter = Exporter::start_at(&scene.yaml, scene.clock.clone()).await;
        let exporter = exporter.settled().await;
        exporter.scrape().await;
        pass(&scene.clock, INTERVAL);
        scene.send(5);
        assert_eq!(accepted(&exporter.scrape().await), Some(5.0));
        exporter.stop().await.unwrap();
        scene
    }

    fn send(&self, emails: u32) {
        let stats = json!({"total": emails, "delivered": emails});
        self.twilio.put(Duration::ZERO, stats);
    }

    /// An exporter whose state file is to be opened while it serves, on a disk that `gate` makes hang.
    async fn start(&self, gate: DiskGate) -> Exporter {
        let open = |path: Option<&Path>, now: Timestamp| {
            Store::open_later(gate, path.unwrap(), now).unwrap()
        };
        let clock = self.clock.clone();
        let options = Overrides {
            enable_api: Some(true),
            ..Overrides::default()
        };
        Exporter::start_on(open, &self.yaml, clock, options).await
    }
}

fn accepted(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_emails_accepted_total", &[])
}

fn complete(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_collection_complete", &[])
}

#[tokio::test]
async fn scrapes_are_incomplete_while_the_saved_state_is_loaded_and_counters_continue_from_it() {
    let scene = Scene::saved().await;
    scene.send(2);
    pass(&scene.clock, INTERVAL);
    scene.twilio.handle.reset_requests();
    let gate = DiskGate::default();
    let hang = gate.hold_writes();
    let exporter = scene.start(gate.clone()).await;
    for _ in 0..3 {
        let began = Instant::now();
        let seen = exporter.scrape().await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert_eq!((accepted(&seen), complete(&seen)), (None, Some(0.0)));
        assert_eq!(exporter.get("/-/ready").await.status(), 503);
    }
    assert_eq!(
        scene.twilio.handle.counts().total,
        0,
        "nothing is known yet"
    );
    drop(hang);
    let exporter = exporter.settled().await;
    let seen = exporter.scrape().await;
    assert_eq!((accepted(&seen), complete(&seen)), (Some(7.0), Some(1.0)));
    // As after any restart: the newest page.
    assert!(scene.twilio.handle.counts().total <= 2);
    exporter.stop().await.unwrap();
}

#[tokio::test]
async fn a_registration_while_the_saved_state_is_loaded_is_saved() {
    let scene = Scene::saved().await;
    let gate = DiskGate::default();
    let hang = gate.hold_writes();
    let exporter = scene.start(gate).await;
    let id = scene.twilio.put(Duration::ZERO, json!({"total": 1}));
    let registered = exporter
        .client
        .post(exporter.url("/api/v1/operations"))
        .header("Content-Type", "application/json")
        .body(json!({"id": id.to_string(), "labels": {"campaign": "spring"}}).to_string());
    let registered = tokio::spawn(registered.send());
    exporter.scrape().await;
    drop(hang);
    assert_eq!(registered.await.unwrap().unwrap().status(), 201);
    let exporter = exporter.settled().await;
    assert_eq!(accepted(&exporter.scrape().await), Some(6.0));
    exporter.stop().await.unwrap();
    let again = scene.start(DiskGate::default()).await.settled().await;
    let known = again.get(&format!("/api/v1/operations/{id}")).await;
    assert_eq!(known.status(), 200);
}

#[tokio::test]
async fn the_api_returns_503_and_when_to_retry_until_the_saved_state_is_loaded() {
    let scene = Scene::saved().await;
    let id = scene.twilio.put(Duration::ZERO, json!({"total": 1}));
    let before = scene.start(DiskGate::default()).await.settled().await;
    let url = before.url("/api/v1/operations");
    let registration = before.client.post(url);
    let registration = registration
        .header("Content-Type", "application/json")
        .body(json!({"id": id.to_string()}).to_string());
    assert_eq!(registration.send().await.unwrap().status(), 201);
    before.stop().await.unwrap();

    let gate = DiskGate::default();
    let hang = gate.hold_writes();
    let exporter = scene.start(gate).await;
    let one = exporter.url(&format!("/api/v1/operations/{id}"));
    let list = exporter.url("/api/v1/operations");
    let requests = || {
        let client = &exporter.client;
        [client.get(&list), client.get(&one), client.delete(&one)]
    };
    for request in requests() {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 503);
        let seconds = response.headers()["Retry-After"].to_str().unwrap();
        assert!(seconds.parse::<u64>().unwrap() > 0, "{seconds}");
        assert_eq!(
            response.headers()["Content-Type"],
            "application/problem+json"
        );
        let problem: serde_json::Value =
            serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("loads its saved state"), "{detail}");
    }
    // A mistake in the request is reported at once.
    let wrong = exporter.get("/api/v1/operations?limit=none").await;
    assert_eq!(wrong.status(), 400);
    drop(hang);
    let exporter = exporter.settled().await;
    let client = &exporter.client;
    for request in [client.get(&list), client.get(&one), client.delete(&one)] {
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_state_file_that_cannot_be_used_is_set_aside_and_counting_begins_anew() {
    let scene = Scene::saved().await;
    let file = scene.directory.path().join("state.redb");
    std::fs::write(&file, "damaged").unwrap();
    let exporter = scene.start(DiskGate::default()).await.settled().await;
    let seen = exporter.scrape().await;
    assert_eq!(complete(&seen), Some(1.0));
    pass(&scene.clock, INTERVAL);
    scene.send(3);
    let seen = exporter.scrape().await;
    assert_eq!((accepted(&seen), complete(&seen)), (Some(3.0), Some(1.0)));
}
