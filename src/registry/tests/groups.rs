//! What operations give to the groups of their labels.

use super::*;
use crate::registry::group::ZERO_FOR;

fn labels(campaign: &str) -> Labels {
    Arc::new([("campaign".to_owned(), campaign.to_owned())].into())
}

/// The current delivered emails and the saved count of accepted emails of a campaign that is not new.
fn campaign(registry: &mut Registry, value: &str) -> Option<(u64, u64)> {
    for time in [NOW, NOW + ZERO_FOR] {
        registry.tables.labels.groups.begin(time);
        let batch = registry.unsaved();
        registry.saved(&batch);
        registry.exposed();
    }
    let snapshot = registry.presenter().snapshot(CollectionStatus::default());
    let mut groups = snapshot.groups.iter();
    let group = groups.find(|group| &*group.value == value)?;
    let delivered = group.totals.at(Status::Delivered);
    Some((
        delivered,
        group.counters.map_or(0, |counters| counters.accepted),
    ))
}

fn label(registry: &mut Registry, id: OperationId, campaign: Option<&str>) {
    registry.set(&Source::Api, id, campaign.map(labels));
}

#[test]
fn an_operation_gives_to_its_group_what_it_gives_to_the_account() {
    let mut registry = registry(&[]);
    label(&mut registry, id(NOW, 0), Some("spring"));
    observe(
        &mut registry,
        &[operation(NOW, 0, 4), operation(NOW, 1, 9)],
        NOW,
    );
    assert_eq!(campaign(&mut registry, "spring"), Some((4, 4)));
    observe(&mut registry, &[operation(NOW, 0, 6)], NOW);
    assert_eq!(campaign(&mut registry, "spring"), Some((6, 6)));
    registry.expire(NOW + RETENTION);
    assert_eq!(campaign(&mut registry, "spring"), Some((0, 6)));
    registry.expire(NOW + 2 * RETENTION);
    assert_eq!(campaign(&mut registry, "spring"), None);
}

#[test]
fn a_label_that_comes_late_brings_what_was_counted_but_no_baseline() {
    let mut registry = registry(&[]);
    let old = NOW - 100 * HOUR;
    observe(
        &mut registry,
        &[operation(old, 0, 40), operation(NOW, 0, 4)],
        NOW,
    );
    label(&mut registry, id(old, 0), Some("spring"));
    label(&mut registry, id(NOW, 0), Some("spring"));
    assert_eq!(campaign(&mut registry, "spring"), Some((44, 4)));
    observe(&mut registry, &[operation(old, 0, 41)], NOW);
    assert_eq!(campaign(&mut registry, "spring"), Some((45, 5)));
}

#[test]
fn a_group_ends_seven_days_after_its_newest_operation_expired() {
    let old = NOW - 100 * HOUR;
    for newest_first in [false, true] {
        let mut registry = registry(&[]);
        let mut members = [operation(old, 0, 4), operation(NOW, 0, 5)];
        if newest_first {
            members.reverse();
        }
        for member in members {
            label(&mut registry, member.id, Some("spring"));
            observe(&mut registry, &[member], NOW);
        }
        let end = NOW + 2 * RETENTION;
        registry.expire(end - Duration::from_millis(1));
        assert_eq!(campaign(&mut registry, "spring"), Some((0, 5)));
        registry.expire(end);
        assert_eq!(campaign(&mut registry, "spring"), None);
    }
}

#[test]
fn another_label_takes_what_stands_and_leaves_what_was_counted() {
    let mut registry = registry(&[]);
    label(&mut registry, id(NOW, 0), Some("spring"));
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    label(&mut registry, id(NOW, 0), Some("autumn"));
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    assert_eq!(campaign(&mut registry, "spring"), Some((0, 4)));
    assert_eq!(campaign(&mut registry, "autumn"), Some((5, 1)));
    // A label that goes and comes back counts nothing again.
    label(&mut registry, id(NOW, 0), None);
    assert_eq!(campaign(&mut registry, "autumn"), Some((0, 1)));
    label(&mut registry, id(NOW, 0), Some("autumn"));
    assert_eq!(campaign(&mut registry, "autumn"), Some((5, 1)));
}

#[test]
fn values_beyond_the_bound_are_together_even_before_anything_was_read() {
    let mut registry = registry(&[]);
    for (n, value) in [(0, "a"), (1, "b"), (2, "c"), (3, "d")] {
        label(&mut registry, id(NOW, n), Some(value));
    }
    let operations: Vec<_> = (0..4).map(|n| operation(NOW, n, n + 1)).collect();
    observe(&mut registry, &operations, NOW);
    assert_eq!(campaign(&mut registry, "a"), Some((1, 1)));
    assert_eq!(campaign(&mut registry, "b"), Some((2, 2)));
    assert_eq!(campaign(&mut registry, "c"), None);
    assert_eq!(campaign(&mut registry, "other"), Some((7, 7)));
}

#[test]
fn groups_outlive_a_restart_and_a_jump_of_the_clock_without_counting_twice() {
    let mut before = registry(&[]);
    label(&mut before, id(NOW, 0), Some("spring"));
    observe(&mut before, &[operation(NOW, 0, 4)], NOW);
    let batch = before.unsaved();
    let kept = batch.operations[0].clone();
    let mut after = registry(&[]);
    after.restore(&batch.account, batch.groups);
    after.restore_operations(batch.operations, NOW);
    assert_eq!(campaign(&mut after, "spring"), Some((4, 4)));
    label(&mut after, id(NOW, 0), Some("spring"));
    after.drop_unlisted(true);
    assert_eq!(campaign(&mut after, "spring"), Some((4, 4)));
    after.expire(NOW + RETENTION);
    label(&mut after, id(NOW, 0), Some("spring"));
    after.observe(vec![operation(NOW, 0, 5)], |_| Some(kept.clone()), NOW, NOW);
    assert_eq!(campaign(&mut after, "spring"), Some((5, 5)));
}

