//! Labels, tags, and the groups of more than one label.

use super::*;
use crate::registry::group::ZERO_FOR;

fn labels(given: &[(&str, &str)]) -> Labels {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Arc::new(given.iter().map(own).collect())
}

fn tagged(tags: &[&str]) -> Series {
    Series {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..series()
    }
}

fn with(series: &Series) -> Registry {
    let mut registry = Registry::new(Arc::from("default"), series, None, NOW - 48 * HOUR);
    begin(&mut registry);
    registry
}

fn all_labels(registry: &Registry, n: u32) -> Labels {
    registry.presenter().view(id(NOW, n)).unwrap().labels
}

/// The groups with the number of their operations and their saved accepted emails, when none is new any more.
fn groups(registry: &mut Registry) -> Vec<(String, u64, u64)> {
    for time in [NOW, NOW + ZERO_FOR] {
        registry.tables.labels.groups.begin(time);
        let _ = counted(registry);
        registry.exposed();
    }
    let groups = registry
        .presenter()
        .snapshot(CollectionStatus::default())
        .groups;
    let show = groups.iter().map(|group| {
        let name = format!("{}={}", group.label, group.value);
        (name, group.totals.size(), group.counters.unwrap().accepted)
    });
    show.collect()
}

fn group(name: &str, operations: u64, accepted: u64) -> (String, u64, u64) {
    (name.to_owned(), operations, accepted)
}

#[test]
fn tags_are_requested_three_times_and_once_more_after_each_change() {
    let mut registry = with(&tagged(&["campaign"]));
    observe(
        &mut registry,
        &[operation(NOW, 0, 1), operation(NOW, 1, 1)],
        NOW,
    );
    assert_eq!(registry.untagged(9), [id(NOW, 1), id(NOW, 0)]);
    assert_eq!(registry.untagged(1), [id(NOW, 1)]);
    registry.tagged(
        id(NOW, 1),
        Some(&labels(&[("campaign", "spring"), ("secret", "x")])),
    );
    assert_eq!(all_labels(&registry, 1), labels(&[("campaign", "spring")]));
    for tries in 0..3 {
        assert_eq!(registry.untagged(9), [id(NOW, 0)], "{tries}");
        registry.tagged(id(NOW, 0), None);
    }
    assert_eq!(registry.untagged(9), []);
    for emails in [2, 3] {
        observe(
            &mut registry,
            &[operation(NOW, 0, emails), operation(NOW, 1, emails)],
            NOW,
        );
        assert_eq!(
            registry.untagged(9),
            [id(NOW, 0)],
            "the other one has its tags"
        );
        registry.tagged(id(NOW, 0), None);
        assert_eq!(registry.untagged(9), []);
    }
    registry.expire(NOW + RETENTION);
    assert_eq!(registry.untagged(9), []);
}

#[test]
fn without_wanted_tags_none_are_requested_and_other_wanted_tags_are_requested_anew() {
    let mut registry = with(&series());
    observe(&mut registry, &[operation(NOW, 0, 1)], NOW);
    observe(&mut registry, &[operation(NOW, 0, 2)], NOW);
    assert_eq!(registry.untagged(9), []);
    registry.reconfigure(&tagged(&["campaign"]), None);
    assert_eq!(registry.untagged(9), [id(NOW, 0)]);
    registry.tagged(id(NOW, 0), Some(&labels(&[("campaign", "spring")])));
    registry.reconfigure(&tagged(&["campaign"]), None);
    assert_eq!(registry.untagged(9), [], "the same tags as before");
    registry.reconfigure(&tagged(&["team"]), None);
    assert_eq!(registry.untagged(9), [id(NOW, 0)]);
    assert_eq!(all_labels(&registry, 0), Labels::default());
    registry.reconfigure(&series(), None);
    assert_eq!(registry.untagged(9), []);
}

