//! What scrapes and the API show.

use super::*;

fn views(
    registry: &Registry,
    after: Option<OperationId>,
    most: usize,
) -> (Vec<OperationId>, Option<OperationId>) {
    let page = registry.presenter().views(after, most, |_| true);
    (
        page.views.iter().map(|view| view.shown.id).collect(),
        page.next,
    )
}

#[test]
fn pages_have_every_watched_and_every_read_operation_once() {
    let mut registry = registry(&[id(NOW, 0), id(NOW, 3), id(NOW, 4)]);
    let read: Vec<_> = [1, 2, 3, 5].map(|n| operation(NOW, n, 1)).into();
    observe(&mut registry, &read, NOW);
    let ids = [0, 1, 2, 3, 4, 5].map(|n| id(NOW, n));
    assert_eq!(views(&registry, None, 9), (ids.to_vec(), None));
    assert_eq!(
        views(&registry, None, 6),
        (ids.to_vec(), None),
        "a full last page has no next page"
    );
    for most in 1..6 {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let (page, next) = views(&registry, after, most);
            assert!(page.len() <= most);
            seen.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, ids, "{most}");
    }
    assert_eq!(views(&registry, Some(ids[5]), 9), (vec![], None));
    assert!(registry.presenter().view(ids[0]).is_some());
    assert!(registry.presenter().view(id(NOW, 6)).is_none());
}

#[test]
fn a_page_inspects_a_limited_number_of_operations() {
    let mut registry = registry(&[]);
    let all: Vec<_> = (0..10_001).map(|n| operation(NOW, n, 1)).collect();
    observe(&mut registry, &all, NOW);
    let page = registry.presenter().views(None, 9, |_| false);
    assert_eq!((page.views.len(), page.next), (0, Some(all[9_999].id)));
}

#[test]
fn whether_an_operation_is_up_is_unknown_before_the_first_attempt() {
    let mut registry = registry(&[id(NOW, 0), id(NOW, 1), id(NOW, 2)]);
    observe(
        &mut registry,
        &[operation(NOW, 1, 1), operation(NOW, 2, 1)],
        NOW,
    );
    assert_eq!(up(&registry, id(NOW, 0)), None);
    registry.fail_each(&[id(NOW, 0), id(NOW, 1)], NOW);
    assert_eq!(
        [0, 1, 2].map(|n| up(&registry, id(NOW, n))),
        [Some(false), Some(false), Some(true)]
    );
}

#[test]
fn another_configuration_exposes_other_operations_immediately() {
    let mut registry = registry(&[]);
    observe(
        &mut registry,
        &[operation(NOW, 0, 3), operation(NOW, 1, 9)],
        NOW,
    );
    assert_eq!(shown(&registry).len(), 2);
    let larger = |min_size| Series {
        min_size,
        ..series()
    };
    registry.reconfigure(&larger(9), None);
    assert_eq!(shown(&registry), [id(NOW, 1)]);
    registry.reconfigure(&larger(1), None);
    assert_eq!(shown(&registry).len(), 2);
}

#[test]
fn operations_below_the_old_minimum_size_are_exposed_once_the_minimum_is_lower() {
    let minimum = |min_size| Series {
        min_size,
        ..series()
    };
    let mut registry = registry(&[]);
    registry.reconfigure(&minimum(100), None);
    observe(
        &mut registry,
        &[operation(NOW, 0, 3), operation(NOW, 1, 9)],
        NOW,
    );
    assert_eq!(shown(&registry), []);
    registry.reconfigure(&minimum(9), None);
    assert_eq!(shown(&registry), [id(NOW, 1)]);
}

#[test]
fn an_operation_of_a_blocked_account_stays_readable_once_it_was_read() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW, 0, 1)], NOW);
    registry.fail_each(&[id(NOW, 0), id(NOW, 1)], NOW);
    assert_eq!(up(&registry, id(NOW, 0)), Some(false));
    assert!(!registry.tables.failures.contains(id(NOW, 0)));
    assert!(registry.tables.failures.contains(id(NOW, 1)));
    assert_eq!(registry.agenda().newest_readable(NOW), Some(id(NOW, 0)));
}

