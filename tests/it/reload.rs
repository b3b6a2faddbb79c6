//! A new configuration while the exporter runs: it is applied completely or not at all, and no value is lost.

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

/// Writes `yaml` to the configuration file and reloads it. Returns the status and the text of the response.
async fn reload(exporter: &Exporter, yaml: &str) -> (u16, String) {
    exporter.files.write("config.yml", yaml);
    let request = exporter.client.post(exporter.url("/-/reload"));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn accepted(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_emails_accepted_total", &[])
}

#[tokio::test]
async fn a_reload_changes_operations_labels_and_limits_and_keeps_counters() {
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
        (200, "The configuration was reloaded.\n")
    );
    let seen = exporter.scrape().await;
    assert_eq!(accepted(&seen), Some(14.0));
    let labeled = format!(
        "discovery: false\noperations: [{{id: {}, labels: {{campaign: spring}}}}]",
        ids[0]
    );
    let series = "series: {aggregate_by: [campaign]}\n";
    reload(&exporter, &(one_account(&twilio, &labeled) + series)).await;
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
    reload(&exporter, &one_account(&twilio, &labeled)).await;
    assert_eq!(exporter.scrape().await.value(name, &group), None);
    // No email is counted again.
    reload(&exporter, &one_account(&twilio, "")).await;
    let seen = exporter.scrape().await;
    assert_eq!(
        (accepted(&seen), seen.emails(ids[1], "delivered")),
        (Some(14.0), Some(7.0))
    );
}

#[tokio::test]
async fn an_invalid_configuration_changes_nothing_and_reports_every_problem() {
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
async fn an_account_that_is_removed_and_added_again_has_its_old_counters() {
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
async fn a_change_that_needs_a_restart_is_reported() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "");
    let directory = tempfile::tempdir().unwrap();
    let here = format!("{yaml}storage: {{path: {}}}\n", directory.path().display());
    let exporter = start(&here).await;
    let (status, text) = reload(&exporter, &(yaml + "storage: {path: elsewhere}\n")).await;
    assert_eq!(status, 200);
    assert!(
        text.contains("storage.path: takes effect after a restart"),
        "{text}"
    );
}

#[tokio::test]
async fn a_reload_ends_no_pause_and_uses_a_new_base_url() {
    let (first, second) = (Twilio::empty().await, Twilio::empty().await);
    let exporter = start(&one_account(&first, "")).await;
    first.fault("all=429:retry-after=600");
    exporter.scrape().await;
    let requested = first.handle.counts().operations;
    assert_eq!(reload(&exporter, &one_account(&first, "")).await.0, 200);
    exporter.scrape().await;
    assert_eq!(first.handle.counts().operations, requested);
    let third = start(&one_account(&second, "")).await;
    assert_eq!(reload(&third, &one_account(&first, "")).await.0, 200);
    first.handle.clear_faults();
    third.scrape().await;
    assert!(first.handle.counts().operations > requested);
}

#[tokio::test]
async fn reloads_under_load_fail_no_scrape_and_lower_no_counter() {
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
async fn sighup_reloads_the_configuration_file() {
    let twilio = Twilio::empty().await;
    let files = files(&one_account(&twilio, "discovery: false"));
    let config = files.config.to_str().unwrap().to_owned();
    let mut program = Program::exporter(&["--config.file", &config], &[]);
    let address = program.address();
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    files.write("config.yml", "accounts: none");
    program.signal("HUP");
    program.line(&["level=error", "cannot reload the configuration", "accounts"]);
    let watched = format!("discovery: false\n{}", operations(&[id]));
    files.write("config.yml", &one_account(&twilio, &watched));
    program.signal("HUP");
    program.line(&["level=info", "reloaded the configuration"]);
    let seen = scrape(&client(), address).await.unwrap();
    assert_eq!(seen.emails(id, "delivered"), Some(7.0));
    let name = "twilio_email_exporter_config_last_reload_successful";
    assert_eq!(seen.value(name, &[]), Some(1.0));
}

#[tokio::test]
async fn without_the_option_the_reload_path_names_the_option() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await;
    let response = exporter
        .client
        .post(exporter.url("/-/reload"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("--web.enable-lifecycle")
    );
    assert_eq!(exporter.get("/-/reload").await.status(), 405);
}

/// Like a mount whose server is gone: nobody writes into the pipe, so opening it hangs.
#[tokio::test]
async fn a_secret_on_a_disk_that_hangs_keeps_the_current_configuration() {
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
    // No second read starts while one hangs, and no reload waits for it again.
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
    crate::support::eventually("the read that hung has finished", || async {
        reload(&exporter, &good).await.0 == 200
    })
    .await;
}
