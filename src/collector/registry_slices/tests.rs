//! No lock of the registry visits more operations than a few slices have, whatever changes all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::clock::Clock;
use crate::collector::account_store::AccountStore;
use crate::exposition::{Build, Instruments};
use crate::operation::{
    Evidence, Marks, Operation, OperationState, Outcome, RETENTION, Stats, Status,
};
use crate::registry::{CHUNK_SIZE, Source, visits};
use crate::simulator::operation_id;
use crate::snapshot::{AccountSnapshot, CollectionStatus, Labels, ListedOperations};
use crate::store::{SavedOperation, Store};

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
/// The chunks of the account.
const CHUNKS: usize = 80;
const KNOWN: usize = CHUNKS * CHUNK_SIZE;
/// The chunks that one lock may visit. Far fewer than there are, so that work on all operations at once is noticed.
const MOST_CHUNKS: usize = 24;

/// A large account that has counted for a week, and whose operations have the label `campaign`.
struct Large {
    ledger: Arc<Ledger>,
    clock: Clock,
}

fn series() -> Series {
    Series {
        tags: vec!["campaign".to_owned()],
        ..Series::default()
    }
}

fn campaign(name: &str) -> Labels {
    Arc::new([("campaign".to_owned(), name.to_owned())].into())
}

/// The `n`th operation: three emails, of which one was opened.
fn saved(n: usize) -> SavedOperation {
    let created = NOW - Duration::from_hours(24) + Duration::from_millis(n as u64);
    let mut stats = Stats {
        size: Some(3),
        ..Stats::default()
    };
    stats.set(Status::Delivered, 2);
    stats.set(Status::Opened, 1);
    SavedOperation {
        last_success: NOW - Duration::from_hours(1),
        last_change: created,
        marks: Marks::shown_by(&stats, CountingMode::Cumulative),
        credited: Labels::default(),
        tags: Some(campaign("spring")),
        scheduled_for: None,
        operation: Operation {
            id: operation_id(created, n as u128),
            state: OperationState::Completed,
            stats,
            created,
            updated: None,
        },
    }
}

impl Large {
    fn new() -> Self {
        let clock = Clock::manual(NOW - RETENTION);
        let store = Arc::new(Store::open(None, clock.now()).unwrap());
        let build = Build {
            version: "0",
            revision: "0",
        };
        let state = Instruments::new(build).unwrap().state();
        let name: Arc<str> = Arc::from("large");
        let account_store = AccountStore::new(Arc::clone(&name), Arc::clone(&store), state);
        let mut registry = Registry::new(name, &series(), None, clock.now());
        registry.decide_birth(None, clock.now());
        registry.end_first_collection();
        registry.restore_email_proof(CountingMode::Cumulative);
        registry.restore_operations((0..KNOWN).map(saved), NOW);
        clock.set(NOW);
        let ledger = Arc::new(Ledger::new(registry, account_store, clock.clone()));
        Self { ledger, clock }
    }

    fn snapshot(&self) -> AccountSnapshot {
        let registry = self.ledger.lock();
        registry.presenter().snapshot(CollectionStatus::default())
    }

    /// The number of operations in memory, and in the sums.
    fn sizes(&self) -> (usize, u64) {
        let sum = self.snapshot().totals.size();
        (self.ledger.lock().size(), sum)
    }

    fn delivered(&self) -> Option<u64> {
        let counters = self.snapshot().counters?;
        Some(counters.outcomes[Outcome::Delivered as usize])
    }

    /// Saves everything. Returns the delivered emails that scrapes expose meanwhile, each value once.
    async fn save(&self) -> Vec<Option<u64>> {
        let mut exposed = vec![self.delivered()];
        while !self.ledger.lock().is_saved() {
            let ledger = Arc::clone(&self.ledger);
            let save = tokio::spawn(async move { ledger.save().await });
            while !save.is_finished() {
                exposed.push(self.delivered());
                tokio::task::yield_now().await;
            }
        }
        exposed.push(self.delivered());
        exposed.dedup();
        exposed
    }

    fn prove(&self, mode: CountingMode) {
        for n in 0..3 {
            let id = saved(n).operation.id;
            self.ledger.lock().note_emails(id, mode, Evidence::Large);
        }
    }
}

/// Asserts that no lock since the last call visited too many operations.
fn assert_slices(what: &str) {
    let most = visits::take_most();
    assert!(
        most <= MOST_CHUNKS * CHUNK_SIZE,
        "{what}: {most} operations"
    );
}

#[tokio::test]
async fn a_clock_that_was_set_and_a_failed_list_change_operations_in_slices() {
    let large = Large::new();
    let ledger = &large.ledger;
    let instant = ledger.instant();
    ledger.lock().set_time(NOW, instant);
    ledger
        .lock()
        .set_time(NOW - Duration::from_hours(2), instant);
    ledger.catch_up().await;
    assert_slices("a clock that was set");
    ledger
        .lock()
        .fail_windows([(NOW - RETENTION, None)], NOW, NOW);
    ledger.catch_up().await;
    assert_slices("a failed list");
    let failed = large.snapshot().operations;
    assert!(!failed.is_empty() && failed.iter().all(|shown| shown.up == Some(false)));
    ledger.fail_due(NOW + RETENTION, NOW + RETENTION).await;
    assert_slices("a long stop");
}

