//! The plans for many distributions of due operations.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::operation::PREFIX;

const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

fn id(n: usize) -> OperationId {
    format!("{PREFIX}{n:026}").parse().unwrap()
}

fn at(hours: usize) -> Timestamp {
    START + Duration::from_hours(hours as u64)
}

/// Ranges an hour apart, each with a number of operations and of due ones; the due ones are numbered from 0.
fn ranges(sizes: &[(usize, usize, u8)]) -> Vec<ListRange> {
    let mut next = 0;
    let range = |(hour, (operations, due, read)): (usize, &(usize, usize, u8))| {
        let due = (0..*due.min(operations)).map(|_| {
            next += 1;
            Due {
                id: id(next - 1),
                last_attempt: START + Duration::from_secs(u64::from(*read)),
                processing: false,
            }
        });
        ListRange {
            from: at(hour),
            until: at(hour) + Duration::from_mins(59),
            operations: *operations,
            due: due.collect(),
        }
    };
    sizes.iter().enumerate().map(range).collect()
}

fn input(ranges: Vec<ListRange>, newest: Option<usize>, budget: usize) -> PlanInput {
    let newest = newest.map(|hour| Window {
        from: at(hour),
        until: None,
        processing: false,
    });
    PlanInput {
        newest,
        ranges,
        room: 900,
        budget,
        ..PlanInput::default()
    }
}

#[test]
fn one_due_operation_is_read_alone_and_two_neighbors_by_a_window() {
    let alone = plan(&input(
        ranges(&[(900, 1, 0), (900, 0, 0), (10, 0, 0)]),
        Some(2),
        9,
    ));
    assert_eq!((alone.windows.len(), alone.singles), (1, vec![id(0)]));
    let two = plan(&input(
        ranges(&[(900, 2, 0), (900, 0, 0), (10, 0, 0)]),
        Some(2),
        9,
    ));
    assert_eq!(
        two.windows[1],
        Window {
            from: at(0),
            until: Some(at(0) + Duration::from_mins(59)),
            processing: false
        }
    );
    assert!(two.singles.is_empty());
}

#[test]
fn small_neighbors_share_a_window() {
    let plan = plan(&input(
        ranges(&[
            (300, 1, 0),
            (300, 0, 0),
            (300, 1, 0),
            (300, 1, 0),
            (1, 0, 0),
        ]),
        Some(4),
        9,
    ));
    assert_eq!(
        plan.windows[1],
        Window {
            from: at(0),
            until: Some(at(2) + Duration::from_mins(59)),
            processing: false
        }
    );
    assert_eq!(plan.singles, [id(2)]);
}

#[test]
fn what_the_newest_window_covers_costs_nothing_more() {
    let plan = plan(&input(
        ranges(&[(9, 0, 0), (9, 9, 0), (9, 9, 0)]),
        Some(1),
        9,
    ));
    assert_eq!((plan.windows.len(), plan.singles.len()), (1, 0));
}

#[test]
fn without_the_list_everything_due_is_read_alone() {
    let plan = plan(&input(ranges(&[(9, 2, 7), (9, 2, 3)]), None, 3));
    assert_eq!(plan.singles, [id(2), id(3), id(0)]);
    assert_eq!(plan.left_out, [id(1)]);
}

#[test]
fn watched_operations_get_what_is_to_spare() {
    let idle = vec![
        Due {
            id: id(50),
            last_attempt: START,
            processing: false,
        },
        Due {
            id: id(51),
            last_attempt: START,
            processing: false,
        },
    ];
    let unlisted = PlanInput {
        idle: idle.clone(),
        ..input(Vec::new(), None, 9)
    };
    assert_eq!(plan(&unlisted).singles, [id(50), id(51)]);
    let listing = PlanInput {
        idle,
        ..input(Vec::new(), Some(0), 9)
    };
    assert_eq!(plan(&listing).singles, [id(50)]);
}

#[test]
fn the_few_that_are_processed_are_listed_together() {
    let mut scattered = ranges(&[
        (900, 1, 0),
        (900, 1, 0),
        (900, 1, 0),
        (900, 3, 0),
        (5, 0, 0),
    ]);
    for range in &mut scattered[..3] {
        range.due[0].processing = true;
    }
    let narrowed = PlanInput {
        processing: Some(3),
        ..input(scattered.clone(), Some(4), 9)
    };
    let plan_narrowed = plan(&narrowed);
    assert_eq!(
        plan_narrowed.windows.len(),
        3,
        "the newest, what is processed, and three neighbors"
    );
    assert!(
        plan_narrowed.windows.iter().any(|window| window.processing)
            && plan_narrowed.singles.is_empty()
    );
    let many = PlanInput {
        processing: Some(5000),
        ..narrowed
    };
    assert_eq!(
        (plan(&many).windows.len(), plan(&many).singles.len()),
        (2, 3)
    );
    let refused = input(scattered, Some(4), 9);
    assert_eq!(
        (plan(&refused).windows.len(), plan(&refused).singles.len()),
        (2, 3)
    );
}

