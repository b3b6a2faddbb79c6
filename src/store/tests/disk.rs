//! Directories and disks that fail.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::*;

#[test]
fn a_start_waits_a_moment_for_a_process_that_exits() {
    let directory = tempfile::tempdir().unwrap();
    let ending = Store::open(Some(directory.path()), now()).unwrap();
    let (begun, begins) = std::sync::mpsc::channel();
    let ends = std::thread::spawn(move || {
        begins.recv().unwrap();
        drop(ending);
    });
    begun.send(()).unwrap();
    Store::open(Some(directory.path()), now()).unwrap();
    ends.join().unwrap();
}

#[test]
fn a_second_store_in_the_same_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let refused = Store::open(Some(directory.path()), now()).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }));
    assert_eq!(
        refused.to_string(),
        format!(
            "{} is in use by another process; give each exporter its own --storage.path",
            directory.path().display()
        )
    );
    drop(first);
    open(directory.path());
}

#[test]
fn the_lock_of_the_file_alone_refuses_a_second_store() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let other = redb::Database::open(directory.path().join(NAME)).unwrap();
    let refused = Store::open(Some(directory.path()), now()).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }));
    drop(other);
    open(directory.path());
}

#[test]
fn a_directory_that_cannot_be_created_is_reported_and_retried() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let store = open(&file.join("data"));
    let [notice] = store.notices() else {
        panic!("{:?}", store.notices());
    };
    assert!(
        notice.starts_with("cannot write to ") && notice.contains("Not a directory"),
        "{notice}"
    );
    assert_eq!(content(&store), (None, Vec::new()));
    let kept = (Some(standing(1)), vec![saved(1, 1)]);
    assert!(matches!(
        commit(&store, &kept),
        Err(StoreError::Unwritable { .. })
    ));
    fs::remove_file(&file).unwrap();
    commit(&store, &kept).unwrap();
    assert_eq!(content(&store), kept);
}

#[test]
fn a_store_that_appears_later_is_not_overwritten_before_it_is_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let kept = fill(&open(&directory.path().join("elsewhere")), 3);
    let data = directory.path().join("data");
    fs::write(&data, "in the way").unwrap();
    let store = open(&data);
    assert!(!store.was_opened());
    assert_eq!(content(&store), (None, Vec::new()));
    fs::remove_file(&data).unwrap();
    fs::rename(directory.path().join("elsewhere"), &data).unwrap();
    let new = (Some(standing(0)), Vec::new());
    // Every account, one after the other.
    for _ in 0..2 {
        let refused = commit(&store, &new).unwrap_err();
        assert!(matches!(refused, StoreError::Found { .. }), "{refused}");
        assert!(matches!(store.check(0), Err(StoreError::Found { .. })));
    }
    assert_eq!(content(&store), kept);
    assert_eq!((store.generation(), store.files_lost()), (1, 0));
    // New registrations are added to the saved ones.
    let id = saved(9, 1).operation.id;
    let labels = Labels::default();
    store.register(ACCOUNT, &[(id, Some(labels))]).unwrap();
    assert!(store.registered(ACCOUNT).unwrap().contains_key(&id));
    let more = (kept.0, vec![saved(9, 9)]);
    commit_in(&store, 1, &more).unwrap();
    // From now on its deletion is detected.
    fs::remove_file(data.join(NAME)).unwrap();
    let lost = commit_in(&store, 1, &more).unwrap_err();
    assert!(matches!(lost, StoreError::Vanished { .. }), "{lost}");
    assert_eq!((store.generation(), store.files_lost()), (2, 1));
    let late = commit_in(&store, 0, &more).unwrap_err();
    assert!(matches!(late, StoreError::Vanished { .. }), "{late}");
}

/// An empty store that appears later has nothing to load.
#[test]
fn an_empty_store_that_appears_later_is_used() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory.path().join("elsewhere")));
    let data = directory.path().join("data");
    fs::write(&data, "in the way").unwrap();
    let store = open(&data);
    fs::remove_file(&data).unwrap();
    fs::rename(directory.path().join("elsewhere"), &data).unwrap();
    let new = (Some(standing(0)), vec![saved(1, 1)]);
    commit(&store, &new).unwrap();
    assert_eq!((content(&store), store.generation()), (new, 0));
}

/// Otherwise anyone with write access to the directory could make the exporter overwrite any file of its user.
#[test]
fn a_link_in_place_of_the_unfinished_file_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let others_file = directory.path().join("precious");
    fs::write(&others_file, "precious").unwrap();
    let data = directory.path().join("data");
    for target in [
        others_file.as_path(),
        &directory.path().join("not-there-yet"),
    ] {
        fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(target, data.join("state.redb.new")).unwrap();
        let store = open(&data);
        assert_eq!(store.notices(), [""; 0]);
        let kept = fill(&store, 3);
        drop(store);
        assert_eq!(content(&open(&data)), kept);
        let state = fs::symlink_metadata(data.join(NAME)).unwrap();
        assert!(state.is_file(), "a file of its own");
        assert_eq!(others(&data), [""; 0]);
        fs::remove_dir_all(&data).unwrap();
    }
    assert_eq!(fs::read_to_string(&others_file).unwrap(), "precious");
    assert_eq!(others(directory.path()), ["precious"]);
    // A directory in its place is not deleted either.
    fs::create_dir_all(data.join("state.redb.new")).unwrap();
    assert_eq!(open(&data).notices().len(), 1);
    assert_eq!(others(&data), ["state.redb.new"]);
}

