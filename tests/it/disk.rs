//! The disk of the store while the exporter runs: limits, files that are deleted or replaced, writes that hang.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::store::disk_gate::DiskGate;

use crate::support::client::{client, scrape};
use crate::support::eventually;
use crate::support::exporter::{Exporter, SID, TOKEN, one_account};
use crate::support::exposition::Exposition;
use crate::support::program::{Program, command, from_shell};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

/// The program with its storage in `directory`, started by a shell that first does `before`.
fn program(twilio: &Twilio, directory: &Path, before: &str) -> Program {
    let base_url = twilio.base_url();
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &base_url),
    ];
    let directory = directory.to_str().unwrap();
    let options = [
        "--web.listen-address=127.0.0.1:0",
        "--storage.path",
        directory,
    ];
    Program::start(from_shell(before, &command(&options, &variables), ""))
}

fn failures(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_exporter_state_save_failures_total", &[])
}

fn accepted(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_emails_accepted_total", &[])
}

/// Without a handler SIGXFSZ ends the process in the middle of a scrape.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_file_sizes_fails_saves_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 7, "delivered": 7}));
    // The file cannot be created: blocks of 512 bytes.
    let mut limited = program(&twilio, directory.path(), "ulimit -f 4");
    let client = client();
    let seen = scrape(&client, limited.address()).await.unwrap();
    seen.expect("limited", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert!(failures(&seen) >= Some(1.0), "{:?}", failures(&seen));
    assert!(
        limited.stderr().contains("File too large"),
        "{}",
        limited.stderr()
    );
    limited.signal("TERM");
    assert_eq!(limited.wait().code, Some(0));
    // It can be created, but cannot grow.
    let mut free = program(&twilio, directory.path(), "");
    let seen = scrape(&client, free.address()).await.unwrap();
    assert_eq!(failures(&seen), Some(0.0));
    free.signal("TERM");
    assert_eq!(free.wait().code, Some(0));
    let size = std::fs::metadata(directory.path().join("state.redb"))
        .unwrap()
        .len();
    let limit = format!("ulimit -f {}", size.div_ceil(512));
    let mut limited = program(&twilio, directory.path(), &limit);
    let address = limited.address();
    for number in 0..20_000 {
        twilio.put(
            HOUR + Duration::from_millis(number),
            json!({"total": 1, "queued": 1}),
        );
    }
    eventually("a save fails", || async {
        scrape(&client, address)
            .await
            .is_some_and(|seen| failures(&seen) > Some(0.0))
    })
    .await;
    let seen = scrape(&client, address).await.unwrap();
    seen.expect("limited again", &[("up", 1.0)]);
    assert!(accepted(&seen).is_some(), "counters stay at what was saved");
    limited.signal("TERM");
    let finished = limited.wait();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("File too large"),
        "{}",
        finished.stderr
    );
}

/// Like a full disk: every save fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_one_failure_per_collection_and_one_log_line() {
    let directory = tempfile::tempdir().unwrap();
    let in_the_way = directory.path().join("file");
    std::fs::write(&in_the_way, "in the way").unwrap();
    let twilio = Twilio::empty().await;
    // Several pages: each one is saved when it was read.
    for number in 0..2500 {
        twilio.put(
            HOUR + Duration::from_millis(number),
            json!({"total": 1, "queued": 1}),
        );
    }
    let mut program = program(&twilio, &in_the_way.join("state"), "");
    let address = program.address();
    let client = client();
    let collected = || async {
        let seen = scrape(&client, address).await.unwrap();
        seen.expect("a full disk", &[("up", 1.0), ("collection_complete", 1.0)]);
        failures(&seen).unwrap()
    };
    let before = collected().await;
    for more in 1..=4_u32 {
        twilio.put(HOUR, json!({"total": 1, "queued": 1}));
        let failures = collected().await;
        assert!(
            (failures - before - f64::from(more)).abs() < 0.1,
            "{before} failures before, {failures} after {more} collections"
        );
    }
    let lines = |words: &str| {
        let stderr = program.stderr();
        stderr.lines().filter(|line| line.contains(words)).count()
    };
    assert_eq!(lines("cannot save counters"), 1, "{}", program.stderr());
    std::fs::remove_file(&in_the_way).unwrap();
    eventually("saved", || async {
        accepted(&scrape(&client, address).await.unwrap()).is_some()
    })
    .await;
    assert_eq!(lines("counters are saved again"), 1, "{}", program.stderr());
    assert_eq!(lines("cannot save counters"), 1);
}

