use std::time::Duration;

use super::*;
use crate::operation::{PREFIX, RETENTION, State, Stats, Status};

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
const LIMIT: SeriesLimit = SeriesLimit {
    operations: 2,
    min_size: 1,
};

/// The `n`th id made at `created`.
fn id(created: Timestamp, n: u8) -> OperationId {
    let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
    let digit = |shift: i64| {
        char::from(alphabet[usize::try_from(created.as_millis() >> shift & 31).unwrap()])
    };
    let time: String = (0..10).rev().map(|at| digit(at * 5)).collect();
    format!("{PREFIX}{time}{n:016}").parse().unwrap()
}

fn operation(created: Timestamp, n: u8, delivered: u32) -> Operation {
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

fn registry(configured: &[OperationId]) -> Registry {
    let configured = configured
        .iter()
        .map(|id| (*id, Labels::default()))
        .collect();
    Registry::new(Arc::from("default"), configured, LIMIT, None)
}

fn shown(registry: &Registry) -> Vec<OperationId> {
    registry
        .show(Standing::default())
        .operations
        .iter()
        .map(|operation| operation.id)
        .collect()
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

#[test]
fn configured_operations_are_shown_whatever_the_limit_then_the_newest() {
    let ago = |hours| NOW - Duration::from_hours(hours);
    let mut registry = registry(&[id(ago(100), 9)]);
    let listed =
        [1, 2, 3, 100].map(|hours| operation(ago(hours), if hours == 100 { 9 } else { 0 }, 5));
    assert_eq!(registry.observe(listed.to_vec(), NOW, NOW), 4);
    assert_eq!(
        shown(&registry),
        [id(ago(100), 9), id(ago(1), 0), id(ago(2), 0)]
    );
    assert_eq!(registry.show(Standing::default()).without_series, 1);
    assert_eq!(sum(&registry, "delivered"), 20);
}

#[test]
fn newest_is_by_creation_even_where_the_id_says_otherwise() {
    let mut registry = registry(&[]);
    let mut odd = operation(NOW - Duration::from_hours(1000), 0, 1);
    odd.created = NOW;
    let others = (1..4).map(|n| operation(NOW - Duration::from_hours(1), n, 1));
    registry.observe(
        std::iter::once(odd.clone()).chain(others).collect(),
        NOW,
        NOW,
    );
    assert_eq!(shown(&registry)[0], odd.id);
}

#[test]
fn small_operations_can_be_left_out_but_one_without_a_size_is_not_small() {
    let small = |size: Option<u32>, min_size| {
        let mut registry = registry(&[]);
        registry.limit.min_size = min_size;
        let mut operation = operation(NOW, 0, 0);
        operation.stats.size = size;
        registry.observe(vec![operation], NOW, NOW);
        shown(&registry).is_empty()
    };
    assert!(!small(Some(0), 1) && !small(None, 1) && !small(Some(2), 2));
    assert!(small(Some(1), 2));
}

#[test]
fn what_twilio_no_longer_keeps_is_forgotten_and_never_comes_back() {
    let old = NOW - Duration::from_hours(7 * 24 - 1);
    let mut registry = registry(&[id(old, 1)]);
    registry.observe(
        vec![
            operation(old, 0, 3),
            operation(old, 1, 3),
            operation(NOW, 0, 1),
        ],
        NOW,
        NOW,
    );
    assert_eq!(sum(&registry, "delivered"), 7);
    let later = NOW + Duration::from_hours(1);
    assert_eq!(registry.expire(later), [id(old, 1)]);
    registry.observe(vec![operation(old, 0, 0)], later, later);
    assert_eq!(shown(&registry), [id(NOW, 0)]);
    assert_eq!(sum(&registry, "delivered"), 1);
    assert!(registry.due(later, later).len() == 1);
}

#[test]
fn a_configured_operation_past_its_time_is_not_even_asked_for() {
    let mut registry = registry(&[id(NOW - RETENTION, 0), id(NOW, 0)]);
    registry.expire(NOW);
    assert_eq!(registry.due(NOW, NOW), [id(NOW, 0)]);
}

#[test]
fn due_are_the_configured_ones_a_list_did_not_cover_and_others_by_their_schedule() {
    let young = NOW - Duration::from_mins(1);
    let mut registry = registry(&[id(young, 0), id(young, 1)]);
    registry.observe(
        vec![
            operation(young, 0, 1),
            operation(young, 2, 1),
            operation(NOW - Duration::from_hours(50), 3, 1),
        ],
        NOW,
        NOW,
    );
    assert_eq!(registry.due(NOW, NOW), [id(young, 1)]);
    let mut resting = operation(NOW - Duration::from_hours(50), 4, 1);
    resting.updated = Some(resting.created);
    registry.observe(vec![resting], NOW, NOW);
    let next = NOW + Duration::from_secs(15);
    assert_eq!(
        registry.due(next, next),
        [
            id(young, 0),
            id(young, 1),
            id(young, 2),
            id(NOW - Duration::from_hours(50), 3)
        ]
    );
}

#[test]
fn the_reading_changes_once_and_only_on_proof_unless_the_user_knows() {
    let mut registry = registry(&[]);
    let mut funnel = operation(NOW, 0, 5);
    assert_eq!(registry.reading(), Reading::Exclusive);
    funnel.stats.set(Status::Sent, 5);
    registry.observe(vec![funnel], NOW, NOW);
    registry.observe(vec![operation(NOW, 1, 5)], NOW, NOW);
    assert_eq!(registry.reading(), Reading::Cumulative);
    registry.fixed_reading = Some(Reading::Exclusive);
    assert_eq!(registry.reading(), Reading::Exclusive);
}

#[test]
fn figures_may_fall_and_the_sums_follow() {
    let mut registry = registry(&[]);
    registry.observe(vec![operation(NOW, 0, 5)], NOW, NOW);
    registry.observe(vec![operation(NOW, 0, 3)], NOW, NOW);
    assert_eq!(sum(&registry, "delivered"), 3);
}
