//! A file that is deleted or replaced while the exporter runs.

use super::*;

/// Asserts that the deletion is reported as `what`, and that later commits are in a new file.
fn assert_begins_anew(store: &Store, directory: &Path, what: &str, aside: &[&str]) {
    let generation = store.generation();
    let files_lost = store.files_lost();
    let more = (Some(standing(50)), vec![saved(7, 7)]);
    let lost = commit_in(store, generation, &more).unwrap_err();
    let StoreError::Vanished { what: reported, .. } = &lost else {
        panic!("{lost:?}");
    };
    assert_eq!(*reported, what, "{lost}");
    assert_eq!(store.generation(), generation + 1);
    assert_eq!(store.files_lost(), files_lost + 1);
    // A batch with only the changes to a lost state is refused.
    for _ in 0..2 {
        let late = commit_in(store, generation, &more).unwrap_err();
        assert!(matches!(late, StoreError::Vanished { .. }), "{late}");
    }
    assert!(store.check(generation).is_err());
    store.check(generation + 1).unwrap();
    assert_eq!(content(store), (None, Vec::new()), "nothing is in it yet");
    commit_in(store, generation + 1, &more).unwrap();
    assert_eq!(content(store), more);
    let others = others(directory);
    assert_eq!(others.len(), aside.len(), "{others:?}");
    for (other, aside) in others.iter().zip(aside) {
        assert!(other.starts_with(aside), "{others:?}");
    }
}

#[test]
fn a_deleted_or_moved_file_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store, 3);
    fs::remove_file(directory.path().join(NAME)).unwrap();
    assert_begins_anew(&store, directory.path(), "gone", &[]);
    fs::rename(directory.path().join(NAME), directory.path().join("moved")).unwrap();
    assert_begins_anew(&store, directory.path(), "gone", &["moved"]);
    drop(store);
    let kept = content(&open(directory.path()));
    assert_eq!(kept, (Some(standing(50)), vec![saved(7, 7)]));
}

#[test]
fn a_replaced_file_is_set_aside_and_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fill(&open(elsewhere.path()), 5);
    let backup = fs::read(elsewhere.path().join(NAME)).unwrap();
    let store = open(directory.path());
    fill(&store, 3);
    let other = directory.path().join("other");
    fs::write(&other, &backup).unwrap();
    fs::rename(&other, directory.path().join(NAME)).unwrap();
    assert_begins_anew(
        &store,
        directory.path(),
        "another one",
        &["state.redb.exchanged-"],
    );
    let names = others(directory.path());
    let aside = fs::read(directory.path().join(&names[0])).unwrap();
    assert!(aside == backup, "it is as it was");
}

/// Like after an error of the disk: the file is closed, and opened again when it is needed.
#[test]
fn a_file_that_was_replaced_while_it_was_closed_is_set_aside_and_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fill(&open(elsewhere.path()), 5);
    let path = directory.path().join(NAME);
    let store = open(directory.path());
    let kept = fill(&store, 3);
    store.state.lock().close();
    assert_eq!(content(&store), kept, "the same file is opened again");
    store.state.lock().close();
    fs::rename(elsewhere.path().join(NAME), &path).unwrap();
    assert_begins_anew(
        &store,
        directory.path(),
        "another one",
        &["state.redb.exchanged-"],
    );
    store.state.lock().close();
    fs::remove_file(&path).unwrap();
    assert_begins_anew(&store, directory.path(), "gone", &["state.redb.exchanged-"]);
}

#[test]
fn a_file_that_was_damaged_while_it_was_closed_stays_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(NAME);
    let store = open(directory.path());
    let kept = fill(&store, 3);
    let whole = fs::read(&path).unwrap();
    store.state.lock().close();
    fs::write(&path, b"no database").unwrap();
    for _ in 0..2 {
        let error = commit(&store, &kept).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), b"no database");
        assert_eq!(others(directory.path()), Vec::<String>::new());
    }
    fs::write(&path, &whole).unwrap();
    commit(&store, &kept).unwrap();
    assert_eq!(content(&store), kept);
}

#[test]
fn a_truncated_file_is_set_aside_and_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store, 3);
    fs::File::options()
        .write(true)
        .open(directory.path().join(NAME))
        .unwrap()
        .set_len(10)
        .unwrap();
    assert_begins_anew(
        &store,
        directory.path(),
        "cut off",
        &["state.redb.exchanged-"],
    );
}

#[test]
fn a_check_notices_a_file_that_is_gone_before_anything_is_saved() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store, 3);
    store.check(0).unwrap();
    fs::remove_file(directory.path().join(NAME)).unwrap();
    let gone = store.check(0).unwrap_err();
    assert!(matches!(gone, StoreError::Vanished { .. }), "{gone}");
    store.check(store.generation()).unwrap();
}

#[test]
fn saved_values_can_be_loaded_once_the_file_could_be_opened() {
    assert!(Store::open(None, now()).unwrap().was_opened());
    let directory = tempfile::tempdir().unwrap();
    let blocker = directory.path().join("no-directory");
    fs::write(&blocker, "").unwrap();
    let store = open(&blocker.join("data"));
    assert!(!store.was_opened());
    fs::remove_file(&blocker).unwrap();
    commit(&store, &(Some(standing(1)), Vec::new())).unwrap();
    assert!(store.was_opened());
}

#[test]
fn a_file_is_gone_only_if_its_path_is_and_not_if_the_disk_cannot_say() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let state = store.state.lock();
    let misplaced = |path: &Path| state.file().unwrap().misplaced(path);
    assert_eq!(misplaced(&directory.path().join(NAME)), None);
    assert_eq!(misplaced(&directory.path().join("missing")), Some("gone"));
    let blocker = directory.path().join("no-directory");
    fs::write(&blocker, "").unwrap();
    assert_eq!(misplaced(&blocker), Some("another one"));
    assert_eq!(misplaced(&blocker.join(NAME)), None, "not a directory");
}

#[test]
fn a_deleted_directory_is_created_again_and_locked() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("data");
    let store = open(&directory);
    fill(&store, 3);
    fs::rename(&directory, parent.path().join("moved")).unwrap();
    assert_begins_anew(&store, &directory, "gone", &[]);
    let second = Store::open(Some(&directory), now()).unwrap_err();
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
    // The old file is unlocked and still has the saved values.
    assert_eq!(content(&open(&parent.path().join("moved"))).1.len(), 3);
}

#[test]
fn the_open_file_is_not_mistaken_for_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for _ in 0..20 {
        let kept = fill(&store, 300);
        store.check(0).unwrap();
        assert_eq!(content(&store), kept);
        // A purge may shorten the file.
        while store
            .purge(ACCOUNT, now() + std::time::Duration::from_hours(1000))
            .unwrap()
        {}
        store.check(0).unwrap();
    }
    drop(store);
    let store = open(directory.path());
    store.check(0).unwrap();
    fill(&store, 3);
    store.check(0).unwrap();
}
