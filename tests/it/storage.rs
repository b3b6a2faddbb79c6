//! Counters and stats after `kill -9` at any time, with a damaged file, and with a directory that cannot be written.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::client::{client, scrape};
use crate::support::exporter::{Exporter, SID, TOKEN, one_account, operations};
use crate::support::exposition::Exposition;
use crate::support::program::Program;
use crate::support::twilio::Twilio;
use crate::support::{PATIENCE, eventually};

/// Operations whose stats grow while the exporter is killed.
const OPERATIONS: usize = 30;
/// How often it is killed.
const KILLS: usize = 12;

fn accepted(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_emails_accepted_total", &[])
}

fn outcome(seen: &Exposition, outcome: &str) -> Option<f64> {
    seen.value("twilio_email_email_outcomes_total", &[("outcome", outcome)])
}

/// The program with its storage in `directory`, watching `twilio`.
fn program(twilio: &Twilio, directory: &Path) -> Program {
    let base_url = twilio.base_url();
    let credentials = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &base_url),
    ];
    Program::exporter(
        &["--storage.path", directory.to_str().unwrap()],
        &credentials,
    )
}

/// Operations that grow: each round adds the same number of emails to each of them.
struct Growing {
    twilio: Twilio,
    ids: Vec<(OperationId, u32)>,
}

impl Growing {
    async fn start() -> Self {
        Self {
            twilio: Twilio::empty().await,
            ids: Vec::new(),
        }
    }

    fn appear(&mut self) {
        for _ in 0..OPERATIONS {
            self.ids
                .push((self.twilio.put(Duration::ZERO, json!({"total": 0})), 0));
        }
    }

    fn grow(&mut self, by: u32) {
        for (id, size) in &mut self.ids {
            *size += by;
            let stats =
                json!({"total": *size, "delivered": *size / 2, "opened": *size - *size / 2});
            self.twilio.set(*id, id.created(), "PROCESSING", stats);
        }
    }

    fn emails(&self) -> f64 {
        f64::from(self.ids.iter().map(|(_, size)| size).sum::<u32>())
    }
}

#[tokio::test]
async fn kill_9_at_any_time_lowers_no_counter_and_counts_no_email_twice() {
    let directory = tempfile::tempdir().unwrap();
    let mut growing = Growing::start().await;
    let client = client();
    let mut last = 0.0;
    for kill in 0..KILLS {
        let mut program = program(&growing.twilio, directory.path());
        let address = program.address();
        if kill == 0 {
            // From here on operations are younger than the store.
            assert_eq!(
                scrape(&client, address)
                    .await
                    .and_then(|seen| accepted(&seen)),
                Some(0.0)
            );
            growing.appear();
        }
        // Each kill comes a little later in a collection.
        let end = Instant::now() + Duration::from_millis(7 * kill as u64 + 1);
        while Instant::now() < end {
            growing.grow(1);
            let seen = scrape(&client, address).await.expect("a response");
            let now = accepted(&seen).expect("a counter");
            assert!(now >= last, "{now} after {last}");
            assert_eq!(
                outcome(&seen, "delivered"),
                Some(now),
                "all of them have been delivered"
            );
            last = now;
        }
        growing.grow(1);
        // A scrape may end in the middle of a collection.
        let scraping = tokio::spawn({
            let client = client.clone();
            async move { scrape(&client, address).await }
        });
        tokio::task::yield_now().await;
        program.signal("KILL");
        program.wait();
        // Everything that was exposed before the kill has been saved.
        if let Some(seen) = scraping.await.unwrap() {
            last = accepted(&seen).unwrap().max(last);
        }
    }
    let mut program = program(&growing.twilio, directory.path());
    let address = program.address();
    let seen = scrape(&client, address).await.unwrap();
    assert_eq!(accepted(&seen), Some(growing.emails()));
    assert_eq!(outcome(&seen, "delivered"), Some(growing.emails()));
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let twilio = Twilio::empty().await;
    let mut first = program(&twilio, directory.path());
    first.address();
    let second = program(&twilio, directory.path()).wait();
    assert_eq!(second.code, Some(1));
    assert!(
        second
            .stderr
            .contains("is in use by another process; give each exporter its own --storage.path"),
        "{}",
        second.stderr
    );
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_counters_restart_at_zero() {
    let directory = tempfile::tempdir().unwrap();
    let twilio = Twilio::empty().await;
    twilio.put(Duration::from_hours(1), json!({"total": 7, "delivered": 7}));
    std::fs::write(
        directory.path().join("state.redb"),
        "not a store, but somebody's notes",
    )
    .unwrap();
    let mut program = program(&twilio, directory.path());
    let seen = scrape(&client(), program.address()).await.unwrap();
    assert_eq!(
        accepted(&seen),
        Some(0.0),
        "what was there before is no news"
    );
    let names: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let aside = names
        .iter()
        .find(|name| name.starts_with("state.redb.foreign-"))
        .unwrap_or_else(|| panic!("{names:?}"));
    assert_eq!(
        std::fs::read_to_string(directory.path().join(aside)).unwrap(),
        "not a store, but somebody's notes"
    );
    assert!(
        program.stderr().contains(aside.as_str()),
        "the log names it:\n{}",
        program.stderr()
    );
}

#[tokio::test]
async fn while_saves_fail_gauges_stay_current_and_failures_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let twilio = Twilio::empty().await;
    twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let mut program = program(&twilio, &file.join("state"));
    let client = client();
    let seen = scrape(&client, program.address()).await.unwrap();
    assert_eq!(
        seen.value("twilio_email_emails", &[("status", "delivered")]),
        Some(7.0)
    );
    assert!(seen.value("twilio_email_exporter_state_save_failures_total", &[]) >= Some(1.0));
    assert_eq!(
        accepted(&seen),
        None,
        "nothing is shown as counted that is not saved"
    );
    // As soon as there is room, everything is saved.
    std::fs::remove_file(&file).unwrap();
    let address = program.address();
    eventually("saved", || async {
        scrape(&client, address)
            .await
            .and_then(|seen| accepted(&seen))
            .is_some()
    })
    .await;
}

