//! Counters after corrections, restarts, clock changes and failed saves.

use super::*;
use crate::clock_skew::ClockSkew;
use crate::store::SavedAccount;

#[test]
fn operations_created_before_the_account_was_watched_are_baseline_and_later_ones_count() {
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
fn the_birth_is_compared_with_the_id_to_the_millisecond() {
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
        "there is no other evidence"
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
fn operations_found_by_the_first_collection_are_baseline_whatever_their_creation_time() {
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
fn a_corrected_stat_never_lowers_a_counter_and_is_not_counted_twice() {
    let mut registry = registry(&[]);
    for (delivered, counted_then) in [(5, 5), (3, 5), (5, 5), (6, 6)] {
        observe(&mut registry, &[operation(NOW, 0, delivered)], NOW);
        assert_eq!(counted(&mut registry).1, counted_then);
        assert_eq!(sum(&registry, "delivered"), u64::from(delivered));
    }
}

#[test]
fn counters_are_exposed_only_as_saved() {
    let mut registry = registry(&[]);
    assert_eq!(
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .counters,
        None
    );
    assert_eq!(counted(&mut registry), (0, 0));
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    assert!(!registry.is_saved());
    assert_eq!(
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .counters
            .unwrap()
            .accepted,
        0
    );
    assert_eq!(counted(&mut registry), (5, 5));
    assert!(registry.is_saved());
}

#[test]
fn a_change_of_the_counting_mode_counts_nothing_again() {
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
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .counting_mode,
        CountingMode::Cumulative
    );
    assert_eq!(counted(&mut registry), (14, 12));
    first.stats.set(Status::Delivered, 8);
    observe(&mut registry, &[first], NOW);
    assert_eq!(counted(&mut registry), (14, 13));
}

#[test]
fn stats_that_fall_near_the_end_are_ignored() {
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
fn a_restart_loads_everything_except_expired_operations() {
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
        after
            .presenter()
            .snapshot(CollectionStatus::default())
            .counters
            .unwrap()
            .accepted,
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
fn an_operation_removed_by_a_clock_change_is_not_counted_again() {
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
fn an_operation_that_leaves_memory_unsaved_is_saved_and_counts_once() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    registry.expire(NOW + 1000 * HOUR);
    let batch = registry.unsaved();
    assert_eq!(batch.operations[0].marks.accepted, 4);
    // The clock is set back before that was saved, so the store does not have it.
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    registry.saved(&batch);
    assert_eq!(registry.unsaved().operations[0].marks.accepted, 5);
    assert_eq!(counted(&mut registry), (5, 5));
    assert!(registry.is_saved());
}

#[test]
fn a_change_during_a_save_is_saved_by_the_next_one() {
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
fn an_operation_created_at_the_birth_counts_completely() {
    let born = NOW - 48 * HOUR;
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(born, 0, 3)], NOW);
    assert_eq!(counted(&mut registry), (3, 3));
    let earlier = operation(born - Duration::from_millis(1), 0, 7);
    observe(&mut registry, &[earlier], NOW);
    assert_eq!(counted(&mut registry), (3, 3));
}

#[test]
fn a_configured_counting_mode_applies_from_then_on() {
    let mut registry = registry(&[]);
    let mode = |registry: &Registry| {
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .counting_mode
    };
    let both = |n| {
        let mut operation = operation(NOW, n, 4);
        operation.stats.size = Some(9);
        operation.stats.set(Status::Opened, 3);
        operation
    };
    observe(&mut registry, &[both(0)], NOW);
    assert_eq!(counted(&mut registry), (9, 7));
    registry.reconfigure(&series(), Some(CountingMode::Cumulative));
    assert_eq!(mode(&registry), CountingMode::Cumulative);
    observe(&mut registry, &[both(1)], NOW);
    assert_eq!(counted(&mut registry), (18, 11));
    registry.reconfigure(&series(), None);
    assert_eq!(mode(&registry), CountingMode::Exclusive);
}

#[test]
fn stats_that_rise_near_the_end_are_used() {
    let old = NOW - RETENTION + HOUR;
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(old, 0, 4)], NOW);
    observe(&mut registry, &[operation(old, 0, 9)], NOW);
    assert_eq!(sum(&registry, "delivered"), 9);
    let mut opened = operation(old, 0, 6);
    opened.stats.size = Some(9);
    opened.stats.set(Status::Opened, 3);
    observe(&mut registry, &[opened], NOW);
    assert_eq!(
        (sum(&registry, "delivered"), sum(&registry, "opened")),
        (6, 3)
    );
}

#[test]
fn stats_that_fall_are_ignored_from_six_hours_before_the_end_on() {
    let end = Duration::from_hours(6);
    for (left, believed) in [(end, 9), (end + Duration::from_millis(1), 4)] {
        let created = NOW - RETENTION + left;
        let mut registry = registry(&[]);
        observe(&mut registry, &[operation(created, 0, 9)], NOW);
        observe(&mut registry, &[operation(created, 0, 4)], NOW);
        assert_eq!(sum(&registry, "delivered"), believed, "{left:?}");
    }
}

#[test]
fn discovery_progress_is_saved_now_and_then_and_a_proven_mode_immediately() {
    let mut registry = registry(&[]);
    let _ = counted(&mut registry);
    assert!(registry.is_saved());
    registry.discovered(NOW);
    assert!(!registry.is_saved(), "for the first time");
    let _ = counted(&mut registry);
    registry.discovered(NOW + Duration::from_millis(299_999));
    assert!(registry.is_saved());
    registry.discovered(NOW);
    assert_eq!(
        registry.discovered_until(),
        Some(NOW + Duration::from_millis(299_999))
    );
    registry.discovered(NOW + Duration::from_mins(5));
    assert!(!registry.is_saved());
    let _ = counted(&mut registry);
    // Baseline stats prove the counting mode, and counters do not include them.
    let mut proof = operation(NOW - 50 * HOUR, 0, 9);
    proof.stats.set(Status::Sent, 9);
    observe(&mut registry, &[proof], NOW);
    let batch = registry.unsaved();
    assert!(batch.account.cumulative_proven);
    registry.saved(&ToSave {
        account: SavedAccount {
            cumulative_proven: false,
            ..batch.account
        },
        ..batch
    });
    assert!(!registry.is_saved());
}

#[test]
fn the_creation_time_is_that_of_the_id_unless_they_differ_by_more_than_two_seconds() {
    let born = NOW - 48 * HOUR;
    let seconds = |seconds: u64| Duration::from_secs(seconds);
    // By its id it was created before the account was first watched, by `createdAt` after that.
    for (apart, counted_then) in [(seconds(2), 0), (Duration::from_millis(2001), 5)] {
        let mut registry = registry(&[]);
        let mut operation = operation(born - Duration::from_millis(1), 0, 5);
        operation.created = operation.created + apart;
        observe(&mut registry, &[operation], NOW);
        assert_eq!(counted(&mut registry).0, counted_then, "{apart:?}");
    }
    for (apart, counted_then) in [(seconds(2), 5), (Duration::from_millis(2001), 0)] {
        let mut registry = registry(&[]);
        let mut operation = operation(born, 0, 5);
        operation.created = operation.created - apart;
        observe(&mut registry, &[operation], NOW);
        assert_eq!(counted(&mut registry).0, counted_then, "{apart:?}");
    }
}

#[test]
fn a_change_has_twilios_time_unless_that_time_is_unchanged() {
    let changed = |registry: &Registry| registry.unsaved().operations[0].last_change;
    let mut registry = registry(&[]);
    let at = |updated, delivered| Operation {
        updated: Some(updated),
        ..operation(NOW - 3 * HOUR, 0, delivered)
    };
    observe(&mut registry, &[at(NOW - 2 * HOUR, 1)], NOW);
    assert_eq!(changed(&registry), NOW - 2 * HOUR);
    observe(&mut registry, &[at(NOW - 2 * HOUR, 2)], NOW + HOUR);
    assert_eq!(changed(&registry), NOW + HOUR, "when it was noticed");
    observe(&mut registry, &[at(NOW + 90 * HOUR, 3)], NOW + 2 * HOUR);
    assert_eq!(changed(&registry), NOW + 2 * HOUR, "not in the future");
}

#[test]
fn an_operation_read_in_this_collection_is_not_newly_read_again() {
    let mut registry = registry(&[]);
    let since = NOW - Duration::from_secs(5);
    let read = |registry: &mut Registry, now| {
        registry
            .observe(vec![operation(NOW, 0, 5)], |_| None, since, now)
            .newly_read
    };
    assert_eq!(read(&mut registry, NOW - Duration::from_secs(9)), 1, "new");
    assert_eq!(read(&mut registry, NOW), 1, "read before this collection");
    assert_eq!(read(&mut registry, NOW), 0);
}