#[test]
fn what_nobody_lists_any_more_goes_where_nothing_is_discovered() {
    let mut registry = registry(&[id(NOW, 0)]);
    let file = Source::File(Arc::from("a.yml"));
    let listed = |campaign| {
        [
            (id(NOW, 0), labels(campaign)),
            (id(NOW, 1), labels(campaign)),
        ]
    };
    registry.list(file.clone(), listed("spring").into(), NOW);
    observe(
        &mut registry,
        &[operation(NOW, 0, 4), operation(NOW, 1, 5)],
        NOW,
    );
    assert_eq!(campaign(&mut registry, "spring"), Some((9, 9)));
    registry.list(file.clone(), ListedOperations::new(), NOW);
    registry.drop_unlisted(true);
    assert_eq!(sum(&registry, "delivered"), 9);
    registry.drop_unlisted(false);
    assert_eq!(
        (sum(&registry, "delivered"), shown(&registry)),
        (4, vec![id(NOW, 0)])
    );
    assert_eq!(campaign(&mut registry, "spring"), Some((0, 9)));
    // A list may name what is too old.
    registry.list(file, listed("spring").into(), NOW + RETENTION);
    assert!(
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .without_series
            == 0
    );
}

/// The accepted emails of a campaign as a scrape at `now` exposes them, after a collection that saves.
fn scraped(registry: &mut Registry, value: &str, now: Timestamp) -> Option<u64> {
    registry.expire(now);
    let batch = registry.unsaved();
    registry.saved(&batch);
    let snapshot = registry.presenter().snapshot(CollectionStatus::default());
    registry.exposed();
    let mut groups = snapshot.groups.iter();
    let group = groups.find(|group| &*group.value == value)?;
    group.counters.map(|counters| counters.accepted)
}

#[test]
fn a_new_group_begins_at_0_for_every_server_that_scrapes_often_enough() {
    let seconds = |seconds| NOW + Duration::from_secs(seconds);
    let mut registry = registry(&[]);
    label(&mut registry, id(NOW, 0), Some("spring"));
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    // One scrapes every 15 seconds, the other every two minutes.
    let two_servers = [0, 15, 30, 45, 60, 75, 90, 105, 119];
    for time in two_servers {
        assert_eq!(
            scraped(&mut registry, "spring", seconds(time)),
            Some(0),
            "{time}"
        );
    }
    assert_eq!(scraped(&mut registry, "spring", seconds(120)), Some(4));
    // Another one begins for itself, and later emails of the first show at once.
    label(&mut registry, id(NOW, 1), Some("autumn"));
    observe(
        &mut registry,
        &[operation(NOW, 0, 6), operation(NOW, 1, 3)],
        seconds(130),
    );
    assert_eq!(scraped(&mut registry, "spring", seconds(130)), Some(6));
    assert_eq!(scraped(&mut registry, "autumn", seconds(130)), Some(0));
    assert_eq!(scraped(&mut registry, "autumn", seconds(250)), Some(3));
    // A clock that is put back lowers nothing.
    assert_eq!(scraped(&mut registry, "autumn", NOW - HOUR), Some(3));
    assert!(registry.is_saved());
}

#[test]
fn a_group_that_nobody_has_seen_at_0_begins_there_however_late() {
    let mut registry = registry(&[]);
    label(&mut registry, id(NOW, 0), Some("spring"));
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    assert_eq!(scraped(&mut registry, "spring", NOW + HOUR), Some(0));
    assert_eq!(scraped(&mut registry, "spring", NOW + 2 * HOUR), Some(4));
}

#[test]
fn what_a_group_has_shown_outlives_a_restart_and_its_0_is_not_shown_for_longer() {
    let minutes = |minutes| NOW + Duration::from_mins(minutes);
    let mut first = registry(&[]);
    label(&mut first, id(NOW, 0), Some("spring"));
    observe(&mut first, &[operation(NOW, 0, 4)], NOW);
    assert_eq!(scraped(&mut first, "spring", NOW), Some(0));
    let restarted = |before: &Registry| {
        // Everything, as if the store had it.
        let mut all = before.unsaved();
        let groups = before.tables.labels.groups.by_key.iter();
        all.groups = groups
            .filter_map(|(_, group)| group.saved.clone())
            .collect();
        let mut after = registry(&[]);
        after.restore(&all.account, all.groups);
        label(&mut after, id(NOW, 0), Some("spring"));
        after
    };
    let mut second = restarted(&first);
    assert_eq!(scraped(&mut second, "spring", minutes(1)), Some(0));
    assert_eq!(scraped(&mut second, "spring", minutes(2)), Some(4));
    let mut third = restarted(&second);
    assert_eq!(scraped(&mut third, "spring", minutes(2)), Some(4));
    assert_eq!(scraped(&mut third, "spring", NOW - HOUR), Some(4));
    // That it may be shown as it is was not saved when it was killed: nobody has seen more than 0.
    let mut killed = restarted(&first);
    killed.expire(minutes(3));
    let shown = killed
        .presenter()
        .snapshot(CollectionStatus::default())
        .groups;
    assert_eq!(
        shown[0].counters,
        Some(crate::operation::Counters::default())
    );
}
