use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::operation::{Outcome, PREFIX, State, Stats, Status};

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
        state: State::Completed,
        stats,
        created,
        updated: None,
    }
}

/// At most two operations with series, and campaigns told apart.
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
    let configured = configured.iter().map(|id| (*id, Labels::default()));
    registry.list(Source::Configuration, configured.collect(), NOW);
    registry
}

fn observe(registry: &mut Registry, operations: &[Operation], now: Timestamp) -> usize {
    registry.observe(operations.to_vec(), |_| None, now, now)
}

fn shown(registry: &Registry) -> Vec<OperationId> {
    registry
        .show(Standing::default())
        .operations
        .iter()
        .map(|operation| operation.id)
        .collect()
}

fn up(registry: &Registry, id: OperationId) -> Option<bool> {
    let shown = registry.show(Standing::default()).operations;
    shown
        .iter()
        .find(|operation| operation.id == id)
        .unwrap()
        .up
}

fn sum(registry: &Registry, status: &str) -> u64 {
    let snapshot = registry.show(Standing::default());
    snapshot
        .totals
        .emails()
        .find(|(name, _)| *name == status)
        .unwrap()
        .1
}

/// Saves, and returns the counters that are shown then: accepted and delivered.
fn counted(registry: &mut Registry) -> (u64, u64) {
    let batch = registry.unsaved();
    registry.saved(&batch);
    let counters = registry.show(Standing::default()).counters.unwrap();
    (
        counters.accepted,
        counters.outcomes[Outcome::Delivered as usize],
    )
}

fn due(registry: &Registry, now: Timestamp) -> Vec<OperationId> {
    registry
        .due(now, now, false)
        .iter()
        .map(|due| due.id)
        .collect()
}

#[test]
fn configured_operations_are_shown_whatever_the_limit_then_the_newest() {
    let ago = |hours| NOW - hours * HOUR;
    let mut registry = registry(&[id(ago(100), 9)]);
    let listed =
        [1, 2, 3, 100].map(|hours| operation(ago(hours), if hours == 100 { 9 } else { 0 }, 5));
    assert_eq!(observe(&mut registry, &listed, NOW), 4);
    assert_eq!(shown(&registry), [id(ago(100), 9), id(ago(1), 0)]);
    assert_eq!(registry.show(Standing::default()).without_series, 2);
    assert_eq!(sum(&registry, "delivered"), 20);
    registry.most_shown = 0;
    assert_eq!(shown(&registry), [id(ago(100), 9)]);
}