#[test]
fn a_failed_window_ends_at_its_end() {
    let mut registry = registry(&[]);
    registry.most_shown = 9;
    let hours = [1, 2, 3, 4, 5];
    let all = hours.map(|hours| operation(NOW - hours * HOUR, 0, 1));
    observe(&mut registry, &all, NOW);
    let since = NOW + HOUR;
    registry.fail_windows([(NOW - 4 * HOUR, Some(NOW - 2 * HOUR))], since, since);
    let ups = all.map(|operation| up(&registry, operation.id).unwrap());
    assert_eq!(ups, [true, false, false, false, true]);
}

#[test]
fn a_source_that_lists_nothing_is_no_source_and_other_labels_are_shown() {
    let mut registry = registry(&[]);
    let file = Source::File(Arc::from("a.yml"));
    for team in ["growth", "sales"] {
        let labels: Labels = Arc::new([("team".to_owned(), team.to_owned())].into());
        registry.list(
            file.clone(),
            [(id(NOW, 0), Arc::clone(&labels))].into(),
            NOW,
        );
        let view = registry.presenter().view(id(NOW, 0)).unwrap();
        assert_eq!((view.labels, view.sources), (labels, vec![file.clone()]));
    }
    assert_eq!(registry.presenter().sources(), std::slice::from_ref(&file));
    registry.list(file, ListedOperations::new(), NOW);
    assert_eq!(registry.presenter().sources(), []);
}

#[test]
fn an_operation_that_leaves_memory_leaves_nothing_behind() {
    let mut registry = registry(&[id(NOW, 0), id(NOW, 1)]);
    let labels: Labels = Arc::new([("campaign".to_owned(), "spring".to_owned())].into());
    registry.set(&Source::Api, id(NOW, 0), Some(labels));
    observe(
        &mut registry,
        &[operation(NOW, 0, 1), operation(NOW, 2, 1)],
        NOW,
    );
    for n in 0..3 {
        registry.fail(id(NOW, n), Reason::ServerError, NOW);
    }
    registry.drop_unlisted(false);
    assert_eq!(registry.size(), 1);
    assert!(!registry.tables.failures.contains(id(NOW, 2)));
    let expired = registry.expire(NOW + RETENTION);
    assert_eq!(expired, [id(NOW, 0), id(NOW, 1)]);
    for n in 0..2 {
        assert!(!registry.tables.failures.contains(id(NOW, n)), "{n}");
        assert_eq!(registry.tables.labels.shown(id(NOW, n)), Labels::default());
    }
    assert_eq!(registry.tables.watched.unread().len(), 0);
    // A listed operation is unread until its first read, and not again after a restart.
    let mut registry = super::registry(&[id(NOW, 0)]);
    observe(&mut registry, &[operation(NOW, 0, 1)], NOW);
    assert_eq!(registry.tables.watched.unread().len(), 0);
    let batch = registry.unsaved();
    let mut restored = super::registry(&[id(NOW, 0)]);
    restored.restore_operations(batch.operations, NOW);
    assert_eq!(restored.tables.watched.unread().len(), 0, "it was read");
}

#[test]
fn a_rejected_operation_expires_alone() {
    let mut registry = registry(&[]);
    registry.reject(id(NOW - HOUR, 0), NOW);
    registry.reject(id(NOW, 0), NOW);
    registry.expire(NOW - HOUR + RETENTION);
    assert_eq!(shown(&registry), [id(NOW, 0)]);
}

#[test]
fn nothing_of_an_operation_that_left_memory_stays_in_a_table() {
    let mut registry = registry(&[]);
    let labels: Labels = Arc::new([("campaign".to_owned(), "spring".to_owned())].into());
    let word = crate::operation::Word::new("deferred");
    let mut odd = operation(NOW, 0, 1);
    odd.stats.unknown = Some(Arc::from([(word, 1)]));
    registry.set(&Source::Api, odd.id, Some(labels));
    observe(&mut registry, std::slice::from_ref(&odd), NOW);
    let _ = counted(&mut registry);
    registry.set(&Source::Api, odd.id, None);
    registry.drop_unlisted(false);
    let tables = &registry.tables;
    assert_eq!(tables.undocumented.stats(odd.id), None);
    assert_eq!(tables.labels.shown(odd.id), Labels::default());
    // When the store is lost, an operation that left memory before it expired is saved again, but only until it expires.
    registry.saved(&registry.unsaved());
    registry.lost();
    let batch = registry.unsaved();
    assert_eq!(batch.operations.len(), 1);
    registry.saved(&batch);
    registry.expire(NOW + RETENTION);
    registry.lost();
    assert_eq!(registry.unsaved().operations.len(), 0);
}