#[tokio::test]
async fn an_operation_created_while_the_exporter_was_stopped_counts_completely() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual("2026-04-05T06:20:00Z".parse().unwrap());
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let yaml =
        one_account(&twilio, "") + &format!("storage: {{path: {}}}\n", directory.path().display());
    twilio.put(
        Duration::from_mins(1),
        json!({"total": 100, "delivered": 100}),
    );
    let before = Exporter::start_at(&yaml, clock.clone())
        .await
        .settled()
        .await;
    assert_eq!(accepted(&before.scrape().await), Some(0.0));
    before.stop().await.unwrap();
    clock.set(clock.now() + Duration::from_hours(48));
    twilio.put(
        Duration::from_hours(30),
        json!({"total": 9, "delivered": 8, "failed": 1}),
    );
    let after = Exporter::start_at(&yaml, clock.clone())
        .await
        .settled()
        .await;
    let seen = after.scrape().await;
    assert_eq!(
        (accepted(&seen), outcome(&seen, "failed")),
        (Some(9.0), Some(1.0))
    );
    // Five days later both have expired: their series end, and the counters stay.
    clock.set(clock.now() + Duration::from_hours(7 * 24));
    let seen = after.scrape().await;
    assert!(seen.family("twilio_email_operation_up").is_none());
    assert_eq!(accepted(&seen), Some(9.0));
}

#[tokio::test]
async fn every_exposed_counter_is_saved_even_in_the_middle_of_a_collection() {
    let twilio = Twilio::empty().await;
    let stats = json!({"total": 7, "delivered": 7});
    let ids: Vec<_> = (0..3)
        .map(|_| twilio.put(Duration::ZERO, stats.clone()))
        .collect();
    // One read never ends, so neither does the collection.
    twilio.fault(&format!("operation:id={}=hang", ids[2]));
    let directory = tempfile::tempdir().unwrap();
    let yaml = one_account(&twilio, &format!("discovery: false\n{}", operations(&ids)))
        + &format!("storage: {{path: {}}}\n", directory.path().display());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let delivered = |seen: &Exposition| {
        let delivered = |id: &OperationId| {
            let id = id.to_string();
            let labels = [("operation_id", id.as_str()), ("status", "delivered")];
            seen.value("twilio_email_operation_emails", &labels)
        };
        ids.iter().map(delivered).collect::<Vec<_>>()
    };
    let first = runtime.spawn({
        let yaml = yaml.clone();
        async move {
            let exporter = Exporter::start(&yaml).await;
            eventually("two are shown", || async {
                let seen = exporter.scrape_within(0.6).await;
                let status = [("status", "delivered")];
                seen.value("twilio_email_emails", &status) == Some(14.0)
            })
            .await;
            exporter.scrape_within(0.6).await
        }
    });
    let seen = first.await.unwrap();
    assert_eq!(
        seen.value("twilio_email_collection_complete", &[]),
        Some(0.0)
    );
    assert_eq!(delivered(&seen), [Some(7.0), Some(7.0), None]);
    // Like a kill: the collection never ends.
    tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE))
        .await
        .unwrap();
    twilio.handle.clear_faults();
    twilio.fault("all=500");
    let again = Exporter::start(&yaml).await;
    assert_eq!(
        delivered(&again.scrape().await),
        [Some(7.0), Some(7.0), None]
    );
}
