//! A new configuration while the exporter runs: all or nothing, and nothing of what is known is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::client::{client, scrape};
use crate::support::exporter::{Exporter, account, files, one_account, operations};
use crate::support::exposition::Exposition;
use crate::support::program::Program;
use crate::support::scene::{ZERO_FOR, morning, pass};
use crate::support::twilio::Twilio;

async fn start(yaml: &str) -> Exporter {
    start_at(yaml, Clock::System).await
}

async fn start_at(yaml: &str, clock: Clock) -> Exporter {
    let options = Overrides {
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(yaml, clock, options).await;
    exporter.settled().await
}

/// Puts `yaml` into the configuration file and has it loaded; the status and the answer.
async fn reload(exporter: &Exporter, yaml: &str) -> (u16, String) {
    exporter.files.write("config.yml", yaml);
    let request = exporter.client.post(exporter.url("/-/reload"));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn accepted(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_emails_accepted_total", &[])
}

#[tokio::test]
async fn operations_labels_and_limits_change_and_counters_stay() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let yaml = one_account(&twilio, "discovery: false");
    let exporter = start_at(&yaml, clock.clone()).await;
    let ids = [0, 1].map(|_| twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7})));
    let (status, text) = reload(
        &exporter,
        &one_account(&twilio, &format!("discovery: false\n{}", operations(&ids))),
    )
    .await;
    assert_eq!(
        (status, text.as_str()),
        (200, "The configuration was loaded again.\n")
    );
    let seen = exporter.scrape().await;
    assert_eq!(accepted(&seen), Some(14.0));
    let labelled = format!(
        "discovery: false\noperations: [{{id: {}, labels: {{campaign: spring}}}}]",
        ids[0]
    );
    let series = "series: {aggregate_by: [campaign]}\n";
    reload(&exporter, &(one_account(&twilio, &labelled) + series)).await;
    let seen = exporter.scrape().await;
    assert_eq!(accepted(&seen), Some(14.0));
    assert_eq!(seen.emails(ids[0], "delivered"), Some(7.0));
    assert_eq!(seen.emails(ids[1], "delivered"), None);
    assert_eq!(
        seen.value("twilio_email_operation_info", &[("campaign", "spring")]),
        Some(1.0)
    );
    let group = [("label", "campaign"), ("value", "spring")];
    let name = "twilio_email_emails_accepted_by_label_total";
    assert_eq!(seen.value(name, &group), Some(0.0), "a new series");
    pass(&clock, ZERO_FOR);
    let seen = exporter.scrape().await;
    assert_eq!(seen.value(name, &group), Some(7.0));
    reload(&exporter, &one_account(&twilio, &labelled)).await;
    assert_eq!(exporter.scrape().await.value(name, &group), None);
    // Nothing that was counted is counted again.
    reload(&exporter, &one_account(&twilio, "")).await;
    let seen = exporter.scrape().await;
    assert_eq!(
        (accepted(&seen), seen.emails(ids[1], "delivered")),
        (Some(14.0), Some(7.0))
    );
}

#[tokio::test]
async fn a_wrong_configuration_changes_nothing_and_tells_every_problem() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "")).await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let wrong = one_account(&twilio, "discovery: perhaps\nstats_reading: both");
    let (status, text) = reload(&exporter, &wrong).await;
    assert_eq!(status, 500);
    for problem in [
        "2 problems",
        "accounts[0].discovery: ",
        "accounts[0].stats_reading: ",
    ] {
        assert!(text.contains(problem), "{text}");
    }
    let seen = exporter.scrape().await;
    assert_eq!(seen.emails(id, "delivered"), Some(7.0));
    let name = "twilio_email_exporter_config_last_reload_successful";
    assert_eq!(seen.value(name, &[]), Some(0.0));
    let (status, _) = reload(&exporter, &one_account(&twilio, "")).await;
    assert_eq!(
        (status, exporter.scrape().await.value(name, &[])),
        (200, Some(1.0))
    );
}

#[tokio::test]
async fn accounts_come_and_go_and_come_back_as_they_were() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let storage = format!("storage: {{path: {}}}\n", directory.path().display());
    let one = account("one", &twilio, "");
    let both = format!("accounts:\n{one}{}{storage}", account("two", &twilio, ""));
    let alone = format!("accounts:\n{one}{storage}");
    let exporter = start(&both).await;
    twilio.put(Duration::ZERO, json!({"total": 7}));
    let of_two = |seen: &Exposition| seen.of("two", "emails_accepted_total");
    assert_eq!(of_two(&exporter.scrape().await), Some(7.0));
    assert_eq!(reload(&exporter, &alone).await.0, 200);
    let text = exporter.get("/metrics").await.text().await.unwrap();
    assert!(!text.contains("\"two\""), "{text}");
    assert_eq!(reload(&exporter, &both).await.0, 200);
    assert_eq!(of_two(&exporter.scrape().await), Some(7.0));
}

