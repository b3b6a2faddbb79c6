//! The file at its path, its length and its locks.

use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tempfile::TempPath;

use super::*;

const WHOLE: (Bound<u64>, Bound<u64>) = (Bound::Unbounded, Bound::Unbounded);
/// The longest wait for something that takes no time.
const LIMIT: Duration = Duration::from_secs(20);
/// A call that has no lock after this time is waiting for one.
const MOMENT: Duration = Duration::from_millis(100);

fn temporary(content: &[u8]) -> TempPath {
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    fs::write(&path, content).unwrap();
    path
}

fn open(path: &Path) -> File {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).open(path).unwrap()
}

fn held(path: &Path, writable: bool) -> Shared {
    let gate = DiskGate::default();
    Shared(Arc::new(
        Backend::held(open(path), writable, &gate).unwrap(),
    ))
}

fn direct(path: &Path) -> Shared {
    let gate = DiskGate::default();
    Shared(Arc::new(Backend::direct(open(path), &gate).unwrap()))
}

#[test]
fn a_file_is_whole_as_long_as_it_has_the_length_that_was_written() {
    let path = temporary(b"");
    let backend = direct(&path);
    let is_whole = |length: u64| {
        open(&path).set_len(length).unwrap();
        backend.0.is_whole().unwrap()
    };
    assert!(is_whole(0));
    backend.write(10, &[7; 20]).unwrap();
    assert!(is_whole(30));
    assert!(is_whole(31));
    assert!(!is_whole(29));
    // A write within the file does not shorten it; a new length does.
    backend.write(3, &[7; 4]).unwrap();
    assert!(!is_whole(29));
    assert!(is_whole(30));
    backend.set_len(25).unwrap();
    assert!(is_whole(25));
    assert!(!is_whole(24));
}

#[test]
fn a_file_with_held_writes_is_compared_with_their_length_only_when_they_are_settled() {
    let path = temporary(&[1; 50]);
    let backend = held(&path, true);
    backend.write(40, &[7; 20]).unwrap();
    assert_eq!(backend.len().unwrap(), 60);
    assert!(backend.0.is_whole().unwrap());
    open(&path).set_len(49).unwrap();
    assert!(!backend.0.is_whole().unwrap());
    open(&path).set_len(50).unwrap();
    backend.0.settle().unwrap();
    assert!(backend.0.is_whole().unwrap());
    assert_eq!(backend.len().unwrap(), 60);
    open(&path).set_len(59).unwrap();
    assert!(!backend.0.is_whole().unwrap());
}

#[test]
fn the_identity_is_that_of_the_open_file_whatever_is_at_its_path() {
    let path = temporary(b"");
    let backend = direct(&path);
    let at_path = || Identity::of(&fs::metadata(&path).unwrap());
    assert!(at_path().is_some());
    assert_eq!(backend.0.identity().unwrap(), at_path());
    let other = temporary(b"");
    fs::rename(&other, &path).unwrap();
    assert_ne!(backend.0.identity().unwrap(), at_path());
}

#[test]
fn a_file_for_reading_is_never_written() {
    let path = temporary(b"before");
    let backend = held(&path, false);
    backend.write(0, b"after!").unwrap();
    assert!(backend.0.is_read_only());
    let error = backend.0.settle().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert!(!held(&path, true).0.is_read_only());
    assert!(!direct(&path).0.is_read_only());
}

#[test]
fn a_lock_is_exclusive_until_it_is_returned() {
    let path = temporary(&[0; 100]);
    let (first, second) = (held(&path, true), direct(&path));
    let locked = |backend: &Shared| backend.try_lock_range(WHOLE.0, WHOLE.1).unwrap();
    let is_locked = || second.query_lock_range(WHOLE.0, WHOLE.1).unwrap();
    assert!(!is_locked());
    assert!(locked(&first));
    assert!(is_locked());
    assert!(!locked(&second));
    assert!(!second.try_lock_shared_range(WHOLE.0, WHOLE.1).unwrap());
    first.unlock_range(WHOLE.0, WHOLE.1).unwrap();
    assert!(!is_locked());
    assert!(locked(&second));
    assert!(!locked(&first));
    // The file is still open, so only this returns the lock.
    second.close().unwrap();
    assert!(locked(&first));
}

#[test]
fn shared_locks_exclude_only_exclusive_ones() {
    let path = temporary(&[0; 100]);
    let (first, second) = (held(&path, true), direct(&path));
    first.lock_shared_range(WHOLE.0, WHOLE.1).unwrap();
    assert!(second.try_lock_shared_range(WHOLE.0, WHOLE.1).unwrap());
    second.unlock_range(WHOLE.0, WHOLE.1).unwrap();
    assert!(!second.try_lock_range(WHOLE.0, WHOLE.1).unwrap());
}

#[test]
fn a_lock_that_another_holds_is_waited_for() {
    type Lock = fn(&Shared);
    let shared: Lock = |backend| backend.lock_shared_range(WHOLE.0, WHOLE.1).unwrap();
    let exclusive: Lock = |backend| backend.lock_range(WHOLE.0, WHOLE.1).unwrap();
    for lock in [shared, exclusive] {
        let path = temporary(&[0; 100]);
        let (first, second) = (held(&path, true), direct(&path));
        first.lock_range(WHOLE.0, WHOLE.1).unwrap();
        let (got, is_got) = channel();
        thread::spawn(move || {
            lock(&second);
            // The lock lasts until the test has ended.
            let _ = got.send(second);
        });
        assert!(is_got.recv_timeout(MOMENT).is_err());
        first.unlock_range(WHOLE.0, WHOLE.1).unwrap();
        let second = is_got.recv_timeout(LIMIT).unwrap();
        assert!(!first.try_lock_range(WHOLE.0, WHOLE.1).unwrap());
        drop(second);
    }
}

#[test]
fn a_file_for_reading_takes_no_exclusive_lock() {
    let path = temporary(&[0; 100]);
    let (reading, other) = (held(&path, false), direct(&path));
    assert!(reading.try_lock_range(WHOLE.0, WHOLE.1).unwrap());
    reading.lock_range(WHOLE.0, WHOLE.1).unwrap();
    assert!(other.try_lock_range(WHOLE.0, WHOLE.1).unwrap());
    assert!(reading.try_lock_range(WHOLE.0, WHOLE.1).unwrap());
    reading.unlock_range(WHOLE.0, WHOLE.1).unwrap();
    assert!(reading.query_lock_range(WHOLE.0, WHOLE.1).unwrap());
}

#[test]
fn writes_and_syncs_go_to_the_disk_at_once_when_nothing_is_held() {
    let path = temporary(b"0123456789");
    let gate = DiskGate::default();
    let backend = Shared(Arc::new(Backend::direct(open(&path), &gate).unwrap()));
    backend.write(4, b"abc").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"0123abc789");
    assert_eq!(backend.len().unwrap(), 10);
    for hang in [
        DiskGate::hold_writes as fn(&DiskGate) -> _,
        DiskGate::hold_syncs,
    ] {
        let (hang, backend) = (hang(&gate), backend.clone());
        let (done, is_done) = channel();
        thread::spawn(move || {
            backend.write(0, b"x").unwrap();
            backend.sync_data().unwrap();
            let _ = done.send(());
        });
        assert!(gate.wait_until_hanging(LIMIT));
        assert!(is_done.try_recv().is_err());
        drop(hang);
        is_done.recv_timeout(LIMIT).unwrap();
    }
}