/// A crash during the creation leaves an unfinished file.
#[test]
fn an_unfinished_file_is_created_again() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("state.redb.new"), vec![7; 100_000]).unwrap();
    let store = open(directory.path());
    let kept = fill(&store, 3);
    drop(store);
    assert_eq!(content(&open(directory.path())), kept);
    assert_eq!(others(directory.path()), [""; 0]);
}

/// A mounted file system, until the value is dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` if the test may not mount.
    fn mount(kibibytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={kibibytes}k");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(directory.path())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            // Written directly, because the test harness hides the output of a passing test.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: a test of the store needs `mount`, hence root"
            );
            return None;
        }
        Some(Self(directory))
    }

    fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        assert!(
            Command::new("mount")
                .args(["-o", &how])
                .arg(self.0.path())
                .status()
                .unwrap()
                .success()
        );
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Fills the rest of the disk.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("ballast");
        let mut file = fs::File::create(&path).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_fails_commits_and_loses_no_saved_value() {
    let Some(disk) = Disk::mount(1024) else {
        return;
    };
    let store = open(&disk.data());
    let kept = fill(&store, 10);
    let ballast = disk.fill();
    let more = (
        Some(standing(50)),
        (0..3000).map(|number| saved(number, 9)).collect(),
    );
    for _ in 0..3 {
        let failed = commit(&store, &more).unwrap_err();
        assert!(
            matches!(failed, StoreError::Unwritable { .. }),
            "{failed:?}"
        );
        assert_eq!(content(&store), kept);
    }
    drop(store);
    // After a start on the full disk the saved values are loaded.
    let store = open(&disk.data());
    assert_eq!(content(&store), kept);
    assert!(commit(&store, &more).is_err());
    fs::remove_file(ballast).unwrap();
    commit(&store, &more).unwrap();
    drop(store);
    assert_eq!(content(&open(&disk.data())), more);
    assert!(others(&disk.data()).is_empty());
}

#[test]
fn a_disk_full_from_the_start_recovers_and_leaves_no_temporary_file() {
    let Some(disk) = Disk::mount(256) else { return };
    fs::create_dir(disk.data()).unwrap();
    let ballast = disk.fill();
    let store = open(&disk.data());
    assert_eq!(store.notices().len(), 1, "{:?}", store.notices());
    let kept = (Some(standing(1)), vec![saved(1, 1)]);
    for _ in 0..3 {
        assert!(matches!(
            commit(&store, &kept),
            Err(StoreError::Unwritable { .. })
        ));
    }
    assert!(
        others(&disk.data()).is_empty(),
        "{:?}",
        others(&disk.data())
    );
    fs::remove_file(ballast).unwrap();
    commit(&store, &kept).unwrap();
    assert_eq!(content(&store), kept);
}

#[test]
fn a_read_only_disk_is_loaded_even_after_a_crash() {
    let Some(disk) = Disk::mount(1024) else {
        return;
    };
    let elsewhere = tempfile::tempdir().unwrap();
    let running = open(elsewhere.path());
    let kept = fill(&running, 10);
    fs::create_dir(disk.data()).unwrap();
    // A copy of the file of a running store, as `kill -9` would leave it.
    fs::copy(elsewhere.path().join(NAME), disk.data().join(NAME)).unwrap();
    disk.remount("ro");
    let store = open(&disk.data());
    assert_eq!(content(&store), kept);
    let [notice] = store.notices() else {
        panic!("{:?}", store.notices());
    };
    assert!(notice.contains("Read-only file system"), "{notice}");
    let more = (Some(standing(50)), vec![saved(11, 1)]);
    for _ in 0..2 {
        assert!(matches!(
            commit(&store, &more),
            Err(StoreError::Unwritable { .. })
        ));
        assert_eq!(content(&store), kept);
    }
    disk.remount("rw");
    commit(&store, &more).unwrap();
    drop(store);
    assert_eq!(content(&open(&disk.data())).1.len(), 11);
}

#[test]
fn a_damaged_file_on_a_read_only_disk_is_reported_and_not_changed() {
    let Some(disk) = Disk::mount(256) else { return };
    fs::create_dir(disk.data()).unwrap();
    fs::write(disk.data().join(NAME), "not a database").unwrap();
    disk.remount("ro");
    let store = open(&disk.data());
    assert_eq!(store.notices().len(), 1, "{:?}", store.notices());
    let kept = (Some(standing(1)), vec![saved(1, 1)]);
    assert!(matches!(
        commit(&store, &kept),
        Err(StoreError::Unwritable { .. })
    ));
    disk.remount("rw");
    commit(&store, &kept).unwrap();
    assert_eq!(content(&store), kept);
    assert_eq!(
        others(&disk.data()),
        ["state.redb.foreign-20261123T220000Z"]
    );
}

#[test]
fn a_store_and_its_errors_can_be_sent_to_other_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Store>();
    crosses::<StoreError>();
}
