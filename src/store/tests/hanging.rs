//! A disk that hangs in the middle of a commit.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::*;
use crate::store::disk_gate::Hang;

/// So long a test waits for something that takes no time.
const LIMIT: Duration = Duration::from_secs(20);

struct Hanging {
    directory: tempfile::TempDir,
    gate: DiskGate,
    store: Arc<Store>,
    before: Content,
}

impl Hanging {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let gate = DiskGate::default();
        let store = Store::open_behind(gate.clone(), Some(directory.path()), now()).unwrap();
        let labels = Arc::new([("campaign".to_owned(), "spring".to_owned())].into());
        store
            .register("sales", &[(saved(1, 1).operation.id, Some(labels))])
            .unwrap();
        let before = fill(&store, 10);
        Self {
            directory,
            gate,
            store: Arc::new(store),
            before,
        }
    }

    /// Commits `operations` operations while `hold` lasts; asserts that everything can be read meanwhile, and what is there
    /// afterwards.
    fn assert_reads_go_on(&self, hold: fn(&DiskGate) -> Hang, operations: u32) {
        let after = (
            Some(standing(50)),
            (0..operations).map(|number| saved(number, 9)).collect(),
        );
        let hang = hold(&self.gate);
        thread::scope(|scope| {
            let committing = scope.spawn(|| commit(&self.store, &after));
            assert!(self.gate.wait_until_hanging(LIMIT), "the commit hangs");
            assert_eq!(self.read(), self.before);
            drop(hang);
            committing.join().unwrap().unwrap();
        });
        assert_eq!(content(&self.store), after);
    }

    /// Everything that can be read, on a thread of its own: a read that waits fails the test instead of hanging it.
    fn read(&self) -> Content {
        let store = Arc::clone(&self.store);
        let (done, is_done) = channel();
        thread::spawn(move || {
            let id = saved(1, 1).operation.id;
            let operation = store.operation(ACCOUNT, id).unwrap();
            let registered = store.registered("sales").unwrap();
            let groups = store.groups("sales").unwrap();
            let generation = store.generation();
            store.check(generation).unwrap();
            let counts = (registered.len(), groups.len(), generation);
            let _ = done.send((operation, counts, content(&store)));
        });
        let (operation, counts, content) = is_done.recv_timeout(LIMIT).expect("no read waits");
        assert_eq!(operation.as_ref(), content.1.get(1));
        assert_eq!(counts, (1, 0, 0));
        content
    }
}

#[test]
fn reads_go_on_while_an_fsync_hangs() {
    Hanging::new().assert_reads_go_on(DiskGate::hold_syncs, 10);
}

/// redb syncs the file in the middle of a transaction when it grows, and keeps a lock meanwhile.
#[test]
fn reads_go_on_while_the_file_grows_and_the_fsync_hangs() {
    let hanging = Hanging::new();
    let path = hanging.directory.path().join(NAME);
    let before = fs::metadata(&path).unwrap().len();
    hanging.assert_reads_go_on(DiskGate::hold_syncs, 20_000);
    let after = fs::metadata(&path).unwrap().len();
    assert!(after > before, "{after} after {before}: the file grew");
}

#[test]
fn reads_go_on_while_a_write_hangs() {
    Hanging::new().assert_reads_go_on(DiskGate::hold_writes, 10);
}

#[test]
fn reads_go_on_while_an_old_commit_is_still_read() {
    let hanging = Hanging::new();
    let store = &hanging.store;
    let old = store.readers.last().unwrap();
    for _ in 0..3 {
        commit(store, &hanging.before).unwrap();
    }
    let seen = tables::some_operations(&old.transaction, ACCOUNT, None, 100).unwrap();
    assert_eq!(seen, hanging.before.1);
    hanging.assert_reads_go_on(DiskGate::hold_syncs, 10);
}

/// Opening a file again needs redb's lock of it, which a read in progress must not keep.
#[test]
fn a_file_is_opened_again_while_an_old_commit_is_still_read() {
    let hanging = Hanging::new();
    let store = &hanging.store;
    let old = store.readers.last().unwrap();
    let failed = store.write(None, |_| {
        Err::<(), _>(redb::Error::Corrupted("on purpose".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!(hanging.read(), hanging.before);
    let closed = tables::some_operations(&old.transaction, ACCOUNT, None, 100);
    assert!(closed.is_err() || closed.unwrap() == hanging.before.1);
    commit(store, &hanging.before).unwrap();
}

/// A read whose file a failing commit closes sees what the file holds when it is open again.
#[test]
fn a_read_that_loses_its_file_is_made_again() {
    let hanging = Hanging::new();
    let store = &hanging.store;
    let mut calls = 0;
    let calls_seen = std::cell::RefCell::new(&mut calls);
    let read = store.read(|transaction| {
        let mut calls = calls_seen.borrow_mut();
        **calls += 1;
        if **calls == 1 {
            store.state.lock().close();
            return Err(redb::Error::DatabaseAlreadyOpen);
        }
        tables::some_operations(transaction, ACCOUNT, None, 100)
    });
    assert_eq!(read.unwrap(), Some(hanging.before.1.clone()));
    assert_eq!(calls, 2);
}

/// Who finds no open file waits for whoever opens it, but not for ever.
#[test]
fn a_read_without_an_open_file_gives_up() {
    let hanging = Hanging::new();
    let store = &hanging.store;
    let mut state = store.state.lock();
    state.close();
    thread::scope(|scope| {
        let read = scope.spawn(|| store.operation(ACCOUNT, saved(1, 1).operation.id));
        let error = read.join().unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{error}");
    });
    drop(state);
    assert_eq!(hanging.read(), hanging.before);
}
