//! Implausible responses.

use super::*;

#[test]
fn a_rejected_operation_stays_as_it_was_and_is_not_due_again_in_the_same_collection() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    let (since, now) = (NOW + Duration::from_secs(15), NOW + Duration::from_secs(16));
    let due = |registry: &Registry, since| search(registry, since, now).take_ids().len();
    assert_eq!(due(&registry, since), 1);
    assert!(registry.reject(id(NOW, 0), now), "news");
    assert!(!registry.reject(id(NOW, 0), now), "no news");
    assert_eq!(up(&registry, id(NOW, 0)), Some(false));
    assert_eq!(sum(&registry, "delivered"), 5);
    assert_eq!(due(&registry, since), 0, "the list has returned it");
    assert_eq!(due(&registry, now + HOUR), 1, "in the next collection");
    registry.fail(id(NOW, 0), Reason::InvalidResponse, now);
    assert_eq!(
        due(&registry, since),
        1,
        "a read of its own is no evidence about the list"
    );
}

#[test]
fn an_operation_with_only_implausible_stats_is_exposed_and_polled_until_they_are_plausible() {
    let mut registry = registry(&[]);
    let one = id(NOW, 0);
    assert!(registry.reject(one, NOW));
    assert_eq!(
        (shown(&registry), up(&registry, one)),
        (vec![one], Some(false))
    );
    assert_eq!(
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .without_series,
        0
    );
    assert_eq!(due(&registry, NOW + HOUR), [one]);
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW + HOUR);
    assert_eq!(
        (shown(&registry), up(&registry, one)),
        (vec![one], Some(true))
    );
    assert_eq!(counted(&mut registry), (5, 5));
    // Expired operations are removed, and operations that are known otherwise are not exposed twice.
    assert!(!registry.reject(id(NOW - RETENTION, 0), NOW));
    assert!(registry.reject(id(NOW, 1), NOW));
    registry.set(&Source::Api, id(NOW, 1), Some(Labels::default()));
    assert_eq!(shown(&registry), [id(NOW, 1), one]);
    assert!(registry.reject(id(NOW, 2), NOW));
    registry.expire(NOW + RETENTION);
    assert_eq!(shown(&registry), []);
    assert_eq!(due(&registry, NOW + RETENTION), []);
}

#[test]
fn a_limited_number_of_implausible_operations_is_kept_and_none_without_a_list() {
    let mut registry = registry(&[]);
    let news = (0..1500).filter(|n| registry.reject(id(NOW, *n), NOW));
    assert_eq!(news.count(), 1000);
    assert_eq!(
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .without_series,
        998
    );
    registry.drop_unlisted(false);
    assert_eq!(
        (shown(&registry), due(&registry, NOW + HOUR)),
        (vec![], vec![])
    );
}

#[test]
fn an_unreadable_state_keeps_the_last_values_and_is_a_failed_read() {
    let mut registry = registry(&[]);
    let mut odd = operation(NOW, 0, 5);
    odd.state = OperationState::parse("Jane Doe");
    observe(&mut registry, &[operation(NOW, 0, 4)], NOW);
    let id = odd.id;
    observe(&mut registry, &[odd.clone()], NOW + HOUR);
    assert_eq!(up(&registry, id), Some(false));
    // The list returned it, so no single read follows in the same collection.
    assert_eq!(due(&registry, NOW + HOUR), vec![]);
    let states: Vec<_> = registry
        .tables
        .totals
        .operations()
        .filter(|(_, operations)| *operations > 0)
        .collect();
    assert_eq!(states, [("completed", 1)]);
    assert_eq!(sum(&registry, "delivered"), 4);
    odd.state = OperationState::Completed;
    observe(&mut registry, &[odd], NOW + 2 * HOUR);
    assert_eq!(up(&registry, id), Some(true));
    assert_eq!(sum(&registry, "delivered"), 5);
}

#[test]
fn an_impossible_mark_of_an_earlier_version_does_not_hide_growth() {
    let mut before = registry(&[]);
    let mut lost = operation(NOW, 0, 9);
    observe(&mut before, &[lost.clone()], NOW);
    let mut batch = before.unsaved();
    let failed = Outcome::Failed as usize;
    batch.operations[0].marks.outcomes[failed] = u32::MAX;
    batch.account.counters.outcomes[failed] = u64::from(u32::MAX);
    let mut after = registry(&[]);
    after.restore(&batch.account, batch.groups);
    after.restore_operations(batch.operations, NOW);
    for (failures, more) in [(1, 0), (3, 2)] {
        lost.stats.set(Status::Failed, failures);
        observe(&mut after, &[lost.clone()], NOW);
        let _ = counted(&mut after);
        let counters = after
            .presenter()
            .snapshot(CollectionStatus::default())
            .counters
            .unwrap();
        assert_eq!(counters.outcomes[failed], u64::from(u32::MAX) + more);
    }
}

#[test]
fn a_funnel_is_proven_by_two_operations_or_by_many_emails_and_over_a_restart() {
    let funnel = |n, emails| {
        let mut operation = operation(NOW, n, emails);
        operation.stats.set(Status::Sent, emails);
        operation
    };
    let mode = |registry: &Registry| {
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .counting_mode
    };
    let mut small = registry(&[]);
    observe(&mut small, &[funnel(0, 4), funnel(0, 4)], NOW);
    observe(&mut small, &[funnel(0, 4)], NOW);
    assert_eq!(mode(&small), CountingMode::Exclusive);
    let batch = small.unsaved();
    let mut after = registry(&[]);
    after.restore_operations(batch.operations, NOW);
    after.restore(&batch.account, batch.groups);
    observe(&mut after, &[funnel(1, 1)], NOW);
    assert_eq!(mode(&after), CountingMode::Cumulative);
    assert_eq!(counted(&mut after), (5, 5));
    let mut large = registry(&[]);
    observe(&mut large, &[funnel(0, 5)], NOW);
    assert_eq!(mode(&large), CountingMode::Cumulative);
}

#[test]
fn a_configured_counting_mode_overrides_all_evidence() {
    let series = series();
    let name = || Arc::from("default");
    let mut exclusive = Registry::new(name(), &series, Some(CountingMode::Exclusive), NOW - HOUR);
    begin(&mut exclusive);
    let mut sent = operation(NOW, 0, 6);
    sent.stats.size = Some(10);
    sent.stats.set(Status::Sent, 6);
    sent.stats.set(Status::Opened, 3);
    observe(&mut exclusive, &[sent.clone()], NOW);
    assert_eq!(counted(&mut exclusive), (10, 9));
    let mut any = Registry::new(name(), &series, None, NOW - HOUR);
    begin(&mut any);
    observe(&mut any, &[sent], NOW);
    assert_eq!(counted(&mut any), (10, 6));
}
