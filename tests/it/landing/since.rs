//! The time since which a problem lasts: from its beginning until its end, whatever is read between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use twilio_email_exporter::simulator::{self, SimulatorSettings};
use twilio_email_exporter::timestamp::Timestamp;

use super::*;
use crate::support::exporter::operations;
use crate::support::scene::morning;
use crate::support::stub_server::{StubResponse, StubServer};

const MINUTE: Duration = Duration::from_mins(1);

/// An exporter and a Twilio with clocks of their own.
struct Scene {
    twilio: Twilio,
    exporter: Exporter,
    ours: Clock,
    theirs: Clock,
}

impl Scene {
    async fn new(more: &str, below: &str) -> Self {
        let theirs = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), theirs.clone()).await;
        twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
        let yaml = one_account(&twilio, more) + below;
        Self::watching(&yaml, twilio, theirs).await
    }

    async fn watching(yaml: &str, twilio: Twilio, theirs: Clock) -> Self {
        let ours = morning();
        let exporter = Exporter::start_at(yaml, ours.clone()).await;
        Self {
            exporter: exporter.settled().await,
            twilio,
            ours,
            theirs,
        }
    }

    /// Scrapes a minute later; returns the time of that.
    async fn pass(&self) -> Timestamp {
        for clock in [&self.ours, &self.theirs] {
            clock.set(clock.now() + MINUTE);
        }
        let now = self.ours.now();
        self.exporter.scrape().await;
        now
    }

    /// Since when the page has the problem `code`; `None` if it has not. Every problem on it must have a time.
    async fn since(&self, code: &str) -> Option<Timestamp> {
        let shown = facts(&self.exporter, "/").await;
        let mut found = None;
        for finding in shown["findings"].as_array().unwrap() {
            let since = finding["since"].as_str();
            let since = since.unwrap_or_else(|| panic!("no time: {finding}"));
            if finding["code"] == code {
                found = Some(since.parse().unwrap());
            }
        }
        found
    }

    /// While `begin` has its effect, the problem `code` lasts since the scrape that found it; then it ends, and a second time begins
    /// anew.
    async fn lasts(&self, code: &str, begin: impl Fn(&Self), end: impl Fn(&Self)) {
        for turn in ["the first time", "the second time"] {
            assert_eq!(self.since(code).await, None, "{code}, {turn}");
            begin(self);
            let began = self.pass().await;
            assert_eq!(self.since(code).await, Some(began), "{code}, {turn}");
            self.pass().await;
            assert_eq!(self.since(code).await, Some(began), "{code} goes on");
            end(self);
            self.pass().await;
            assert_eq!(self.since(code).await, None, "{code} has ended");
        }
    }
}

fn clear(scene: &Scene) {
    scene.twilio.handle.clear_faults();
}

#[tokio::test]
async fn a_wrong_clock_is_a_problem_since_the_first_scrape_that_noticed_it() {
    let scene = Scene::new("", "").await;
    let put_forward = |scene: &Scene| scene.theirs.put(scene.theirs.now() + 2 * HOUR);
    let put_right = |scene: &Scene| scene.theirs.put(scene.ours.now());
    scene.lasts("wrong_clock", put_forward, put_right).await;
}

#[tokio::test]
async fn collections_are_incomplete_since_the_first_one() {
    let spoiled = Arc::new(AtomicBool::new(false));
    let is_spoiled = Arc::clone(&spoiled);
    let server = StubServer::start(move |_| {
        let rows = if is_spoiled.load(Ordering::Relaxed) {
            json!([{"id": 7}])
        } else {
            json!([])
        };
        StubResponse::json(json!({"operations": rows, "pagination": {"next": null}}).to_string())
    });
    let server = server.await;
    let base_url = server.base_url();
    let yaml = format!("accounts:\n{}", account_at("default", &base_url, ""));
    let scene = Scene::watching(&yaml, Twilio::empty().await, morning()).await;
    let spoil = |_: &Scene| spoiled.store(true, Ordering::Relaxed);
    let correct = |_: &Scene| spoiled.store(false, Ordering::Relaxed);
    scene.lasts("incomplete", spoil, correct).await;
}

#[tokio::test]
async fn operations_are_unreadable_since_the_first_one_failed() {
    // Their emails are in flight, so every scrape reads them.
    let created = morning().now();
    let ids = [7, 8].map(|random| simulator::operation_id(created, random));
    let more = operations(&ids) + "\ndiscovery: false";
    let scene = Scene::new(&more, "").await;
    for id in ids {
        let stats = json!({"total": 1, "queued": 1});
        scene.twilio.set(id, created, "PROCESSING", stats);
    }
    scene.pass().await;
    let fault = |scene: &Scene| {
        let fault = format!("operation:id={}=500", ids[0]);
        scene.twilio.fault(&fault);
    };
    scene.lasts("unreadable_operations", fault, clear).await;
}

#[tokio::test]
async fn a_source_is_broken_since_the_first_scrape_that_could_not_use_it() {
    let scene = Scene::new("operation_files: [list.yml]", "").await;
    let write = |scene: &Scene, text: &str| scene.exporter.files.write("list.yml", text);
    let spoil = |scene: &Scene| write(scene, "- targets: [nothing]\n");
    let correct = |scene: &Scene| write(scene, "[]\n");
    scene.lasts("broken_source", spoil, correct).await;
}

#[tokio::test]
async fn the_series_limit_hides_operations_since_the_first_one() {
    let scene = Scene::new("", "series: {max_operations: 2}\n").await;
    let code = "series_limit";
    assert_eq!(scene.since(code).await, None);
    let stats = json!({"total": 1, "delivered": 1});
    for _ in 0..2 {
        scene.twilio.put(Duration::ZERO, stats.clone());
    }
    let began = scene.pass().await;
    assert_eq!(scene.since(code).await, Some(began));
    scene.twilio.put(Duration::ZERO, stats);
    scene.pass().await;
    assert_eq!(scene.since(code).await, Some(began));
}

#[tokio::test]
async fn a_pause_that_another_request_than_the_lists_caused_has_a_beginning() {
    let scene = Scene::new("", "series: {tags: [campaign]}\n").await;
    let began = scene.ours.now();
    scene.twilio.fault("emails=429:retry-after=600");
    scene
        .twilio
        .put(Duration::ZERO, json!({"total": 1, "sent": 1}));
    scene.pass().await;
    eventually("the exporter pauses", || async {
        scene.since("rate_limited").await == Some(began + MINUTE)
    })
    .await;
    scene.pass().await;
    let since = scene.since("rate_limited").await;
    assert_eq!(since, Some(began + MINUTE));
}

#[tokio::test]
async fn counters_are_in_memory_alone_since_the_start() {
    let scene = Scene::new("", "").await;
    let started = scene.ours.now();
    scene.pass().await;
    assert_eq!(scene.since("memory_only").await, Some(started));
}