#[tokio::test]
async fn a_list_of_a_source_is_applied_in_slices() {
    let large = Large::new();
    let ledger = &large.ledger;
    ledger.catch_up().await;
    visits::take_most();
    let file = Source::File(Arc::from("spring.yml"));
    let team: Labels = Arc::new([("team".to_owned(), "shop".to_owned())].into());
    // One operation of each chunk at least, and one that was never read.
    let known = (0..=KNOWN).step_by(CHUNK_SIZE / 3);
    let listed: ListedOperations = known
        .map(|n| (saved(n).operation.id, Arc::clone(&team)))
        .collect();
    let mut slices = 1;
    ledger.lock().list(file.clone(), listed.clone(), NOW);
    while ledger.lock().catch_up() {
        slices += 1;
    }
    assert_slices("a list");
    assert!(slices > CHUNKS / MOST_CHUNKS, "{slices} slices");
    assert_eq!(ledger.lock().presenter().all_listed_by(&file), listed);
    assert_eq!(ledger.lock().presenter().sources(), vec![file.clone()]);
    let shown = ledger.lock().presenter().view(saved(0).operation.id);
    assert_eq!(shown.map(|view| view.sources), Some(vec![file.clone()]));
    ledger.lock().list(file, ListedOperations::new(), NOW);
    ledger.catch_up().await;
    assert_slices("an empty list");
    assert_eq!(ledger.lock().presenter().sources(), []);
}

#[tokio::test]
async fn a_counting_mode_that_emails_prove_late_is_exposed_once_all_operations_count_in_it() {
    let large = Large::new();
    large.save().await;
    assert_eq!(
        large.delivered(),
        Some(0),
        "all of them are baseline of this test"
    );
    visits::take_most();
    large.prove(CountingMode::Exclusive);
    let mode = large.snapshot().counting_mode;
    assert_eq!(
        (mode, large.delivered()),
        (CountingMode::Exclusive, Some(0))
    );
    assert_eq!(large.save().await, [Some(0), Some(KNOWN as u64)]);
    assert_slices("a recount");
}

#[tokio::test]
async fn a_reload_of_series_visits_operations_in_slices() {
    let large = Large::new();
    large.save().await;
    visits::take_most();
    let reload = |series: &Series, what: &str| {
        large.ledger.reconfigure(series, None);
        large.ledger.catch_up_blocking();
        assert_slices(what);
    };
    let grouped = Series {
        aggregate_by: vec![Arc::from("campaign")],
        ..series()
    };
    reload(&grouped, "a label to aggregate by");
    let [spring] = &large.snapshot().groups[..] else {
        panic!("one campaign");
    };
    assert_eq!(spring.totals.size(), KNOWN as u64);
    large.save().await;
    assert_slices("a save of all memberships");
    let few = Series {
        min_size: 4,
        ..grouped.clone()
    };
    // A scrape between two slices visits few operations, too.
    large.ledger.reconfigure(&few, None);
    assert_eq!(large.snapshot().operations.len(), 1000);
    reload(&few, "fewer operations with series");
    assert_eq!(large.snapshot().operations.len(), 0);
    let other_tags = Series {
        tags: vec!["team".to_owned()],
        ..grouped
    };
    reload(&other_tags, "other tags");
    assert_eq!(large.snapshot().groups[0].totals.size(), 0);
    assert_eq!(large.ledger.lock().untagged(usize::MAX).len(), KNOWN);
}

#[tokio::test]
async fn everything_is_saved_again_in_slices_with_what_changes_meanwhile() {
    let large = Large::new();
    large.save().await;
    visits::take_most();
    large.ledger.lock().lost();
    let collecting = {
        let ledger = Arc::clone(&large.ledger);
        tokio::spawn(async move { ledger.collect_unsaved().await })
    };
    tokio::task::yield_now().await;
    // The first operation is collected by now. It grows, and a new one is found.
    let grown = |n: usize, delivered: u32| {
        let mut operation = saved(n).operation;
        operation.stats.size = Some(delivered + 1);
        operation.stats.set(Status::Delivered, delivered);
        operation
    };
    let read = vec![grown(0, 9), grown(KNOWN, 2)];
    large.ledger.lock().observe(read, |_| None, NOW, NOW);
    let batch = collecting.await.unwrap();
    assert_slices("a lost file");
    let operations: BTreeMap<_, _> = batch
        .operations
        .iter()
        .map(|saved| (saved.operation.id, saved.marks.accepted))
        .collect();
    assert_eq!(operations.len(), KNOWN + 1);
    let accepted = |n: usize| operations[&saved(n).operation.id];
    assert_eq!((accepted(0), accepted(1), accepted(KNOWN)), (10, 3, 3));
    assert_eq!(
        batch.account.counters.accepted,
        7 + 3,
        "all that the operations have"
    );
    large.ledger.lock().saved(&batch);
    large.ledger.in_slices(Registry::forget_saved).await;
    assert!(large.ledger.lock().is_saved());
    assert_slices("a save of all operations");
}

#[tokio::test]
async fn operations_that_no_source_lists_and_expired_ones_are_removed_in_slices() {
    let large = Large::new();
    large.save().await;
    visits::take_most();
    large.ledger.lock().drop_unlisted(false);
    large.ledger.catch_up().await;
    assert_slices("no discovery");
    assert_eq!(large.sizes(), (0, 0));
    let large = Large::new();
    large.save().await;
    visits::take_most();
    // The machine was suspended.
    large.clock.set(NOW + RETENTION);
    large.ledger.expire_all().await;
    assert_slices("expired operations");
    assert_eq!(large.sizes(), (0, 0));
}
