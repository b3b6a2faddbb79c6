//! Stopped at any moment: either the state before a commit or the one after it, and after it once it has returned.

use std::sync::Arc;

use redb::{Builder, Error};

use super::*;
use crate::store::backend::{Backend, Shared};
use crate::store::file::{Finding, examine};
use crate::store::format::UPGRADES;

#[test]
fn a_commit_that_fails_midway_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let before = fill(&store, 3);
    let after = (standing(99), vec![saved(100, 1)]);
    let failed = store.write(None, |transaction| {
        let batch = Batch {
            account: ACCOUNT,
            standing: &after.0,
            operations: &after.1,
            groups: &[],
            removed: &[],
            generation: 0,
        };
        tables::write(transaction, &batch)?;
        Err::<(), _>(Error::Corrupted("on purpose".to_owned()))
    });
    assert!(
        matches!(failed, Err(StoreError::Damaged { .. })),
        "{failed:?}"
    );
    assert_eq!(content(&store), before);
    commit(&store, &before).unwrap();
    assert_eq!(content(&store), before);
}

#[test]
fn a_process_killed_after_a_commit_has_lost_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let kept = fill(&store, 20);
    let killed = tempfile::tempdir().unwrap();
    fs::copy(directory.path().join(NAME), killed.path().join(NAME)).unwrap();
    let again = open(killed.path());
    assert_eq!((content(&again), again.notices()), (kept, &[][..]));
}

#[test]
fn a_power_cut_at_any_write_leaves_the_state_before_or_after() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(NAME);
    let store = open(directory.path());
    let before = fill(&store, 100);
    drop(store);
    let image = fs::read(&path).unwrap();

    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let backend = Arc::new(Backend::held(file, true, &DiskGate::default()).unwrap());
    let shared = Shared(Arc::clone(&backend));
    let database = Builder::new()
        .set_check_integrity_on_open(true)
        .create_with_backend(shared)
        .unwrap();
    let after: Content = (
        Some(standing(77)),
        (0..100).map(|number| saved(number, 9)).collect(),
    );
    let mut transaction = database.begin_write().unwrap();
    transaction.set_two_phase_commit(true);
    let batch = Batch {
        account: ACCOUNT,
        standing: after.0.as_ref().unwrap(),
        operations: &after.1,
        groups: &[],
        removed: &[],
        generation: 0,
    };
    tables::write(&transaction, &batch).unwrap();
    transaction.commit().unwrap();
    let images = backend.images(&image);
    drop(database);

    let mut seen = [0, 0];
    let count = images.len();
    for (at, image) in images.into_iter().enumerate() {
        fs::write(&path, image).unwrap();
        let Finding::Sound(found) = examine(&path, UPGRADES, &DiskGate::default()) else {
            panic!("image {at} of {count} is not sound");
        };
        let found = content_of(&found);
        assert!(
            found == before || found == after,
            "image {at} of {count} is neither"
        );
        seen[usize::from(found == after)] += 1;
        assert!(at + 1 < count || found == after, "the commit had returned");
    }
    assert!(seen[0] > 1 && seen[1] > 0, "{seen:?}");
}

/// The content of an examined file.
pub(super) fn content_of(file: &StateFile) -> Content {
    let transaction = file.begin_read().unwrap();
    let standing = tables::account(&transaction, ACCOUNT).unwrap();
    (
        standing,
        tables::some_operations(&transaction, ACCOUNT, None, usize::MAX).unwrap(),
    )
}