#[tokio::test]
async fn what_takes_a_restart_says_so() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "");
    let directory = tempfile::tempdir().unwrap();
    let here = format!("{yaml}storage: {{path: {}}}\n", directory.path().display());
    let exporter = start(&here).await;
    let (status, text) = reload(&exporter, &(yaml + "storage: {path: elsewhere}\n")).await;
    assert_eq!(status, 200);
    assert!(
        text.contains("storage.path: takes effect when the exporter starts the next time"),
        "{text}"
    );
}

#[tokio::test]
async fn a_reload_ends_no_pause_and_a_new_address_is_used() {
    let (first, second) = (Twilio::empty().await, Twilio::empty().await);
    let exporter = start(&one_account(&first, "")).await;
    first.fault("all=429:retry-after=600");
    exporter.scrape().await;
    let asked = first.handle.counts().operations;
    assert_eq!(reload(&exporter, &one_account(&first, "")).await.0, 200);
    exporter.scrape().await;
    assert_eq!(first.handle.counts().operations, asked);
    let third = start(&one_account(&second, "")).await;
    assert_eq!(reload(&third, &one_account(&first, "")).await.0, 200);
    first.handle.clear_faults();
    third.scrape().await;
    assert!(first.handle.counts().operations > asked);
}

#[tokio::test]
async fn under_load_no_scrape_fails_and_no_counter_falls() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "")).await;
    let id = twilio.put(Duration::ZERO, json!({"total": 0}));
    let done = AtomicBool::new(false);
    let scrapes = async {
        let (mut last, mut size) = (0.0, 0);
        while !done.load(Ordering::Relaxed) {
            size += 1;
            twilio.set(id, id.created(), "PROCESSING", json!({"total": size}));
            let seen = accepted(&exporter.scrape().await).unwrap();
            assert!(seen >= last, "{seen} after {last}");
            last = seen;
        }
        (last, f64::from(size))
    };
    let reloads = async {
        for n in 0..30 {
            let yaml = one_account(&twilio, &format!("max_concurrent_requests: {}", 1 + n % 8));
            assert_eq!(reload(&exporter, &yaml).await.0, 200);
        }
        done.store(true, Ordering::Relaxed);
    };
    let ((last, size), ()) = tokio::join!(scrapes, reloads);
    assert!((last - size).abs() < 0.5, "{last} of {size}");
}

#[tokio::test]
async fn the_program_loads_its_file_again_when_it_is_told_by_a_signal() {
    let twilio = Twilio::empty().await;
    let files = files(&one_account(&twilio, "discovery: false"));
    let config = files.config.to_str().unwrap().to_owned();
    let mut program = Program::exporter(&["--config.file", &config], &[]);
    let address = program.address();
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    files.write("config.yml", "accounts: none");
    program.signal("HUP");
    program.line(&[
        "level=error",
        "the configuration stays as it was",
        "accounts",
    ]);
    let watched = format!("discovery: false\n{}", operations(&[id]));
    files.write("config.yml", &one_account(&twilio, &watched));
    program.signal("HUP");
    program.line(&["level=info", "the configuration was loaded again"]);
    let seen = scrape(&client(), address).await.unwrap();
    assert_eq!(seen.emails(id, "delivered"), Some(7.0));
    let name = "twilio_email_exporter_config_last_reload_successful";
    assert_eq!(seen.value(name, &[]), Some(1.0));
}

#[tokio::test]
async fn without_the_option_the_path_names_it() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await;
    let answer = exporter
        .client
        .post(exporter.url("/-/reload"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("--web.enable-lifecycle")
    );
    assert_eq!(exporter.get("/-/reload").await.status(), 405);
}

/// As a mount whose server is gone: nobody writes into the pipe, so opening it hangs.
#[tokio::test]
async fn a_secret_on_a_disk_that_hangs_leaves_the_configuration_as_it_was() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "")).await;
    let pipe = exporter.files.config.with_file_name("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let good = one_account(&twilio, "");
    let hanging = good.replace("auth_token_file: token", "auth_token_file: pipe");
    let began = std::time::Instant::now();
    let (status, text) = reload(&exporter, &hanging).await;
    assert_eq!(status, 500);
    assert!(text.contains("reading it takes longer than 3 s"), "{text}");
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    // Nothing is read beside what hangs, and nobody waits for it again.
    let began = std::time::Instant::now();
    let (status, _) = reload(&exporter, &good).await;
    assert_eq!(status, 500);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    let seen = exporter.scrape().await;
    seen.expect("meanwhile", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(
        seen.value("twilio_email_exporter_config_last_reload_successful", &[]),
        Some(0.0)
    );
    std::fs::write(&pipe, crate::support::exporter::TOKEN).unwrap();
    crate::support::eventually("what hung has ended", || async {
        reload(&exporter, &good).await.0 == 200
    })
    .await;
}