#[test]
fn the_few_that_are_large_are_found_among_many_that_are_not() {
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
fn what_twilio_no_longer_keeps_is_forgotten_but_stays_counted() {
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
fn a_configured_operation_past_its_time_is_not_even_asked_for() {
    let mut registry = registry(&[id(NOW - RETENTION, 0), id(NOW, 0)]);
    registry.expire(NOW);
    assert_eq!(due(&registry, NOW), [id(NOW, 0)]);
}

#[test]
fn what_was_there_before_anybody_watched_is_not_counted_and_what_came_after_is() {
    let mut registry = registry(&[]);
    let before = operation(NOW - 49 * HOUR, 0, 100);
    let after = operation(NOW - 47 * HOUR, 0, 10);
    observe(&mut registry, &[before.clone(), after], NOW);
    assert_eq!(counted(&mut registry), (10, 10));
    let grown = Operation {
        stats: operation(NOW, 0, 103).stats,
        ..before
    };
    observe(&mut registry, &[grown], NOW);
    assert_eq!(counted(&mut registry), (13, 13));
}

#[test]
fn the_birth_is_told_from_the_id_to_the_millisecond() {
    let born = NOW - 48 * HOUR;
    let mut registry = registry(&[]);
    let same_second = |millis: u64, n| {
        let mut operation = operation(born + Duration::from_millis(millis), n, 1);
        operation.created = born;
        operation
    };
    let mut earlier = same_second(0, 1);
    earlier.id = id(born - Duration::from_millis(1), 1);
    observe(&mut registry, &[same_second(1, 0), earlier], NOW);
    assert_eq!(counted(&mut registry), (1, 1));
}

#[test]
fn a_corrected_figure_never_lowers_a_counter_and_is_not_counted_twice() {
    let mut registry = registry(&[]);
    for (delivered, counted_then) in [(5, 5), (3, 5), (5, 5), (6, 6)] {
        observe(&mut registry, &[operation(NOW, 0, delivered)], NOW);
        assert_eq!(counted(&mut registry).1, counted_then);
        assert_eq!(sum(&registry, "delivered"), u64::from(delivered));
    }
}

#[test]
fn counters_are_shown_only_as_they_were_saved() {
    let mut registry = registry(&[]);
    assert_eq!(registry.show(Standing::default()).counters, None);
    assert_eq!(counted(&mut registry), (0, 0));
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    assert!(!registry.is_saved());
    assert_eq!(
        registry
            .show(Standing::default())
            .counters
            .unwrap()
            .accepted,
        0
    );
    assert_eq!(counted(&mut registry), (5, 5));
    assert!(registry.is_saved());
}

#[test]
fn a_change_of_the_reading_counts_nothing_again() {
    let mut registry = registry(&[]);
    let mut first = operation(NOW, 0, 4);
    first.stats.size = Some(9);
    first.stats.set(Status::Opened, 3);
    observe(&mut registry, &[first.clone()], NOW);
    assert_eq!(counted(&mut registry), (9, 7));
    let mut proof = operation(NOW, 1, 5);
    proof.stats.set(Status::Sent, 5);
    first.stats.set(Status::Delivered, 6);
    observe(&mut registry, &[first.clone(), proof], NOW);
    assert_eq!(
        registry.show(Standing::default()).reading,
        Reading::Cumulative
    );
    assert_eq!(counted(&mut registry), (14, 12));
    first.stats.set(Status::Delivered, 8);
    observe(&mut registry, &[first], NOW);
    assert_eq!(counted(&mut registry), (14, 13));
}

#[test]
fn figures_that_fall_near_the_end_are_not_believed() {
    let mut registry = registry(&[]);
    let old = NOW - RETENTION + HOUR;
    observe(
        &mut registry,
        &[operation(old, 0, 9), operation(NOW, 0, 9)],
        NOW,
    );
    observe(
        &mut registry,
        &[operation(old, 0, 4), operation(NOW, 0, 4)],
        NOW,
    );
    assert_eq!(sum(&registry, "delivered"), 13);
}

#[test]
fn a_restart_takes_up_everything_but_the_dead() {
    let mut before = registry(&[]);
    let dying = NOW - RETENTION + HOUR;
    observe(
        &mut before,
        &[
            operation(dying, 0, 3),
            operation(NOW, 0, 4),
            operation(NOW, 1, 5),
        ],
        NOW,
    );
    before.discovered(NOW);
    let batch = before.unsaved();
    let mut after = registry(&[]);
    after.restore_operations(batch.operations, NOW + HOUR);
    after.restore(&batch.account, batch.groups);
    assert_eq!(
        after.show(Standing::default()).counters.unwrap().accepted,
        9
    );
    assert_eq!(
        (sum(&after, "delivered"), after.discovered_until()),
        (9, Some(NOW))
    );
    observe(
        &mut after,
        &[operation(NOW, 0, 4), operation(NOW, 1, 6)],
        NOW + HOUR,
    );
    assert_eq!(counted(&mut after), (10, 10));
}

#[test]
fn an_operation_that_a_jump_of_the_clock_made_forgotten_is_not_counted_again() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    let batch = registry.unsaved();
    registry.saved(&batch);
    let kept = batch.operations[0].clone();
    registry.expire(NOW + 1000 * HOUR);
    registry.observe(vec![operation(NOW, 0, 5)], |_| Some(kept.clone()), NOW, NOW);
    assert_eq!(counted(&mut registry), (5, 5));
}

#[test]
fn an_operation_that_goes_unsaved_is_saved_all_the_same_and_counts_once() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    registry.expire(NOW + 1000 * HOUR);
    let batch = registry.unsaved();
    assert_eq!(batch.operations[0].marks.accepted, 4);
    // The clock is put back before that was saved: the store does not know it.
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    registry.saved(&batch);
    assert_eq!(registry.unsaved().operations[0].marks.accepted, 5);
    assert_eq!(counted(&mut registry), (5, 5));
    assert!(registry.is_saved());
}

#[test]
fn what_changes_while_a_save_is_under_way_is_still_to_be_saved() {
    let mut registry = registry(&[]);
    observe(
        &mut registry,
        &[operation(NOW, 0, 4), operation(NOW, 1, 4)],
        NOW,
    );
    let batch = registry.unsaved();
    observe(&mut registry, &[operation(NOW, 1, 6)], NOW);
    registry.saved(&batch);
    let left: Vec<_> = registry.unsaved().operations;
    assert_eq!((left.len(), left[0].marks.accepted), (1, 6));
    assert!(!registry.is_saved());
}

#[test]
fn due_is_what_no_list_covered_and_what_rests_is_left_alone() {
    let young = NOW - Duration::from_mins(1);
    let mut registry = registry(&[id(young, 0), id(young, 1)]);
    observe(&mut registry, &[operation(young, 0, 1)], NOW);
    assert_eq!(due(&registry, NOW), [id(young, 1)]);
    let mut resting = operation(NOW - 50 * HOUR, 4, 1);
    resting.updated = Some(resting.created);
    observe(&mut registry, &[resting.clone()], NOW);
    let next = NOW + Duration::from_secs(15);
    assert_eq!(due(&registry, next), [id(young, 1), id(young, 0)]);
    assert!(due(&registry, NOW + 3 * HOUR).contains(&resting.id));
    assert!(
        due(&registry, NOW - 9 * HOUR).contains(&id(young, 0)),
        "a clock that was put back"
    );
}

