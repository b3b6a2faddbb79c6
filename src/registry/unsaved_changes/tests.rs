//! What a save covers, and what stays unsaved.

use super::*;
use crate::operation::{Marks, Operation, OperationState, RETENTION, Stats};
use crate::snapshot::Labels;

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

fn saved(n: usize) -> SavedOperation {
    SavedOperation {
        operation: Operation {
            id: format!("comms_operation_01h2xcejqt{n:016}")
                .parse()
                .unwrap(),
            state: OperationState::Completed,
            stats: Stats::default(),
            created: NOW,
            updated: None,
        },
        last_success: NOW,
        last_change: NOW,
        marks: Marks::default(),
        credited: Labels::default(),
        tags: None,
        scheduled_for: None,
    }
}

fn id(n: usize) -> OperationId {
    saved(n).operation.id
}

fn changed(unsaved: &UnsavedChanges) -> Vec<OperationId> {
    unsaved.changed_from(Bound::Unbounded).collect()
}

fn removed(unsaved: &UnsavedChanges) -> Vec<SavedOperation> {
    unsaved.removed_from(Bound::Unbounded).cloned().collect()
}

/// Removes what is saved, in slices of this many operations. Returns the number of slices.
fn forget_in(unsaved: &mut UnsavedChanges, operations: usize) -> usize {
    let mut slices = 1;
    while unsaved.forget_saved(&mut Slice::new(operations)) {
        slices += 1;
    }
    slices
}

fn forget(unsaved: &mut UnsavedChanges) {
    forget_in(unsaved, usize::MAX);
}

#[test]
fn an_operation_that_returns_is_not_a_removed_one() {
    let mut unsaved = UnsavedChanges::default();
    unsaved.changed(id(0));
    unsaved.remove(id(0), || saved(0));
    unsaved.evict_early(saved(1));
    assert_eq!(unsaved.last_record(id(0)), Some(saved(0)));
    assert_eq!(unsaved.last_record(id(1)), Some(saved(1)));
    assert!(!unsaved.is_empty(), "a removed one is unsaved");
    for n in [0, 1] {
        unsaved.changed(id(n));
        assert_eq!(unsaved.last_record(id(n)), None);
    }
    assert_eq!((changed(&unsaved).len(), removed(&unsaved).len()), (2, 0));
    assert!(!unsaved.is_empty(), "a changed one is unsaved");
}

#[test]
fn a_save_covers_what_was_changed_or_removed_before_it() {
    let mut unsaved = UnsavedChanges::default();
    for n in 0..3 {
        unsaved.changed(id(n));
    }
    unsaved.remove(id(0), || saved(0));
    let covered = unsaved.revision();
    unsaved.changed(id(1));
    unsaved.changed(id(3));
    unsaved.remove(id(3), || saved(3));
    unsaved.saved(covered);
    for _ in 0..2 {
        assert_eq!(changed(&unsaved), [id(1)]);
        assert_eq!(removed(&unsaved), [saved(3)]);
        forget(&mut unsaved);
    }
    assert_eq!((unsaved.changed.len(), unsaved.removed.len()), (1, 1));
    unsaved.saved(unsaved.revision());
    assert!(unsaved.is_empty());
}

#[test]
fn early_evictions_are_kept_until_they_expire_and_saved_again_when_the_store_lost_them() {
    let mut unsaved = UnsavedChanges::default();
    unsaved.evict_early(saved(0));
    assert!(unsaved.is_empty(), "it is saved");
    unsaved.lost();
    assert_eq!(removed(&unsaved), [saved(0)]);
    unsaved.saved(unsaved.revision());
    assert!(removed(&unsaved).is_empty(), "it is saved again");
    let end = NOW + RETENTION;
    unsaved.expire(end - std::time::Duration::from_millis(1));
    assert!(unsaved.last_record(id(0)).is_some());
    unsaved.expire(end);
    assert!(unsaved.last_record(id(0)).is_none());
}

#[test]
fn no_more_than_the_limit_is_kept() {
    let mut unsaved = UnsavedChanges::default();
    for n in 0..MOST_REMOVED + 9 {
        unsaved.evict_early(saved(n));
        unsaved.changed.insert(id(n), Revision(1));
        unsaved.remove(id(n), || saved(n));
    }
    assert_eq!(unsaved.removed.len(), MOST_REMOVED);
    assert_eq!(unsaved.evicted_early.len(), MOST_REMOVED);
}

#[test]
fn saved_operations_are_removed_in_slices_and_count_as_saved_at_once() {
    for slice in [1, 7, 40] {
        let mut unsaved = UnsavedChanges::default();
        for n in 0..100 {
            unsaved.changed(id(n));
            if n % 3 == 0 {
                unsaved.remove(id(n), || saved(n));
            }
        }
        let covered = unsaved.revision();
        let later: Vec<_> = (0..100).step_by(10).map(id).collect();
        for id in &later {
            unsaved.changed(*id);
        }
        unsaved.saved(covered);
        assert_eq!(
            (changed(&unsaved), removed(&unsaved)),
            (later.clone(), vec![])
        );
        let before = unsaved.changed.len() + unsaved.removed.len();
        assert!(forget_in(&mut unsaved, slice) >= (before - 10) / (2 * slice));
        assert_eq!(unsaved.changed.keys().copied().collect::<Vec<_>>(), later);
        assert!(unsaved.removed.is_empty() && !unsaved.is_empty());
        unsaved.saved(unsaved.revision());
        assert!(unsaved.is_empty());
    }
}

#[test]
fn an_operation_that_leaves_memory_before_everything_is_saved_again_is_kept() {
    let mut unsaved = UnsavedChanges::default();
    unsaved.evict_early(saved(2));
    unsaved.remove(id(0), || saved(0));
    assert!(removed(&unsaved).is_empty(), "it is saved");
    unsaved.lost();
    unsaved.remove(id(1), || saved(1));
    unsaved.remove(id(3), || saved(3));
    assert_eq!(removed(&unsaved), [saved(1), saved(2), saved(3)]);
    unsaved.saved(unsaved.revision());
    assert!(removed(&unsaved).is_empty() && unsaved.is_empty());
}