/// The file is deleted, moved or replaced: without a check the exporter would write into a file that nobody can open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_file_is_written_again_and_the_counters_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state.redb");
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 1, "queued": 1}));
    let client = client();
    let enable_api = "TWILIO_EMAIL_WEB_ENABLE_API=true; export TWILIO_EMAIL_WEB_ENABLE_API";
    let mut running = program(&twilio, directory.path(), enable_api);
    let address = running.address();
    scrape(&client, address).await.unwrap();
    // Counters include only emails since the exporter was started.
    let id = twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let registered = client
        .post(format!("http://{address}/api/v1/operations"))
        .header("Content-Type", "application/json")
        .body(json!({"id": id.to_string(), "labels": {"team": "blue"}}).to_string());
    let registered = registered.send().await.unwrap();
    assert!(
        registered.status().is_success(),
        "{:?}",
        registered.text().await
    );
    let seen = scrape(&client, address).await.unwrap();
    assert_eq!((accepted(&seen), failures(&seen)), (Some(7.0), Some(0.0)));
    std::fs::remove_file(&file).unwrap();
    // The exporter notices it although there is nothing to save.
    let seen = scrape(&client, address).await.unwrap();
    assert_eq!((accepted(&seen), failures(&seen)), (Some(7.0), Some(1.0)));
    let lost = "twilio_email_exporter_state_files_lost_total";
    assert_eq!(seen.value(lost, &[]), Some(1.0));
    eventually("a new file", || async { file.exists() }).await;
    let line = running.line(&["level=error", "was gone while the exporter ran"]);
    assert!(line.contains("a new one is written from memory"), "{line}");
    running.signal("KILL");
    running.wait();
    let mut again = program(&twilio, directory.path(), enable_api);
    let address = again.address();
    let seen = scrape(&client, address).await.unwrap();
    assert_eq!(
        accepted(&seen),
        Some(7.0),
        "as before, and not counted twice"
    );
    let one = client.get(format!("http://{address}/api/v1/operations/{id}"));
    let one = one.send().await.unwrap().text().await.unwrap();
    assert!(one.contains("blue"), "still registered: {one}");
}

/// A save that hangs is not counted as a failure, so its age must be exposed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_that_hangs_is_exposed_and_the_counters_do_not_change() {
    let directory = tempfile::tempdir().unwrap();
    let twilio = Twilio::empty().await;
    let yaml =
        one_account(&twilio, "") + &format!("storage: {{path: {}}}\n", directory.path().display());
    let gate = DiskGate::default();
    let exporter = Exporter::start_behind(gate.clone(), &yaml, Clock::System, Overrides::default())
        .await
        .settled()
        .await;
    assert_eq!(accepted(&exporter.scrape().await), Some(0.0));
    let hang = gate.hold_syncs();
    twilio.put(Duration::ZERO, json!({"total": 7, "delivered": 7}));
    let unsaved = |seen: &Exposition| {
        let unsaved = "twilio_email_exporter_state_unsaved_seconds";
        seen.value(unsaved, &[])
    };
    eventually("a save hangs", || async {
        unsaved(&exporter.scrape_within(0.6).await) > Some(0.0)
    })
    .await;
    let seen = exporter.scrape_within(0.6).await;
    assert_eq!((accepted(&seen), failures(&seen)), (Some(0.0), Some(0.0)));
    let delivered = [("status", "delivered")];
    assert_eq!(seen.value("twilio_email_emails", &delivered), Some(7.0));
    drop(hang);
    eventually("saved", || async {
        let seen = exporter.scrape().await;
        accepted(&seen) == Some(7.0) && unsaved(&seen) == Some(0.0)
    })
    .await;
}

/// What keeps the exporter from opening its store at the start.
#[derive(Debug, Clone, Copy)]
enum Barrier {
    /// The mode of the directory. The exporter runs as a user to whom it applies.
    Mode,
    /// A file is in the place of the directory, as before a mount.
    File,
}

impl Barrier {
    fn raise(self, data: &Path) {
        match self {
            Self::Mode => set_mode(data, 0o000),
            Self::File => {
                std::fs::rename(data, data.with_file_name("elsewhere")).unwrap();
                std::fs::write(data, "in the way").unwrap();
            }
        }
    }