#[test]
fn processing_operations_are_listed_together_as_long_as_they_fit_on_one_page() {
    let mut scattered = ranges(&[(900, 1, 0), (900, 1, 0), (5, 0, 0)]);
    for range in &mut scattered[..2] {
        range.due[0].processing = true;
    }
    for (processing, requests) in [(900, (2, 0)), (901, (1, 2))] {
        let plan = plan(&PlanInput {
            processing: Some(processing),
            ..input(scattered.clone(), Some(2), 9)
        });
        assert_eq!((plan.windows.len(), plan.singles.len()), requests);
    }
}

#[test]
fn a_single_processing_operation_is_read_alone_because_a_list_costs_as_much() {
    let mut one = ranges(&[(900, 1, 0), (5, 0, 0)]);
    one[0].due[0].processing = true;
    let plan = plan(&PlanInput {
        processing: Some(1),
        ..input(one, Some(1), 9)
    });
    assert_eq!((plan.windows.len(), plan.singles), (1, vec![id(0)]));
}

#[test]
fn the_range_where_the_newest_window_begins_belongs_to_that_window() {
    let mut at_the_bound = ranges(&[(900, 1, 0), (900, 2, 0)]);
    at_the_bound[1].due[0].processing = true;
    let plan = plan(&PlanInput {
        processing: Some(1),
        ..input(at_the_bound, Some(1), 9)
    });
    assert_eq!((plan.windows.len(), plan.singles), (1, vec![id(0)]));
}

#[test]
fn a_range_larger_than_a_page_costs_as_many_requests_as_it_has_pages() {
    let newest = (5, 0, 0);
    // Three pages: three single reads cost as much, and four cost more.
    let three = plan(&input(ranges(&[(2000, 3, 0), newest]), Some(1), 9));
    assert_eq!((three.windows.len(), three.singles.len()), (1, 3));
    let four = plan(&input(ranges(&[(2000, 4, 0), newest]), Some(1), 9));
    assert_eq!((four.windows.len(), four.singles.len()), (2, 0));
    // The newest page and the three pages use up a budget of four.
    let late = ranges(&[(2000, 4, 0), (9, 1, 1), newest]);
    let within = plan(&input(late.clone(), Some(2), 5));
    assert_eq!((within.singles, within.left_out), (vec![id(4)], vec![]));
    let beyond = plan(&input(late, Some(2), 4));
    assert_eq!((beyond.singles, beyond.left_out), (vec![], vec![id(4)]));
}

proptest! {
    #[test]
    fn never_over_budget_and_everything_due_is_covered_or_left_out(
        sizes in proptest::collection::vec((1_usize..=900, 0_usize..9, any::<u8>()), 0..60),
        newest in proptest::option::of(0_usize..60),
        budget in 2_usize..40,
    ) {
        let ranges = ranges(&sizes);
        let plan = plan(&input(ranges.clone(), newest, budget));
        prop_assert!(plan.windows.len() + plan.singles.len() <= budget);
        prop_assert!(plan.left_out.is_empty() || plan.windows.len() + plan.singles.len() == budget);
        let covers = |window: &Window, range: &ListRange| range.from >= window.from && window.until.is_none_or(|until| range.until <= until);
        let single: BTreeSet<_> = plan.singles.iter().chain(&plan.left_out).copied().collect();
        for range in &ranges {
            let covered = plan.windows.iter().any(|window| covers(window, range));
            for due in &range.due {
                prop_assert!(covered || single.contains(&due.id), "{} is missing", due.id);
            }
        }
        for window in plan.windows.iter().filter(|window| window.until.is_some()) {
            let operations: usize = ranges.iter().filter(|range| covers(window, range)).map(|range| range.operations).sum();
            prop_assert!(operations <= 900);
        }
    }

    #[test]
    fn nothing_starves_under_the_smallest_budget(sizes in proptest::collection::vec((1_usize..=900, 1_usize..4, any::<u8>()), 1..12)) {
        let mut ranges = ranges(&sizes);
        let waiting: BTreeSet<_> = ranges.iter().flat_map(|range| &range.due).map(|due| due.id).collect();
        let mut read = BTreeSet::new();
        for round in 0..waiting.len() {
            let now = at(1000 + round);
            let plan = plan(&input(ranges.clone(), Some(500), 2));
            for range in &mut ranges {
                let listed = plan.windows[1..].iter().any(|window| range.from >= window.from && Some(range.until) <= window.until);
                // Everything stays due, as if all operations were active all the time.
                for due in range.due.iter_mut().filter(|due| listed || plan.singles.contains(&due.id)) {
                    due.last_attempt = now;
                    read.insert(due.id);
                }
            }
        }
        prop_assert_eq!(read, waiting);
    }
}
