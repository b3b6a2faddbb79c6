//! What needs no network: the configuration, the storage, the addresses and the web configuration.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use super::*;
use crate::support::exporter::{Exporter, one_account};
use crate::support::twilio::Twilio;

#[tokio::test]
async fn offline_no_request_is_made_and_everything_else_is_checked() {
    let twilio = Twilio::empty().await;
    let mut setup = Setup::new(&one_account(&twilio, "operation_files: [list.yml]"));
    setup.files.write("list.yml", "[]\n");
    setup.offline = true;
    let report = setup.check().await;
    assert_eq!(twilio.handle.counts().total, 0);
    assert_eq!(report.count(Status::Failed), 0, "{report:#?}");
    assert_eq!(only(&report, "requests").status, Status::Skipped);
    for check in ["configuration", "listen_address", "operation_files"] {
        assert_eq!(only(&report, check).status, Status::Ok, "{report:#?}");
    }
}

#[tokio::test]
async fn each_problem_of_the_configuration_is_a_failure_and_nothing_else_is_checked() {
    let report = checked("accounts: []\nwrong: 1\nseries: {max_operations: -1}\n").await;
    assert!(report.is_misconfigured());
    let failed = with_status(&report, Status::Failed);
    assert_eq!(failed, ["configuration"; 3], "{report:#?}");
    assert_eq!(report.results().count(), 3);
    let mut results = report.results();
    let wrong = results.find(|result| result.what.contains("config.yml: unknown key `wrong`"));
    assert!(wrong.is_some(), "{report:#?}");
}

#[tokio::test]
async fn notices_of_the_configuration_are_warnings() {
    let twilio = Twilio::empty().await;
    let url = "http://example.invalid/v1";
    let yaml = one_account(&twilio, "").replace(&twilio.base_url(), url);
    let mut setup = Setup::new(&yaml);
    setup.offline = true;
    let report = setup.check().await;
    let mut results = report.results();
    let notice = results.find(|result| result.what.contains("accounts[0].base_url"));
    assert_eq!(notice.unwrap().status, Status::Warning, "{report:#?}");
}

#[tokio::test]
async fn counters_in_memory_alone_are_a_warning() {
    let twilio = Twilio::empty().await;
    let report = checked(&one_account(&twilio, "")).await;
    let storage = only(&report, "state_directory");
    assert_eq!(
        (storage.status, storage.code),
        (Status::Warning, Some("memory_only"))
    );
}

/// A setup with this state directory.
fn stored(twilio: &Twilio, directory: PathBuf) -> Setup {
    let mut setup = Setup::new(&one_account(twilio, ""));
    setup.options.storage_path = Some(directory);
    setup
}

#[tokio::test]
async fn a_state_directory_that_can_be_written_is_left_as_it_is() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let report = stored(&twilio, directory.path().to_owned()).check().await;
    assert_eq!(only(&report, "state_directory").status, Status::Ok);
    let missing = directory.path().join("a/b");
    let report = stored(&twilio, missing.clone()).check().await;
    let state = only(&report, "state_directory");
    assert_eq!(state.status, Status::Ok);
    assert!(
        state
            .what
            .ends_with("does not exist yet; the exporter creates it")
    );
    assert!(!missing.exists());
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    let system = only(&report, "file_system");
    assert_ne!(system.status, Status::Failed, "{system:?}");
}

