//! How many emails are sent and not confirmed, by the age of their operations.

use proptest::prelude::*;

use super::*;

fn sent(created: Timestamp, n: u32, sent: u32) -> Operation {
    let mut operation = operation(created, n, 0);
    operation.stats.size = Some(sent);
    operation.stats.set(Status::Sent, sent);
    operation
}

#[test]
fn unconfirmed_emails_count_from_the_age_of_their_operation_on() {
    let mut registry = registry(&[]);
    let minute = Duration::from_mins(1);
    let mut confirmed = sent(NOW - 30 * HOUR, 9, 1);
    confirmed.stats.set(Status::Sent, 0);
    confirmed.stats.set(Status::Delivered, 1);
    let operations = [
        sent(NOW - 4 * minute, 0, 1),
        sent(NOW - 5 * minute, 0, 10),
        sent(NOW - HOUR, 0, 100),
        sent(NOW - 6 * HOUR, 0, 1000),
        sent(NOW - 24 * HOUR, 0, 10_000),
        confirmed,
    ];
    observe(&mut registry, &operations, NOW);
    let unconfirmed = |now| registry.presenter().unconfirmed(now);
    assert_eq!(unconfirmed(NOW), [11_110, 11_100, 11_000, 10_000]);
    assert_eq!(unconfirmed(NOW + minute)[0], 11_111);
}

#[test]
fn the_age_of_a_scheduled_operation_counts_from_its_time() {
    let mut registry = registry(&[]);
    let operation = sent(NOW - 48 * HOUR, 0, 7);
    observe(&mut registry, std::slice::from_ref(&operation), NOW);
    let unconfirmed = |registry: &Registry| registry.presenter().unconfirmed(NOW);
    assert_eq!(unconfirmed(&registry), [7, 7, 7, 7]);
    registry.scheduled_for(operation.id, Some(NOW - 2 * HOUR));
    assert_eq!(unconfirmed(&registry), [7, 7, 0, 0]);
    registry.scheduled_for(operation.id, Some(NOW - HOUR));
    assert_eq!(unconfirmed(&registry), [7, 7, 0, 0]);
    registry.scheduled_for(operation.id, Some(NOW));
    assert_eq!(unconfirmed(&registry), [0; 4]);
    registry.expire(NOW + RETENTION);
    assert_eq!(registry.tables.scheduled.after(NOW - HOUR).count(), 0);
}

#[test]
fn in_the_cumulative_mode_confirmed_emails_are_still_among_the_sent_ones() {
    let mut registry = registry(&[]);
    let mut operation = sent(NOW - 2 * HOUR, 0, 9);
    operation.stats.set(Status::Delivered, 6);
    observe(&mut registry, &[operation], NOW);
    assert_eq!(registry.presenter().unconfirmed(NOW)[1], 3);
    registry.reconfigure(&series(), Some(CountingMode::Exclusive));
    assert_eq!(registry.presenter().unconfirmed(NOW)[1], 9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The sums of chunks are those of their operations.
    #[test]
    fn sums_are_those_of_all_operations(
        operations in prop::collection::vec((0_u32..90_000, 0_u32..9), 1..3000),
        now in 0_u64..100_000,
    ) {
        let mut registry = registry(&[]);
        let operations: Vec<_> = (0..)
            .zip(operations)
            .map(|(n, (age, emails))| sent(NOW - Duration::from_secs(age.into()), n, emails))
            .collect();
        observe(&mut registry, &operations, NOW);
        let now = NOW + Duration::from_secs(now);
        let expected = crate::snapshot::UNCONFIRMED_AGES.map(|(_, age)| {
            let old = operations.iter().filter(|operation| operation.created + age <= now);
            old.map(|operation| u64::from(operation.stats.get(Status::Sent))).sum::<u64>()
        });
        prop_assert_eq!(registry.presenter().unconfirmed(now), expected);
    }
}