#[test]
fn a_listed_label_takes_precedence_over_a_tag_and_only_allowed_labels_have_series() {
    let allowed = Series {
        labels: Some(vec!["team".to_owned()]),
        ..tagged(&["campaign", "team"])
    };
    let mut registry = with(&allowed);
    observe(
        &mut registry,
        &[operation(NOW, 0, 1), operation(NOW, 1, 1)],
        NOW,
    );
    registry.set(
        &Source::Api,
        id(NOW, 0),
        Some(labels(&[("team", "growth")])),
    );
    registry.tagged(
        id(NOW, 0),
        Some(&labels(&[("team", "sales"), ("campaign", "spring")])),
    );
    registry.tagged(id(NOW, 1), Some(&labels(&[("campaign", "spring")])));
    let both = labels(&[("team", "growth"), ("campaign", "spring")]);
    assert_eq!(all_labels(&registry, 0), both);
    let shown = |registry: &Registry, n| registry.tables.labels.shown(id(NOW, n));
    assert_eq!(shown(&registry, 0), labels(&[("team", "growth")]));
    assert_eq!(shown(&registry, 1), Labels::default());
    // Tags and labels outlive a restart.
    let batch = registry.unsaved();
    assert_eq!(
        batch.operations[0].tags.as_deref().map(BTreeMap::len),
        Some(2)
    );
    registry.reconfigure(
        &Series {
            labels: None,
            ..allowed
        },
        None,
    );
    assert_eq!(shown(&registry, 0), both);
}

/// Two labels, with two values each at most.
fn two_labels() -> Series {
    Series {
        aggregate_by: vec![Arc::from("campaign"), Arc::from("team")],
        ..series()
    }
}

#[test]
fn each_label_has_groups_and_a_limit_of_its_own() {
    let mut registry = with(&two_labels());
    let given = [("a", "x"), ("b", "y"), ("c", ""), ("other", "x")];
    for (n, (campaign, team)) in (0..).zip(given) {
        let labels = labels(&[("campaign", campaign), ("team", team)]);
        registry.set(&Source::Api, id(NOW, n), Some(labels));
    }
    let all: Vec<_> = (0..4).map(|n| operation(NOW, n, 10 + n)).collect();
    observe(&mut registry, &all, NOW);
    let expected = [
        group("campaign=a", 1, 10),
        group("campaign=b", 1, 11),
        group("campaign=other", 2, 25),
        group("team=x", 2, 23),
        group("team=y", 1, 11),
    ];
    assert_eq!(groups(&mut registry), expected);
    let batch = registry.unsaved();
    assert!(registry.is_saved());
    // A label that has no groups any more takes them along, from the store as well.
    registry.reconfigure(&series(), None);
    assert_eq!(groups(&mut registry), expected[..3]);
    registry.reconfigure(&two_labels(), None);
    assert_eq!(groups(&mut registry)[..3], expected[..3]);
    drop(batch);
}

#[test]
fn groups_that_ended_are_removed_from_the_store_once() {
    let mut registry = with(&two_labels());
    registry.set(
        &Source::Api,
        id(NOW, 0),
        Some(labels(&[("campaign", "a"), ("team", "x")])),
    );
    observe(&mut registry, &[operation(NOW, 0, 1)], NOW);
    let _ = groups(&mut registry);
    registry.reconfigure(&series(), None);
    assert!(!registry.is_saved());
    let batch = registry.unsaved();
    assert_eq!(batch.removed.len(), 1);
    assert_eq!(&*batch.removed[0].label, "team");
    registry.saved(&batch);
    assert!(registry.is_saved());
    registry.expire(NOW + 2 * RETENTION);
    let batch = registry.unsaved();
    assert_eq!(batch.removed.len(), 1);
    assert_eq!(&*batch.removed[0].label, "campaign");
    registry.saved(&batch);
    assert!(registry.is_saved());
}

#[test]
fn a_restart_loads_the_groups_of_labels_that_still_have_groups() {
    let mut before = with(&two_labels());
    before.set(
        &Source::Api,
        id(NOW, 0),
        Some(labels(&[("campaign", "a"), ("team", "x")])),
    );
    observe(&mut before, &[operation(NOW, 0, 4)], NOW);
    let _ = groups(&mut before);
    // What the store has: everything.
    before.lost();
    let batch = before.unsaved();
    assert_eq!((batch.operations.len(), batch.groups.len()), (1, 2));
    before.saved(&batch);
    assert!(before.is_saved());
    assert_eq!(before.unsaved().groups.len(), 0);
    let mut after = with(&series());
    after.restore(&batch.account, batch.groups);
    after.restore_operations(batch.operations, NOW);
    assert_eq!(groups(&mut after), [group("campaign=a", 1, 4)]);
}

