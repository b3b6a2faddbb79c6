//! What emails prove about the counting mode, and what is counted then.

use super::*;
use crate::operation::Evidence;
use CountingMode::{Cumulative, Exclusive};

/// An operation of ten emails, of which some are delivered and others opened.
fn opened(created: Timestamp, n: u32, [delivered, opened]: [u32; 2]) -> Operation {
    let mut operation = operation(created, n, delivered);
    operation.stats.size = Some(10);
    operation.stats.set(Status::Opened, opened);
    operation
}

/// A registry whose stats have proven the cumulative mode, by a row that was wrong.
fn misled() -> Registry {
    let mut registry = registry(&[]);
    let mut wrong = operation(NOW - 50 * HOUR, 99, 9);
    wrong.stats.set(Status::Sent, 9);
    observe(&mut registry, &[wrong], NOW);
    assert_eq!(registry.presenter().counting_mode(), Cumulative);
    registry
}

#[test]
fn emails_decide_the_counting_mode_against_stats_and_the_user_against_both() {
    let mut registry = misled();
    assert!(!registry.note_emails(id(NOW, 1), Exclusive, Evidence::Some));
    assert!(registry.note_emails(id(NOW, 2), Exclusive, Evidence::Some));
    assert_eq!(registry.presenter().counting_mode(), Exclusive);
    let mut funnel = operation(NOW, 3, 9);
    funnel.stats.set(Status::Sent, 9);
    observe(&mut registry, &[funnel], NOW);
    assert_eq!(registry.presenter().counting_mode(), Exclusive);
    registry.reconfigure(&series(), Some(Cumulative));
    assert_eq!(registry.presenter().counting_mode(), Cumulative);
    assert_eq!(registry.proven_by_emails(), Some(Exclusive));
}

#[test]
fn a_mode_that_is_proven_late_counts_what_was_missing_once_and_no_baseline() {
    let mut registry = misled();
    registry.set(
        &Source::Api,
        id(NOW, 0),
        Some(Arc::new(
            [("campaign".to_owned(), "spring".to_owned())].into(),
        )),
    );
    let old = NOW - 60 * HOUR;
    observe(
        &mut registry,
        &[opened(NOW, 0, [2, 3]), opened(old, 1, [4, 5])],
        NOW,
    );
    assert_eq!(counted(&mut registry).1, 2);
    assert!(registry.note_emails(id(NOW, 0), Exclusive, Evidence::Large));
    assert!(!registry.is_saved());
    assert_eq!(counted(&mut registry).1, 5);
    let batch = registry.unsaved();
    assert!(batch.operations.is_empty());
    assert_eq!(
        registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .groups
            .len(),
        1
    );
    // Later growth counts from there, also that of the operation with a baseline.
    observe(
        &mut registry,
        &[opened(NOW, 0, [2, 4]), opened(old, 1, [4, 6])],
        NOW + HOUR,
    );
    assert_eq!(counted(&mut registry).1, 7);
    assert!(!registry.note_emails(id(NOW, 0), Exclusive, Evidence::Large));
    assert_eq!(counted(&mut registry).1, 7);
}

#[test]
fn the_cumulative_mode_lowers_no_counter_and_outlives_a_restart() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[opened(NOW, 0, [4, 3])], NOW);
    assert_eq!(counted(&mut registry).1, 7);
    assert!(registry.note_emails(id(NOW, 0), Cumulative, Evidence::Large));
    assert_eq!(counted(&mut registry).1, 7);
    let saved = registry.unsaved().account;
    assert!(saved.cumulative_proven);
    observe(&mut registry, &[opened(NOW, 0, [8, 3])], NOW + HOUR);
    assert_eq!(counted(&mut registry).1, 8);

    let mut again = Registry::new(Arc::from("default"), &series(), None, NOW);
    again.restore(&saved, Vec::new());
    assert_eq!(again.presenter().counting_mode(), Cumulative);
    again.restore_email_proof(Exclusive);
    assert_eq!(again.presenter().counting_mode(), Exclusive);
}
