//! The ranges, limits and exceptions of due operations.

use super::*;

const MS: Duration = Duration::from_millis(1);

/// An operation whose `createdAt` is `apart` after the time in its id.
fn apart(n: u32, apart: Duration) -> Operation {
    let mut operation = operation(NOW - HOUR, n, 1);
    operation.created = operation.created + apart;
    operation
}

#[test]
fn an_operation_whose_id_has_another_time_is_read_alone() {
    let tolerance = Duration::from_mins(10);
    let mut registry = registry(&[]);
    let mut early = operation(NOW - HOUR, 4, 1);
    early.created = early.created - tolerance;
    let mut too_early = operation(NOW - HOUR, 5, 1);
    too_early.created = too_early.created - tolerance - MS;
    let all = [
        apart(1, tolerance),
        apart(2, tolerance + MS),
        early,
        too_early,
    ];
    observe(&mut registry, &all, NOW);
    let now = NOW + 9 * HOUR;
    let ids = |due: &[Due]| due.iter().map(|due| due.id).collect::<Vec<_>>();
    let [in_place, also, out, also_out] = [0, 2, 1, 3].map(|n| all[n].id);
    assert_eq!(due(&registry, now).len(), 4);
    let (ranges, others) = search(&registry, now, now).into_ranges();
    assert_eq!(ids(&others), [out, also_out]);
    assert_eq!(
        (ranges.len(), ids(&ranges[0].due)),
        (1, vec![in_place, also])
    );
    // The range has the creation times of those two, whatever their order.
    assert_eq!(ranges[0].from, NOW - HOUR - tolerance);
    assert_eq!(ranges[0].until, now);
}

#[test]
fn each_range_extends_to_the_next_one_and_the_last_one_to_now() {
    let mut registry = registry(&[]);
    let all: Vec<_> = (0..2000)
        .map(|n| operation(NOW - HOUR - Duration::from_secs(n), 0, 1))
        .collect();
    observe(&mut registry, &all, NOW);
    let ranges = |now| search(&registry, now, now).into_ranges().0;
    let all = ranges(NOW);
    assert!(all.len() >= 3);
    for pair in all.windows(2) {
        assert_eq!(pair[0].until, pair[1].from);
    }
    assert_eq!(all[0].from, NOW - HOUR - Duration::from_secs(1999));
    assert_eq!(all.last().unwrap().until, NOW);
    // A creation time in the future, by Twilio's clock.
    let now = NOW - 2 * HOUR;
    assert_eq!(ranges(now).last().unwrap().until, NOW - HOUR);
}

#[test]
fn chunks_are_full_in_whichever_order_a_list_arrives() {
    let all: Vec<_> = (0..5000)
        .map(|n| operation(NOW - Duration::from_secs(5000 - n), 0, 1))
        .collect();
    for newest_first in [false, true] {
        let mut registry = registry(&[]);
        let mut pages: Vec<_> = all.chunks(1000).collect();
        if newest_first {
            pages.reverse();
        }
        for page in pages {
            observe(&mut registry, page, NOW);
        }
        let sizes = registry.chunks.iter().map(|chunk| chunk.records().len());
        let mut sizes: Vec<_> = sizes.collect();
        sizes.sort_unstable();
        // Oldest first, only the newest chunk is not full. Newest first, two are not: the oldest one still grows, and the newest one
        // has the rest of the first page.
        let expected: &[_] = if newest_first {
            &[100, 400, 900, 900, 900, 900, 900]
        } else {
            &[500, 900, 900, 900, 900, 900]
        };
        assert_eq!(sizes, expected);
    }
}

#[test]
fn an_unread_operation_is_due_until_it_expires_and_not_twice_in_one_collection() {
    let mut registry = registry(&[id(NOW, 0)]);
    let end = NOW + RETENTION;
    assert_eq!(due(&registry, end - MS), [id(NOW, 0)]);
    assert_eq!(due(&registry, end), []);
    assert!(registry.reject(id(NOW, 0), NOW + HOUR));
    assert!(registry.reject(id(NOW, 1), NOW + HOUR));
    let since = NOW + HOUR;
    let in_collection = search(&registry, since, since + MS).take_ids();
    assert_eq!(in_collection, []);
    assert_eq!(due(&registry, since + HOUR).len(), 2);
    // Another rejection postpones the operation again.
    registry.reject(id(NOW, 1), since + HOUR);
    assert_eq!(due(&registry, since + HOUR), [id(NOW, 0)]);
}

