//! Saves that fail, and panics in the middle of a response.

use std::path::Path;

use super::*;
use crate::config::{Config, Overrides};
use crate::exposition::{Build, Instruments, Renderer, Syntax};
use crate::operation::{OperationState, Stats, Status};
use crate::registry::Source;
use crate::snapshot::{CollectionStatus, Snapshot};
use crate::store::Store;

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

/// An account that has counted since an hour ago, and a client that makes no request.
struct Scene {
    ledger: Arc<Ledger>,
    client: Arc<Client>,
    instruments: Instruments,
}

impl Scene {
    /// A scene with its state in `directory`; without one, in memory only.
    fn new(directory: Option<&Path>) -> Self {
        let variables = |name: &str| match name {
            "TWILIO_ACCOUNT_SID" => Some("AC00000000000000000000000000000000".into()),
            "TWILIO_AUTH_TOKEN" => Some("made-up".into()),
            _ => None,
        };
        let config = Config::load(&Overrides::default(), &variables).unwrap();
        let account = &config.accounts[0];
        let build = Build {
            version: "0",
            revision: "0",
        };
        let instruments = Instruments::new(build).unwrap();
        let clock = Clock::manual(NOW - Duration::from_hours(1));
        let store = Arc::new(Store::open(directory, clock.now()).unwrap());
        let (registry, store_of_account) = restore::account(
            account,
            &config.series,
            &store,
            &instruments.state(),
            clock.now(),
        )
        .unwrap();
        let requests = instruments.account(&account.name);
        let client = Arc::new(Client::new(account, requests, clock.clone()).unwrap());
        let ledger = Arc::new(Ledger::new(registry, store_of_account, clock.clone()));
        ledger.lock().decide_birth(None, clock.now());
        ledger.lock().end_first_collection();
        clock.set(NOW);
        Self {
            ledger,
            client,
            instruments,
        }
    }

    async fn ingest(&self, operations: Vec<Operation>) {
        self.ledger.ingest(operations, NOW, &self.client).await;
    }

    fn rebuilds(&self) -> u64 {
        let mut text = Vec::new();
        let nothing = Snapshot::default();
        Renderer::default().render(&nothing, &self.instruments, Syntax::Text, &mut text);
        let text = String::from_utf8(text).unwrap();
        let name = "twilio_email_exporter_registry_rebuilds_total ";
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap().parse().unwrap()
    }
}

/// The `n`th operation, with one delivered email, created a second after the previous one.
fn operation(n: u64) -> Operation {
    let created = NOW - Duration::from_mins(30) + Duration::from_secs(n);
    let mut stats = Stats {
        size: Some(1),
        ..Stats::default()
    };
    stats.set(Status::Delivered, 1);
    Operation {
        id: crate::simulator::operation_id(created, u128::from(n)),
        state: OperationState::Completed,
        stats,
        created,
        updated: None,
    }
}

#[tokio::test]
async fn a_panic_in_the_registry_loses_no_operation_and_no_count() {
    let directory = tempfile::tempdir().unwrap();
    let accepted = panic_while_ingesting(Scene::new(Some(directory.path()))).await;
    assert_eq!(accepted, 2_000);
}

#[tokio::test]
async fn a_panic_without_a_state_file_loses_no_operation_and_counts_none_twice() {
    let accepted = panic_while_ingesting(Scene::new(None)).await;
    assert_eq!(accepted, 1_999, "all but the one that was not saved");
}

/// Saves, however long the disk takes.
async fn save_everything(ledger: &Arc<Ledger>) {
    let everything = async {
        while ledger.is_save_needed() {
            ledger.save().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let saved = timeout(Duration::from_secs(20), everything).await;
    assert!(saved.is_ok(), "not saved");
}

/// Panics in the middle of a response; returns how many emails count in the end.
async fn panic_while_ingesting(scene: Scene) -> u64 {
    let ledger = &scene.ledger;
    let all: Vec<_> = (0..2_000).map(operation).collect();
    scene.ingest(all.iter().step_by(2).cloned().collect()).await;
    let file = Source::File(Arc::from("spring.yml"));
    let listed: ListedOperations = [(all[0].id, Labels::default())].into();
    ledger.lock().list(file.clone(), listed.clone(), NOW);
    save_everything(ledger).await;
    // Read, and not saved before the panic.
    scene.ingest(vec![all[1].clone()]).await;
    ledger.lock().panic_on(all[1_001].id);
    let response = all.clone();
    let (this, client) = (Arc::clone(ledger), Arc::clone(&scene.client));
    let ingested = tokio::spawn(async move { this.ingest(response, NOW, &client).await }).await;
    assert!(ingested.unwrap_err().is_panic());
    for known in all.iter().step_by(2).chain([&all[1]]) {
        assert!(ledger.view(known.id).is_some(), "{}", known.id);
    }
    assert_eq!(ledger.lock().presenter().all_listed_by(&file), listed);
    assert_eq!(scene.rebuilds(), 1);
    // The rebuilt registry continues, and each operation counts once.
    scene.ingest(all.clone()).await;
    save_everything(ledger).await;
    let registry = ledger.lock();
    let shown = registry.presenter().snapshot(CollectionStatus::default());
    assert_eq!(shown.totals.size(), 2_000);
    drop(registry);
    assert_eq!(scene.rebuilds(), 1);
    shown.counters.unwrap().accepted
}

#[tokio::test]
async fn a_panic_while_a_list_is_applied_loses_none_of_its_operations() {
    let scene = Scene::new(None);
    let ledger = &scene.ledger;
    let all: Vec<_> = (0..4_000).map(operation).collect();
    scene.ingest(all.clone()).await;
    let file = Source::File(Arc::from("spring.yml"));
    let listed: ListedOperations = all
        .iter()
        .map(|each| (each.id, Labels::default()))
        .collect();
    // In a slice after the first one.
    ledger.lock().panic_on(all[2_500].id);
    ledger.lock().list(file.clone(), listed.clone(), NOW);
    let this = Arc::clone(ledger);
    let applied = tokio::spawn(async move { this.catch_up().await }).await;
    assert!(applied.unwrap_err().is_panic());
    ledger.catch_up().await;
    assert_eq!(scene.rebuilds(), 1);
    assert_eq!(ledger.lock().presenter().all_listed_by(&file), listed);
    for each in &all {
        let sources = ledger.view(each.id).map(|view| view.sources);
        assert_eq!(sources, Some(vec![file.clone()]), "{}", each.id);
    }
}