#[test]
fn of_very_many_small_sends_that_are_over_go_by_their_age_but_watched_ones_by_their_last_change() {
    let created = NOW - 50 * HOUR;
    let mut registry = registry(&[id(created, 1)]);
    let updated = |updated, n, emails| Operation {
        updated: Some(updated),
        ..operation(created, n, emails)
    };
    let operations = [updated(NOW, 0, 9), updated(NOW, 1, 9), updated(NOW, 2, 500)];
    observe(&mut registry, &operations, NOW);
    let soon = NOW + Duration::from_secs(15);
    assert_eq!(due(&registry, soon), [0, 1, 2].map(|n| id(created, n)));
    let many: Vec<_> = (3..20_003).map(|n| updated(created, n, 9)).collect();
    observe(&mut registry, &many, NOW);
    assert_eq!(due(&registry, soon), [1, 2].map(|n| id(created, n)));
    assert_eq!(due(&registry, NOW + 3 * HOUR).len(), 20_003);
}

#[test]
fn one_that_twilio_does_not_know_is_asked_for_ever_more_rarely() {
    let mut registry = registry(&[id(NOW, 0)]);
    observe(&mut registry, &[operation(NOW, 1, 1)], NOW);
    for unknown in [id(NOW, 0), id(NOW, 1)] {
        assert!(registry.fail(unknown, Reason::NotFound, NOW));
        assert!(!registry.fail(unknown, Reason::NotFound, NOW + HOUR));
        assert_eq!(up(&registry, unknown), Some(false));
    }
    let soon = NOW + HOUR + Duration::from_mins(5);
    assert!(due(&registry, soon).is_empty());
    assert_eq!(due(&registry, NOW + 2 * HOUR).len(), 2);
    observe(
        &mut registry,
        &[operation(NOW, 0, 1), operation(NOW, 1, 1)],
        soon,
    );
    assert_eq!(up(&registry, id(NOW, 1)), Some(true));
    assert!(
        registry.fail(id(NOW, 1), Reason::NotFound, soon),
        "news again"
    );
}

#[test]
fn what_fails_again_and_again_waits_behind_what_was_not_asked_for() {
    let mut registry = registry(&[id(NOW, 0), id(NOW, 1), id(NOW, 2)]);
    observe(&mut registry, &[operation(NOW, 1, 1)], NOW);
    let later = NOW + Duration::from_secs(1);
    registry.fail(id(NOW, 0), Reason::Forbidden, later);
    registry.fail(
        id(NOW, 1),
        Reason::ServerError,
        later + Duration::from_secs(1),
    );
    let now = NOW + HOUR;
    let mut due = registry.due(now, now, false);
    due.sort_by_key(|due| due.read);
    let ids: Vec<_> = due.iter().map(|due| due.id).collect();
    assert_eq!(ids, [id(NOW, 2), id(NOW, 0), id(NOW, 1)]);
}

#[test]
fn a_window_that_failed_shows_on_what_it_did_not_reach() {
    let mut registry = registry(&[]);
    registry.most_shown = 9;
    let ids = [1, 2, 3].map(|hours| id(NOW - hours * HOUR, 0));
    observe(
        &mut registry,
        &[1, 2, 3].map(|hours| operation(NOW - hours * HOUR, 0, 1)),
        NOW,
    );
    let since = NOW + Duration::from_secs(1);
    observe(&mut registry, &[operation(NOW - HOUR, 0, 1)], since);
    registry.fail_window(NOW - Duration::from_mins(150), None, since);
    assert_eq!(
        ids.map(|id| up(&registry, id)),
        [Some(true), Some(false), Some(true)]
    );
}

#[test]
fn the_newest_page_takes_in_as_much_as_a_page_holds() {
    let mut registry = registry(&[]);
    let operations: Vec<_> = (0_u32..2000)
        .map(|n| operation(NOW - Duration::from_secs(u64::from(n)), 0, 1))
        .collect();
    for page in operations.chunks(1000) {
        observe(&mut registry, page, NOW);
    }
    let covered = NOW.since(registry.newest_page_from(NOW)).as_secs();
    assert!((1..=900).contains(&covered), "{covered}");
    let stretches = registry.stretches(NOW, NOW);
    assert_eq!(
        stretches
            .iter()
            .map(|stretch| stretch.operations)
            .sum::<usize>(),
        2000
    );
    assert!(stretches.len() <= 4, "{}", stretches.len());
}

proptest! {
    // Each case is thousands of operations.
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn chunks_hold_what_a_map_holds(pages in proptest::collection::vec(proptest::collection::vec((0_u32..4000, 1_u32..9), 1..300), 1..30)) {
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
            prop_assert_eq!(registry.chunks.get(*id).unwrap().operation(&registry.oddities).stats.get(Status::Delivered), *delivered);
        }
        let order: Vec<_> = registry.chunks.iter().flat_map(super::chunk::Chunk::records).map(|record| record.id).collect();
        prop_assert!(order.is_sorted());
    }
}

#[path = "group_tests.rs"]
mod groups;