#[test]
fn spare_requests_go_to_configured_operations_that_were_read_longest_ago() {
    let ids = [0, 1, 2, 3].map(|n| id(NOW - HOUR, n));
    let mut registry = registry(&ids);
    for (n, ago) in [(0, 1), (1, 2), (2, 0), (3, 3)] {
        observe(
            &mut registry,
            &[operation(NOW - HOUR, n, 1)],
            NOW - ago * MS,
        );
    }
    observe(&mut registry, &[operation(NOW - HOUR, 9, 1)], NOW - HOUR);
    registry.fail(ids[3], Reason::ServerError, NOW);
    let idle = registry.agenda().idle_configured(NOW);
    assert_eq!(
        idle.iter().map(|due| due.id).collect::<Vec<_>>(),
        [ids[1], ids[0]]
    );
}

#[test]
fn the_newest_readable_operation_does_not_fail_and_has_not_expired() {
    let mut registry = registry(&[]);
    let all: Vec<_> = (0..3).map(|n| operation(NOW - HOUR, n, 1)).collect();
    observe(&mut registry, &all, NOW);
    registry.fail(all[2].id, Reason::Forbidden, NOW);
    let readable = |registry: &Registry, now| registry.agenda().newest_readable(now);
    assert_eq!(readable(&registry, NOW), Some(all[1].id));
    let end = NOW - HOUR + RETENTION;
    assert_eq!(readable(&registry, end - MS), Some(all[1].id));
    assert_eq!(readable(&registry, end), None);
    assert_eq!(registry.agenda().refused(), [all[2].id].into());
    registry.fail(all[2].id, Reason::ServerError, NOW);
    assert_eq!(registry.agenda().refused(), [].into());
}

#[test]
fn the_newest_page_is_found_where_a_page_is_smaller_than_a_chunk_and_where_it_is_larger_than_all() {
    let mut registry = registry(&[]);
    let second = |n| NOW - Duration::from_secs(n);
    let all: Vec<_> = (0..1000).map(|n| operation(second(n), 0, 1)).collect();
    observe(&mut registry, &all, NOW);
    let from = |room, now| registry.agenda().newest_page_from(room, now);
    assert_eq!(from(50, NOW), second(49));
    assert_eq!(from(0, NOW), NOW);
    assert_eq!(from(50, second(500)), second(500));
    assert_eq!(from(1000, NOW), Timestamp::default());
    // Whole chunks only, if the newest one fits.
    let newest = registry.chunks.iter().next_back().unwrap();
    assert_eq!(from(999, NOW), newest.summary.created.unwrap().0);
    let now = NOW - 2 * HOUR;
    assert_eq!(from(999, now), now, "never in the future");
}

#[test]
fn another_reason_starts_a_new_failure() {
    let mut registry = registry(&[id(NOW, 0)]);
    registry.fail(id(NOW, 0), Reason::NotFound, NOW);
    assert!(
        registry.fail(id(NOW, 0), Reason::Expired, NOW + HOUR),
        "news"
    );
    assert_eq!(due(&registry, NOW + HOUR), [id(NOW, 0)]);
}

#[test]
fn a_range_reaches_from_the_first_to_the_last_creation_in_any_order() {
    let mut registry = registry(&[]);
    let minute = Duration::from_mins(1);
    let early = {
        let mut early = operation(NOW - HOUR, 2, 1);
        early.created = early.created - minute;
        early
    };
    observe(
        &mut registry,
        &[apart(0, Duration::ZERO), apart(1, minute), early],
        NOW,
    );
    let created = registry.chunks.iter().next().unwrap().summary.created;
    assert_eq!(created, Some((NOW - HOUR - minute, NOW - HOUR + minute)));
}
