//! Saves on a disk that hangs.

use super::*;
use crate::config::Series;
use crate::exposition::{Build, Instruments, Renderer, Syntax};
use crate::ongoing_failure::log::Log;
use crate::registry::Registry;
use crate::snapshot::Snapshot;
use crate::store::disk_gate::DiskGate;

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
/// How long a test waits for something that should be immediate.
const LIMIT: Duration = Duration::from_secs(20);

/// An account on a disk of its own.
struct Disk {
    directory: tempfile::TempDir,
    gate: DiskGate,
    instruments: Instruments,
    store: Arc<Store>,
}

impl Disk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let gate = DiskGate::default();
        let store = Store::open_behind(gate.clone(), Some(directory.path()), NOW).unwrap();
        let build = Build {
            version: "0",
            revision: "0",
        };
        let instruments = Instruments::new(build).unwrap();
        instruments.show_state().unwrap();
        Self {
            directory,
            gate,
            instruments,
            store: Arc::new(store),
        }
    }

    fn account_store(&self, account: &str) -> AccountStore {
        let store = Arc::clone(&self.store);
        AccountStore::new(Arc::from(account), store, self.instruments.state())
    }

    /// The value of `twilio_email_exporter_state_…`.
    fn state(&self, metric: &str) -> Option<f64> {
        let mut out = Vec::new();
        let nothing = Snapshot {
            accounts: Vec::new(),
        };
        Renderer::default().render(&nothing, &self.instruments, Syntax::Text, &mut out);
        let text = String::from_utf8(out).unwrap();
        let name = format!("twilio_email_exporter_state_{metric} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value?.parse().ok()
    }
}

fn registry(account: &str) -> Registry {
    Registry::new(Arc::from(account), &Series::default(), None, NOW)
}

async fn save(account_store: AccountStore, registry: &Registry) -> Option<(ToSave, CommitPermit)> {
    let permit = account_store.commit_permit().await;
    account_store
        .save(permit, registry.unsaved(), None, NOW)
        .await
}

/// Lets tasks run until something hangs at the gate.
async fn until_hanging(gate: &DiskGate) {
    let gate = gate.clone();
    let hangs = tokio::task::spawn_blocking(move || gate.wait_until_hanging(LIMIT));
    assert!(hangs.await.unwrap(), "nothing hangs");
}

#[tokio::test]
async fn a_save_waits_for_the_commit_of_one_that_was_cut_off() {
    let disk = Disk::new();
    let account_store = disk.account_store("default");
    let registry = registry("default");
    // Like the commit of a collection that was cut off.
    let current = account_store.commit_permit().await;
    let mut turn = std::pin::pin!(account_store.commit_permit());
    let early = tokio::time::timeout(Duration::from_millis(50), &mut turn).await;
    assert!(early.is_err(), "overtook the current commit");
    drop(current);
    let saved = account_store
        .save(turn.await, registry.unsaved(), None, NOW)
        .await;
    assert!(saved.is_some());
}

#[tokio::test]
async fn a_save_waits_until_the_previous_one_is_noted() {
    let disk = Disk::new();
    let account_store = disk.account_store("default");
    let (_, permit) = save(account_store.clone(), &registry("default"))
        .await
        .unwrap();
    let early = account_store.committing.try_lock();
    assert!(early.is_err(), "overtook a save that is not noted");
    drop(permit);
    account_store.commit_permit().await;
}

