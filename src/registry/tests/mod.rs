//! What the registry exposes, and the content of chunks. Other subjects have files of their own.

mod account_counters;
mod agenda;
mod clock;
mod due;
mod email_evidence;
mod groups;
mod labels;
mod presenter;
mod rejected_operations;
mod scheduled_times;
mod unconfirmed;
mod vocabulary;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::operation::{OperationState, Outcome, PREFIX, Stats, Status};
use crate::snapshot::CollectionStatus;

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
const HOUR: Duration = Duration::from_hours(1);

/// The `n`th id made at `created`.
fn id(created: Timestamp, n: u32) -> OperationId {
    let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
    let digit = |shift: i64| {
        char::from(alphabet[usize::try_from(created.as_millis() >> shift & 31).unwrap()])
    };
    let time: String = (0..10).rev().map(|at| digit(at * 5)).collect();
    format!("{PREFIX}{time}{n:016}").parse().unwrap()
}

fn operation(created: Timestamp, n: u32, delivered: u32) -> Operation {
    let mut stats = Stats {
        size: Some(delivered),
        ..Stats::default()
    };
    stats.set(Status::Delivered, delivered);
    Operation {
        id: id(created, n),
        state: OperationState::Completed,
        stats,
        created,
        updated: None,
    }
}

/// At most two operations with series, and aggregation by campaign.
fn series() -> Series {
    Series {
        max_operations: 2,
        aggregate_by: vec![Arc::from("campaign")],
        max_label_values: 2,
        ..Series::default()
    }
}

/// A registry of an account that was first watched two days ago.
fn registry(configured: &[OperationId]) -> Registry {
    let mut registry = Registry::new(Arc::from("default"), &series(), None, NOW - 48 * HOUR);
    begin(&mut registry);
    let configured = configured.iter().map(|id| (*id, Labels::default()));
    registry.list(Source::Configuration, configured.collect(), NOW);
    registry
}

/// The first collection finds no operation.
fn begin(registry: &mut Registry) {
    registry.decide_birth(None, NOW);
    registry.end_first_collection();
}

fn observe(registry: &mut Registry, operations: &[Operation], now: Timestamp) -> usize {
    registry
        .observe(operations.to_vec(), |_| None, now, now)
        .newly_read
}

fn shown(registry: &Registry) -> Vec<OperationId> {
    registry
        .presenter()
        .snapshot(CollectionStatus::default())
        .operations
        .iter()
        .map(|operation| operation.id)
        .collect()
}

fn up(registry: &Registry, id: OperationId) -> Option<bool> {
    let shown = registry
        .presenter()
        .snapshot(CollectionStatus::default())
        .operations;
    shown
        .iter()
        .find(|operation| operation.id == id)
        .unwrap()
        .up
}

fn sum(registry: &Registry, status: &str) -> u64 {
    let snapshot = registry.presenter().snapshot(CollectionStatus::default());
    snapshot
        .totals
        .emails()
        .find(|(name, _)| *name == status)
        .unwrap()
        .1
}

/// Saves, and returns the exposed counters: accepted and delivered.
fn counted(registry: &mut Registry) -> (u64, u64) {
    let batch = registry.unsaved();
    registry.saved(&batch);
    let counters = registry
        .presenter()
        .snapshot(CollectionStatus::default())
        .counters
        .unwrap();
    (
        counters.accepted,
        counters.outcomes[Outcome::Delivered as usize],
    )
}

/// A whole search for the operations that are due at `now` and were not read since `since`.
fn search(registry: &Registry, since: Timestamp, now: Timestamp) -> DueSearch {
    let mut search = DueSearch::new(since, now);
    while search.step(&registry.agenda()) {}
    search
}

/// The due operations, with the last attempts to read them.
fn attempts_of_due(registry: &Registry, now: Timestamp) -> Vec<Due> {
    let (ranges, others) = search(registry, now, now).into_ranges();
    let listed = ranges.into_iter().flat_map(|range| range.due);
    listed.chain(others).collect()
}

fn due(registry: &Registry, now: Timestamp) -> Vec<OperationId> {
    search(registry, now, now).take_ids()
}

#[test]
fn configured_operations_are_exposed_whatever_the_limit_then_the_newest() {
    let ago = |hours| NOW - hours * HOUR;
    let mut registry = registry(&[id(ago(100), 9)]);
    let listed =
        [1, 2, 3, 100].map(|hours| operation(ago(hours), if hours == 100 { 9 } else { 0 }, 5));
    assert_eq!(observe(&mut registry, &listed, NOW), 4);
    assert_eq!(shown(&registry), [id(ago(100), 9), id(ago(1), 0)]);
    assert_eq!(
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .without_series,
        2
    );
    assert_eq!(sum(&registry, "delivered"), 20);
    registry.most_shown = 0;
    assert_eq!(shown(&registry), [id(ago(100), 9)]);
}

