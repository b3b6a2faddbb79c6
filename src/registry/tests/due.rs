//! Due operations, and operations that could not be read.

use super::*;

#[test]
fn operations_that_no_list_covered_are_due_and_idle_ones_are_not() {
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
fn in_large_accounts_small_finished_sends_are_scheduled_by_age_and_watched_ones_by_their_last_change()
 {
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
fn an_unknown_operation_is_polled_less_and_less_often() {
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
fn an_operation_that_keeps_failing_waits_behind_those_not_yet_polled() {
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
    let mut due = attempts_of_due(&registry, now);
    due.sort_by_key(|due| due.last_attempt);
    let ids: Vec<_> = due.iter().map(|due| due.id).collect();
    assert_eq!(ids, [id(NOW, 2), id(NOW, 0), id(NOW, 1)]);
}

#[test]
fn a_failed_window_fails_the_operations_it_did_not_reach() {
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
    registry.fail_windows([(NOW - Duration::from_mins(150), None)], since, since);
    assert_eq!(
        ids.map(|id| up(&registry, id)),
        [Some(true), Some(false), Some(true)]
    );
}

#[test]
fn the_newest_page_covers_as_many_operations_as_a_page_has() {
    let mut registry = registry(&[]);
    let operations: Vec<_> = (0_u32..2000)
        .map(|n| operation(NOW - Duration::from_secs(u64::from(n)), 0, 1))
        .collect();
    for page in operations.chunks(1000) {
        observe(&mut registry, page, NOW);
    }
    let covered = NOW
        .since(registry.agenda().newest_page_from(900, NOW))
        .as_secs();
    assert!((1..=900).contains(&covered), "{covered}");
    let (ranges, _) = search(&registry, NOW, NOW).into_ranges();
    assert_eq!(
        ranges.iter().map(|range| range.operations).sum::<usize>(),
        2000
    );
    assert!(ranges.len() <= 4, "{}", ranges.len());
}

#[test]
fn a_failed_window_includes_its_first_and_last_times() {
    let created = NOW - HOUR;
    let since = NOW + HOUR;
    let ms = Duration::from_millis(1);
    for (from, until, failed) in [
        (created, Some(created), true),
        (created + ms, None, false),
        (created - ms, Some(created - ms), false),
        (created, None, true),
    ] {
        let mut registry = registry(&[]);
        observe(&mut registry, &[operation(created, 0, 1)], NOW);
        registry.fail_windows([(from, until)], since, since);
        assert_eq!(
            up(&registry, id(created, 0)),
            Some(!failed),
            "{from} {until:?}"
        );
    }
}

#[test]
fn a_failure_stays_while_an_operation_is_listed_or_read() {
    let mut registry = registry(&[]);
    let [unread, read] = [0, 1].map(|n| id(NOW, n));
    observe(&mut registry, &[operation(NOW, 1, 1)], NOW);
    let labels = |team: &str| Some(Arc::new([("team".to_owned(), team.to_owned())].into()));
    for id in [unread, read] {
        registry.set(&Source::Api, id, labels("growth"));
        registry.fail(id, Reason::ServerError, NOW);
        registry.set(&Source::Api, id, labels("sales"));
        assert!(registry.tables.failures.contains(id), "other labels");
        registry.set(&Source::Api, id, None);
    }
    let failing = [unread, read].map(|id| registry.tables.failures.contains(id));
    assert_eq!(failing, [false, true]);
}

#[test]
fn only_an_operation_that_no_source_lists_is_rejected_beside_the_others() {
    let mut registry = registry(&[id(NOW, 0)]);
    registry.reject(id(NOW, 0), NOW);
    registry.reject(id(NOW, 1), NOW);
    assert_eq!(registry.rejected.ids().collect::<Vec<_>>(), [id(NOW, 1)]);
    registry.set(&Source::Api, id(NOW, 1), Some(Labels::default()));
    assert_eq!(registry.rejected.len(), 0);
    // Those in memory are known as well.
    observe(&mut registry, &[operation(NOW, 2, 1)], NOW);
    registry.reject(id(NOW, 2), NOW);
    assert_eq!(registry.rejected.len(), 0);
}

#[test]
fn an_operation_in_memory_has_not_expired_whatever_its_id_says() {
    let old = NOW - RETENTION - HOUR;
    let mut registry = registry(&[]);
    let mut operation = operation(old, 0, 1);
    operation.created = NOW - HOUR;
    let listed = || ListedOperations::from([(id(old, 0), Labels::default())]);
    registry.list(Source::Api, listed(), NOW);
    assert_eq!(registry.presenter().size_of(&Source::Api), 0);
    observe(&mut registry, &[operation], NOW);
    registry.list(Source::Api, listed(), NOW);
    assert_eq!(registry.presenter().size_of(&Source::Api), 1);
    assert!(!registry.is_expired(id(old, 0), NOW));
}