#[test]
fn groups_alone_are_unsaved_when_the_store_lost_them() {
    let mut registry = registry(&[]);
    registry.set(&Source::Api, id(NOW, 0), Some(labels(&[("campaign", "a")])));
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    registry.expire(NOW + RETENTION);
    let _ = groups(&mut registry);
    assert_eq!((registry.size(), registry.is_saved()), (0, true));
    registry.lost();
    assert!(!registry.is_saved());
    let batch = registry.unsaved();
    assert_eq!(batch.groups.len(), 1);
    registry.saved(&batch);
    assert!(registry.is_saved());
}

#[test]
fn an_operation_that_changes_without_any_counter_is_unsaved() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    let before = counted(&mut registry);
    assert!(registry.is_saved());
    let mut changed = operation(NOW, 0, 4);
    changed.state = OperationState::Processing;
    observe(&mut registry, &[changed], NOW + HOUR);
    assert!(!registry.is_saved());
    assert_eq!(counted(&mut registry), before);
    assert!(registry.is_saved());
}

#[test]
fn a_label_that_an_operation_got_while_it_was_not_in_memory_brings_what_it_had_counted() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    let batch = registry.unsaved();
    registry.saved(&batch);
    registry.drop_unlisted(false);
    registry.set(&Source::Api, id(NOW, 0), Some(labels(&[("campaign", "a")])));
    observe(&mut registry, &[operation(NOW, 0, 6)], NOW);
    assert_eq!(groups(&mut registry), [group("campaign=a", 1, 6)]);
    assert_eq!(counted(&mut registry), (6, 6));
}

#[test]
fn a_label_of_an_operation_in_memory_is_to_be_saved_and_one_of_an_unread_operation_is_not() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    let _ = counted(&mut registry);
    registry.set(&Source::Api, id(NOW, 1), Some(labels(&[("campaign", "a")])));
    assert_eq!(registry.unsaved().operations.len(), 0);
    registry.set(&Source::Api, id(NOW, 0), Some(labels(&[("campaign", "a")])));
    assert_eq!(registry.unsaved().operations.len(), 1);
    let _ = counted(&mut registry);
    registry.set(
        &Source::Api,
        id(NOW, 0),
        Some(labels(&[("campaign", "a"), ("team", "x")])),
    );
    assert_eq!(registry.unsaved().operations.len(), 0, "the same group");
    registry.set(&Source::Api, id(NOW, 0), None);
    assert_eq!(
        registry.unsaved().operations.len(),
        0,
        "its past stays with the group"
    );
}

#[test]
fn a_scrape_before_the_first_save_has_not_shown_a_group_at_0_and_a_previous_process_may_have() {
    let mut registry = registry(&[]);
    registry.set(&Source::Api, id(NOW, 0), Some(labels(&[("campaign", "a")])));
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    registry.exposed();
    let accepted = |registry: &Registry| {
        let groups = registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .groups;
        groups[0].counters.map(|counters| counters.accepted)
    };
    assert_eq!(accepted(&registry), None);
    registry.expire(NOW + HOUR);
    let batch = registry.unsaved();
    registry.saved(&batch);
    assert_eq!(accepted(&registry), Some(0));
    let mut after = super::registry(&[]);
    after.restore(&batch.account, batch.groups);
    after.expire(NOW + 2 * HOUR);
    let _ = counted(&mut after);
    assert_eq!(accepted(&after), Some(4));
}

#[test]
fn tags_are_saved_and_a_new_group_says_at_once_until_when_it_is_exposed_as_0() {
    let mut registry = with(&tagged(&["campaign"]));
    observe(&mut registry, &[operation(NOW, 0, 1)], NOW);
    let _ = counted(&mut registry);
    registry.tagged(id(NOW, 0), Some(&labels(&[("unwanted", "x")])));
    assert_eq!(
        registry.unsaved().operations[0].tags,
        Some(Labels::default())
    );
    registry.tagged(id(NOW, 0), Some(&labels(&[("campaign", "spring")])));
    observe(&mut registry, &[operation(NOW, 0, 2)], NOW);
    assert_eq!(
        registry.unsaved().groups[0].zero_until,
        Some(NOW + ZERO_FOR)
    );
}