#[test]
fn the_few_large_operations_are_found_among_many_small_ones() {
    for large in [0, 3, 500, 2000] {
        let series = Series {
            min_size: 10,
            ..Series::default()
        };
        let mut registry = Registry::new(Arc::from("default"), &series, None, NOW);
        let size = |n: u32| {
            if n * large / 2000 == (n + 1) * large / 2000 {
                1
            } else {
                10
            }
        };
        let operations: Vec<_> = (0..2000).map(|n| operation(NOW, n, size(n))).collect();
        observe(&mut registry, &operations, NOW);
        let expected: Vec<_> = (0..2000)
            .rev()
            .filter(|n| size(*n) == 10)
            .map(|n| id(NOW, n))
            .take(1000)
            .collect();
        assert_eq!(expected.len(), large.min(1000) as usize);
        assert_eq!(shown(&registry), expected);
    }
}

#[test]
fn small_operations_can_be_left_out_but_one_without_a_size_is_not_small() {
    let small = |size: Option<u32>, min_size| {
        let series = Series {
            min_size,
            ..series()
        };
        let mut registry = Registry::new(Arc::from("default"), &series, None, NOW);
        let mut operation = operation(NOW, 0, 0);
        operation.stats.size = size;
        observe(&mut registry, &[operation], NOW);
        shown(&registry).is_empty()
    };
    assert!(!small(Some(0), 1) && !small(None, 1) && !small(Some(2), 2));
    assert!(small(Some(1), 2));
}

#[test]
fn an_expired_operation_is_removed_and_stays_in_the_counters() {
    let old = NOW - RETENTION + HOUR;
    let mut registry = registry(&[id(old, 1)]);
    observe(
        &mut registry,
        &[
            operation(old, 0, 3),
            operation(old, 1, 3),
            operation(NOW, 0, 1),
        ],
        NOW,
    );
    assert_eq!(sum(&registry, "delivered"), 7);
    let later = NOW + HOUR;
    assert_eq!(registry.expire(later), [id(old, 1)]);
    observe(&mut registry, &[operation(old, 0, 0)], later);
    assert_eq!(shown(&registry), [id(NOW, 0)]);
    assert_eq!(sum(&registry, "delivered"), 1);
    assert_eq!(counted(&mut registry), (1, 1));
}

#[test]
fn an_expired_configured_operation_is_never_polled() {
    let mut registry = registry(&[id(NOW - RETENTION, 0), id(NOW, 0)]);
    registry.expire(NOW);
    assert_eq!(due(&registry, NOW), [id(NOW, 0)]);
}

#[test]
fn a_panic_while_a_response_is_merged_loses_no_record() {
    let second = |n: u32| NOW - Duration::from_secs(u64::from(n));
    let every_other: Vec<_> = (0..1500).map(|n| operation(second(2 * n), 0, 1)).collect();
    let all: Vec<_> = (0..3000).map(|n| operation(second(n), 0, 2)).collect();
    // One response with new operations, which is cut into other chunks; one with known operations, which are changed in place.
    for response in [&all, &every_other] {
        let mut registry = registry(&[]);
        observe(&mut registry, &every_other, NOW);
        // Of the fourth of five chunks, from the newest one.
        registry.panic_on(every_other[300].id);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            observe(&mut registry, response, NOW);
        }));
        assert!(result.is_err());
        for known in &every_other {
            assert!(registry.chunks.get(known.id).is_some(), "{}", known.id);
        }
        let records = registry
            .chunks
            .iter()
            .flat_map(|chunk| chunk.records().iter());
        assert_eq!(records.count(), registry.size());
    }
}

proptest! {
    // Each case has thousands of operations.
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn chunks_have_the_same_content_as_a_map(pages in proptest::collection::vec(proptest::collection::vec((0_u32..4000, 1_u32..9), 1..300), 1..30)) {
        let mut registry = registry(&[]);
        let mut model = BTreeMap::new();
        for page in pages {
            let operations: Vec<_> = page.iter().map(|(n, delivered)| operation(NOW - Duration::from_secs(u64::from(*n)), 0, *delivered)).collect();
            for operation in &operations {
                model.insert(operation.id, operation.stats.get(Status::Delivered));
            }
            observe(&mut registry, &operations, NOW);
        }
        prop_assert_eq!(registry.chunks.size(), model.len());
        prop_assert_eq!(sum(&registry, "delivered"), model.values().map(|delivered| u64::from(*delivered)).sum::<u64>());
        for (id, delivered) in &model {
            prop_assert_eq!(registry.chunks.get(*id).unwrap().operation(&registry.tables.undocumented).stats.get(Status::Delivered), *delivered);
        }
        let order: Vec<_> = registry.chunks.iter().flat_map(|chunk| chunk.records().iter()).map(|record| record.id).collect();
        prop_assert!(order.is_sorted());
    }
}