/// The save is reported even after its caller stopped waiting.
#[tokio::test(start_paused = true)]
async fn a_save_that_hangs_is_logged_and_shown_until_it_ends() {
    let (log, _logging) = Log::start();
    let disk = Disk::new();
    let (account_store, registry) = (disk.account_store("default"), registry("default"));
    let hang = disk.gate.hold_syncs();
    let caller = tokio::spawn({
        let account_store = account_store.clone();
        let batch = registry.unsaved();
        async move {
            let permit = account_store.commit_permit().await;
            account_store.save(permit, batch, None, NOW).await
        }
    });
    until_hanging(&disk.gate).await;
    caller.abort();
    assert_eq!(disk.state("unsaved_seconds"), Some(0.0));
    let slow = "saving takes too long";
    let pass = |time| async move {
        tokio::time::advance(time).await;
        // Lets the watching task run.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    };
    pass(SLOW / 2).await;
    assert_eq!(log.lines(slow), 0);
    pass(SLOW).await;
    assert_eq!(log.lines(slow), 1);
    assert_eq!(disk.state("unsaved_seconds"), Some(7.5));
    for _ in 0..90 {
        pass(Duration::from_mins(1)).await;
    }
    assert_eq!(log.lines(slow), 2, "once an hour: {log:?}");
    assert_eq!(disk.state("unsaved_seconds"), Some(5407.5));
    assert_eq!(disk.state("save_failures_total"), Some(0.0));
    assert_eq!(log.lines("again"), 0);
    drop(hang);
    // The next save waits for this one, and is fast.
    assert!(save(account_store, &registry).await.is_some());
    assert_eq!(disk.state("unsaved_seconds"), Some(0.0));
    assert_eq!(
        disk.state("last_save_timestamp_seconds"),
        Some(NOW.as_seconds())
    );
    assert_eq!(log.lines("saving is fast again"), 1, "{log:?}");
}

/// Every kind of save is watched, registrations among them.
#[tokio::test(start_paused = true)]
async fn a_registration_that_hangs_is_logged() {
    let (log, _logging) = Log::start();
    let disk = Disk::new();
    let account_store = disk.account_store("default");
    let hang = disk.gate.hold_syncs();
    let id = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
    let registering = tokio::spawn({
        let account_store = account_store.clone();
        async move {
            account_store
                .register(vec![(id.parse().unwrap(), None)], NOW)
                .await
        }
    });
    until_hanging(&disk.gate).await;
    tokio::time::advance(SLOW + Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    assert_eq!(log.lines("saving takes too long"), 1);
    drop(hang);
    registering.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_fails_to_be_saved_is_shown_with_its_age_and_a_lost_file_is_counted_once() {
    let disk = Disk::new();
    let stores = ["a", "b"].map(|account| (disk.account_store(account), registry(account)));
    for (account_store, registry) in &stores {
        assert!(save(account_store.clone(), registry).await.is_some());
    }
    std::fs::remove_file(disk.directory.path().join("state.redb")).unwrap();
    for (account_store, registry) in &stores {
        account_store.check(NOW).await;
        assert!(account_store.is_behind());
        assert!(save(account_store.clone(), registry).await.is_none());
    }
    assert_eq!(disk.state("files_lost_total"), Some(1.0));
    assert_eq!(disk.instruments.state().lost_since(), Some(NOW));
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(disk.state("unsaved_seconds"), Some(60.0));
    for (account_store, registry) in &stores {
        let permit = account_store.commit_permit().await;
        let all = Some(ListedOperations::new());
        let saved = account_store
            .save(permit, registry.unsaved(), all, NOW)
            .await;
        assert!(saved.is_some());
    }
    assert_eq!(disk.state("unsaved_seconds"), Some(0.0));
    assert_eq!(disk.state("files_lost_total"), Some(1.0));
}

#[tokio::test]
async fn changes_are_unsaved_from_the_first_failure_until_a_save_succeeds() {
    let disk = Disk::new();
    let account_store = disk.account_store("default");
    assert_eq!(account_store.unsaved_for(), None);
    account_store.save_failed(&StoreError::Stopped, NOW);
    let (_, error) = account_store.unsaved_for().unwrap();
    assert_eq!(error, Some(StoreError::Stopped.to_string()));
    save(account_store.clone(), &registry("default"))
        .await
        .unwrap();
    assert_eq!(account_store.unsaved_for(), None);
}
