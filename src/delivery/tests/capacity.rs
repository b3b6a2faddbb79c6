//! Whole operations are left out when there is no room.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn of(operation: OperationId, number: u64, status: EmailStatus) -> Email {
    Email {
        operation: Some(operation),
        ..row(operation.created() + SECOND, number, status, SECOND)
    }
}

fn limited(max_emails: usize) -> Deliveries {
    watching(&EmailLimits {
        max_emails,
        ..LIMITS
    })
}

#[test]
fn an_operation_that_began_before_there_was_no_room_is_kept_whole() {
    let mut table = limited(2);
    let [first, second] = [1, 2].map(|number| operation(NOW + HOUR, number));
    for number in 0..3 {
        let email = of(first, number, EmailStatus::Sent);
        assert_eq!(table.ingest(&email, NOW + 2 * HOUR), Ingested::New);
    }
    for number in 3..5 {
        let email = of(second, number, EmailStatus::Sent);
        assert_eq!(table.ingest(&email, NOW + 2 * HOUR), Ingested::LeftOut);
    }
    let known = of(first, 0, EmailStatus::Failed);
    assert_eq!(table.ingest(&known, NOW + 2 * HOUR), Ingested::Changed);
    let alone = row(NOW + HOUR, 9, EmailStatus::Sent, SECOND);
    assert_eq!(table.ingest(&alone, NOW + 2 * HOUR), Ingested::LeftOut);
    assert!(table.is_full());
    assert_eq!((table.left_out(), table.len()), (3, 3));
}

#[test]
fn what_was_left_out_stays_so_and_later_operations_are_admitted() {
    let mut table = limited(2);
    let [early, left_out, late] = [1, 2, 3].map(|day| operation(NOW + day * DAY, day.into()));
    for number in 0..2 {
        table.ingest(&of(early, number, EmailStatus::Opened), NOW + 2 * DAY);
    }
    let missed = of(left_out, 2, EmailStatus::Sent);
    assert_eq!(table.ingest(&missed, NOW + 3 * DAY), Ingested::LeftOut);
    // The first operation expires.
    let now = NOW + 8 * DAY + HOUR;
    table.expire(now);
    assert!(!table.is_full());
    assert_eq!(table.ingest(&missed, now), Ingested::LeftOut);
    assert_eq!(
        table.ingest(&of(late, 3, EmailStatus::Sent), now),
        Ingested::LeftOut
    );
    let new = operation(now, 4);
    assert_eq!(
        table.ingest(&of(new, 4, EmailStatus::Sent), now + HOUR),
        Ingested::New
    );
    // After seven days nothing that was left out can come back.
    table.expire(now + 7 * DAY);
    let after = operation(now + HOUR, 5);
    assert_eq!(
        table.ingest(&of(after, 5, EmailStatus::Sent), now + 7 * DAY),
        Ingested::New
    );
}

#[test]
fn a_restart_leaves_out_the_same_operations() {
    let mut table = limited(1);
    let [kept, left_out] = [1, 2].map(|number| operation(NOW + HOUR, number));
    table.ingest(&of(kept, 1, EmailStatus::Failed), NOW + 2 * HOUR);
    table.ingest(&of(left_out, 2, EmailStatus::Sent), NOW + 2 * HOUR);
    let changes = table.changes();
    let mut next = super::table(&LIMITS);
    next.restore(&changes.standing, &changes.names);
    for email in &changes.emails {
        next.restore_email(email);
    }
    next.restored();
    let email = |operation, number| of(operation, number, EmailStatus::Sent);
    assert_eq!(
        next.ingest(&email(left_out, 3), NOW + 3 * HOUR),
        Ingested::LeftOut
    );
    assert_eq!(next.ingest(&email(kept, 4), NOW + 3 * HOUR), Ingested::New);
}

proptest! {
    #[test]
    fn of_an_operation_all_emails_are_kept_or_none(
        max_emails in 1_usize..60,
        rows in prop::collection::vec((0_u64..12, 0_u64..12, 0_u8..8, any::<bool>()), 0..300),
    ) {
        let mut table = limited(max_emails);
        let mut now = NOW + DAY;
        let mut fates: BTreeMap<u64, bool> = BTreeMap::new();
        for (which, email, status, passes) in rows {
            let created = NOW + u32::try_from(which).unwrap() * 12 * HOUR;
            let operation = operation(created, which.into());
            let status = EmailStatus::from_index(status).unwrap();
            if created < now {
                match table.ingest(&of(operation, which * 100 + email, status), now) {
                    Ingested::Expired => {}
                    Ingested::LeftOut => prop_assert!(!*fates.entry(which).or_insert(false)),
                    _ => prop_assert!(*fates.entry(which).or_insert(true)),
                }
            }
            if passes {
                now = now + HOUR;
                table.expire(now);
            }
        }
    }
}
