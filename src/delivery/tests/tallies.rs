//! The emails of chosen operations by status.

use super::*;
use EmailStatus::{Delivered, Opened, Sent, Undelivered};

fn email(of: OperationId, number: u64, status: EmailStatus) -> Email {
    Email {
        operation: Some(of),
        ..row(of.created(), number, status, SECOND)
    }
}

fn statuses(table: &Deliveries, id: OperationId) -> Vec<(EmailStatus, u64)> {
    let tally = table.tally(id).unwrap();
    let statuses = EmailStatus::ALL.into_iter().zip(tally.statuses);
    statuses.filter(|(_, emails)| *emails > 0).collect()
}

#[test]
fn a_tally_has_the_emails_of_its_operation_before_and_after_it_begins() {
    let mut table = watching(&LIMITS);
    let (one, other) = (operation(NOW, 1), operation(NOW, 2));
    for number in 0..3 {
        table.ingest(&email(one, number, Sent), NOW);
        table.ingest(&email(other, 10 + number, Sent), NOW);
    }
    table.ingest(&email(one, 3, Undelivered), NOW);
    assert_eq!(table.tally(one), None);
    table.tally_operations(&[one], NOW + HOUR);
    assert_eq!(statuses(&table, one), [(Sent, 3), (Undelivered, 1)]);
    assert_eq!(table.tally(one).unwrap().changed, NOW + HOUR);
    let later = NOW + 2 * HOUR;
    table.ingest(&email(one, 0, Delivered), later);
    table.ingest(&email(one, 1, Opened), later);
    table.ingest(&email(one, 1, Sent), later + HOUR);
    table.ingest(&email(one, 4, Sent), later);
    assert_eq!(
        statuses(&table, one),
        [(Sent, 2), (Delivered, 1), (Undelivered, 1), (Opened, 1)]
    );
    let tally = *table.tally(one).unwrap();
    assert_eq!((tally.size(), tally.changed), (5, later));
    assert!(tally.is_open());
    let created = NOW + Duration::from_millis(0);
    assert_eq!(tally.created, Some((created, created)));
    // A tally that stays is not restarted, and one that is not wanted any more is removed.
    table.tally_operations(&[one, other], later);
    assert_eq!(*table.tally(one).unwrap(), tally);
    assert_eq!(statuses(&table, other), [(Sent, 3)]);
    table.tally_operations(&[other], later);
    assert_eq!(table.tally(one), None);
}

#[test]
fn a_tally_is_the_same_after_a_restart() {
    let mut table = watching(&LIMITS);
    let one = operation(NOW, 1);
    for (number, status) in [(0, Sent), (1, Delivered), (2, Opened), (3, Undelivered)] {
        table.ingest(&email(one, number, status), NOW);
    }
    table.tally_operations(&[one], NOW);
    let changes = table.changes();
    let mut again = super::table(&LIMITS);
    again.restore(&changes.standing, &changes.names);
    for saved in &changes.emails {
        again.restore_email(saved);
    }
    again.tally_operations(&[one], NOW);
    assert_eq!(again.tally(one), table.tally(one));
}

#[test]
fn emails_of_another_time_are_not_those_of_an_operation_with_the_same_mark() {
    let mut table = watching(&LIMITS);
    let one = operation(NOW, 1);
    table.tally_operations(&[one], NOW);
    let later = Email {
        operation: Some(one),
        ..row(NOW + 25 * HOUR, 9, Sent, SECOND)
    };
    table.ingest(&later, NOW + 25 * HOUR);
    assert_eq!(table.tally(one).unwrap().size(), 0);
}
