//! What counters show, over corrections, restarts, jumps of the clock and saves that fail.

use super::*;
use crate::clock_skew::ClockSkew;

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
fn a_birth_in_the_future_is_corrected_by_twilios_clock() {
    let mut registry = registry(&[]);
    let mut account = registry.unsaved().account;
    account.born = NOW + 400 * 24 * HOUR;
    registry.restore(&account, Vec::new());
    assert_eq!(
        registry.decide_birth(None, NOW),
        None,
        "nobody knows better"
    );
    let skew = Some(ClockSkew::between(NOW, NOW));
    assert_eq!(registry.decide_birth(skew, NOW), Some(account.born));
    assert_eq!(registry.decide_birth(skew, NOW + HOUR), None);
    observe(
        &mut registry,
        &[operation(NOW - HOUR, 0, 5), operation(NOW + HOUR, 1, 7)],
        NOW + HOUR,
    );
    assert_eq!(counted(&mut registry), (7, 7));
}

#[test]
fn what_the_first_collection_finds_is_baseline_whatever_its_creation_says() {
    let mut registry = Registry::new(Arc::from("default"), &series(), None, NOW - HOUR);
    registry.decide_birth(None, NOW);
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    registry.end_first_collection();
    assert_eq!(counted(&mut registry), (0, 0));
    observe(
        &mut registry,
        &[operation(NOW, 0, 6), operation(NOW + HOUR, 1, 7)],
        NOW + HOUR,
    );
    assert_eq!(counted(&mut registry), (8, 8));
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