#[tokio::test]
async fn memory_that_looks_like_a_disk_is_a_warning() {
    let twilio = Twilio::empty().await;
    let Ok(directory) = tempfile::tempdir_in("/dev/shm") else {
        // Not every system has it.
        return;
    };
    let report = stored(&twilio, directory.path().to_owned()).check().await;
    let system = only(&report, "file_system");
    assert_eq!(system.status, Status::Warning, "{system:?}");
    assert!(system.what.ends_with("of type tmpfs"), "{system:?}");
    assert!(system.cause.contains("in memory"), "{system:?}");
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_written_fails_in_the_words_of_the_page() {
    let twilio = Twilio::empty().await;
    // `/proc` accepts no files, not even from root; a file is no directory.
    let file = tempfile::NamedTempFile::new().unwrap();
    for directory in [PathBuf::from("/proc"), file.path().join("data")] {
        let report = stored(&twilio, directory.clone()).check().await;
        let words = format!("Cannot write to {}", directory.display());
        let state = fails(&report, "state_directory", &words);
        assert_eq!(state.what, "Counters cannot be saved");
        assert_eq!(state.code, Some("unsaved"));
    }
}

#[tokio::test]
async fn a_state_directory_of_another_process_fails_and_is_not_taken_from_it() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let setup = stored(&twilio, directory.path().to_owned());
    let path = directory.path().display();
    let yaml = one_account(&twilio, "") + &format!("storage: {{path: {path}}}\n");
    let exporter = Exporter::start(&yaml).await.settled().await;
    let report = setup.check().await;
    fails(
        &report,
        "state_directory_in_use",
        "give each exporter its own --storage.path",
    );
    exporter.scrape().await;
    // The exporter that is found is that of these addresses: it is running, which is no failure.
    let mut same = stored(&twilio, directory.path().to_owned());
    same.options.listen = vec![exporter.address.to_string().parse().unwrap()];
    let report = same.check().await;
    assert_eq!(report.count(Status::Failed), 0, "{report:#?}");
    for check in ["listen_address", "state_directory_in_use"] {
        let result = only(&report, check);
        assert_eq!(result.status, Status::Warning, "{result:?}");
        assert!(result.what.contains("the running exporter"), "{result:?}");
    }
    let seen = exporter.scrape().await;
    seen.expect("undisturbed", &[("up", 1.0)]);
    exporter.stop().await.unwrap();
    assert_eq!(
        setup.check().await.count(Status::Failed),
        0,
        "it is free now"
    );
}

#[tokio::test]
async fn an_address_of_another_process_fails_and_names_it() {
    let twilio = Twilio::empty().await;
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let mut setup = Setup::new(&one_account(&twilio, ""));
    setup.options.listen = vec![address.to_string().parse().unwrap()];
    // It is closed by a server that is no exporter.
    let closing = std::thread::spawn(move || drop(other.accept()));
    let report = setup.check().await;
    let words = format!("cannot listen on {address} (--web.listen-address): another socket");
    fails(&report, "listen_address", &words);
    closing.join().unwrap();
}

#[tokio::test]
async fn addresses_that_exclude_each_other_fail_together() {
    let twilio = Twilio::empty().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut setup = Setup::new(&one_account(&twilio, ""));
    setup.options.listen = [format!("127.0.0.1:{port}"), format!("localhost:{port}")]
        .map(|address| address.parse().unwrap())
        .to_vec();
    let report = setup.check().await;
    let failed = with_status(&report, Status::Failed);
    assert_eq!(failed, ["listen_address"], "{report:#?}");
}

#[tokio::test]
async fn unix_sockets_are_checked_and_left_as_they_are() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("web.sock");
    let mut setup = Setup::new(&one_account(&twilio, ""));
    setup.options.listen = vec![format!("unix:{}", path.display()).parse().unwrap()];
    assert_eq!(
        only(&setup.check().await, "listen_address").status,
        Status::Ok
    );
    assert!(!path.exists());
    let live = UnixListener::bind(&path).unwrap();
    let serving = std::thread::spawn({
        let live = live.try_clone().unwrap();
        // Each check connects at most three times; what it gets is no HTTP.
        move || (0..3).for_each(|_| drop(live.accept()))
    });
    fails(&setup.check().await, "listen_address", "another socket");
    assert!(path.exists());
    drop((live, serving));
    std::fs::remove_file(&path).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    let report = setup.check().await;
    let result = only(&report, "listen_address");
    assert_eq!(result.status, Status::Ok, "{result:?}");
    assert!(result.what.contains("of a dead process"), "{result:?}");
    assert!(path.exists(), "the check removes nothing");
}

#[tokio::test]
async fn each_problem_of_the_web_configuration_is_a_failure_of_the_configuration() {
    let twilio = Twilio::empty().await;
    let mut setup = Setup::new(&one_account(&twilio, ""));
    setup.files.write("web.yml", "wrong: 1\nrate_limit: 5\n");
    let file = setup.files.config.with_file_name("web.yml");
    setup.options.web_config_file = Some(file);
    let report = setup.check().await;
    assert!(report.is_misconfigured());
    let failed = with_status(&report, Status::Failed);
    assert_eq!(failed, ["web_configuration"; 2], "{report:#?}");
    assert_eq!(
        only(&report, "read_operation").status,
        Status::Ok,
        "the rest is checked"
    );
    setup.files.write("web.yml", "basic_auth_users: {}\n");
    let report = setup.check().await;
    let web = only(&report, "web_configuration");
    assert_eq!(web.status, Status::Ok);
    assert!(
        web.what.ends_with("web.yml is valid: no TLS, no passwords"),
        "{web:?}"
    );
}