    fn lower(self, data: &Path) {
        match self {
            Self::Mode => {
                set_mode(&data.join("state.redb"), 0o666);
                set_mode(data, 0o777);
            }
            Self::File => {
                std::fs::remove_file(data).unwrap();
                std::fs::rename(data.with_file_name("elsewhere"), data).unwrap();
            }
        }
    }

    /// What the shell does before it starts the exporter.
    fn before(self) -> &'static str {
        match self {
            Self::Mode => {
                "[ \"$(id -u)\" != 0 ] || set -- setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\""
            }
            Self::File => "",
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// No counter is exposed until then, so the counters continue from their saved values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_can_be_opened_only_after_the_start_is_loaded() {
    for barrier in [Barrier::Mode, Barrier::File] {
        let directory = tempfile::tempdir().unwrap();
        set_mode(directory.path(), 0o755);
        let data = directory.path().join("data");
        let twilio = Twilio::empty().await;
        let storage = format!("storage: {{path: {}}}\n", data.display());
        let yaml = one_account(&twilio, "") + &storage;
        let options = Overrides {
            enable_api: Some(true),
            ..Overrides::default()
        };
        let first = Exporter::start_with(&yaml, Clock::System, options).await;
        let first = first.settled().await;
        let grows = twilio.put(Duration::ZERO, json!({"total": 9, "delivered": 4}));
        let idle = twilio.put(Duration::ZERO, json!({"total": 2, "delivered": 2}));
        assert_eq!(accepted(&first.scrape().await), Some(11.0), "{barrier:?}");
        let label = json!({"id": idle.to_string(), "labels": {"team": "blue"}});
        let registered = first.client.post(first.url("/api/v1/operations"));
        let registered = registered.header("Content-Type", "application/json");
        let registered = registered.body(label.to_string()).send().await.unwrap();
        assert!(registered.status().is_success(), "{registered:?}");
        first.stop().await.unwrap();

        barrier.raise(&data);
        let delivered = json!({"total": 9, "delivered": 8});
        twilio.set(grows, grows.created(), "PROCESSING", delivered);
        let enable_api = "TWILIO_EMAIL_WEB_ENABLE_API=true; export TWILIO_EMAIL_WEB_ENABLE_API";
        let before = format!("{enable_api}\n{}", barrier.before());
        let mut running = program(&twilio, &data, &before);
        let (address, client) = (running.address(), client());
        let seen = scrape(&client, address).await.unwrap();
        let all = [("status", "delivered")];
        assert_eq!(seen.value("twilio_email_emails", &all), Some(10.0));
        assert_eq!(accepted(&seen), None, "{barrier:?}: nothing is counted");
        // Emails of the time in between count as well.
        twilio.put(Duration::ZERO, json!({"total": 5, "delivered": 5}));
        let seen = scrape(&client, address).await.unwrap();
        assert_eq!(seen.value("twilio_email_emails", &all), Some(15.0));

        barrier.lower(&data);
        eventually("what was saved is loaded", || async {
            accepted(&scrape(&client, address).await.unwrap()).is_some()
        })
        .await;
        let seen = scrape(&client, address).await.unwrap();
        assert_eq!(accepted(&seen), Some(16.0), "{barrier:?}");
        let outcome = [("outcome", "delivered")];
        let outcomes = seen.value("twilio_email_email_outcomes_total", &outcome);
        assert_eq!(outcomes, Some(15.0), "{barrier:?}");
        assert_eq!(seen.value("twilio_email_emails", &all), Some(15.0));
        let one = format!("http://{address}/api/v1/operations/{idle}");
        let one = client.get(one).send().await.unwrap().text().await.unwrap();
        assert!(one.contains("blue"), "still registered: {one}");
        let line = running.line(&["level=warn", "can be read now"]);
        assert!(line.contains("the saved state is loaded"), "{line}");
        running.line(&["counters are saved again"]);
        running.signal("TERM");
        let finished = running.wait();
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        // All of it was saved.
        set_mode(&data, 0o755);
        let again = Exporter::start(&yaml).await.settled().await;
        assert_eq!(accepted(&again.scrape().await), Some(16.0), "{barrier:?}");
    }
}
