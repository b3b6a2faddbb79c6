//! Damaged files: never a panic, never wrong counts, never a lost file.

use redb::ReadableTable;

use super::crash::content_of;
use super::*;
use crate::store::file::{FileFault, Finding, examine};
use crate::store::format::UPGRADES;

/// A file after a clean exit, one after a kill, and the content of both.
fn files() -> ([Vec<u8>; 2], Content) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let content = fill(&store, 60);
    let killed = fs::read(directory.path().join(NAME)).unwrap();
    drop(store);
    let clean = fs::read(directory.path().join(NAME)).unwrap();
    ([clean, killed], content)
}

/// A directory in memory if the system has one: the tests open a thousand files, and each sync takes milliseconds.
fn directory_without_syncs() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Opens `bytes` as a file. Returns whether it has `content`; otherwise the damage must have been detected.
fn still_holds(path: &Path, bytes: &[u8], content: &Content, what: &str) -> bool {
    fs::write(path, bytes).unwrap();
    match examine(path, UPGRADES, &DiskGate::default()) {
        Finding::Sound(file) => {
            assert!(
                content_of(&file) == *content,
                "{what}: wrong counts without an error"
            );
            true
        }
        Finding::Unfit(..) => {
            assert!(fs::read(path).unwrap() == bytes, "{what}: written to");
            false
        }
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_file_truncated_anywhere_is_detected() {
    let directory = directory_without_syncs();
    let path = directory.path().join("copy");
    let (files, content) = files();
    for (bytes, which) in files.iter().zip(["clean", "killed"]) {
        assert!(still_holds(&path, bytes, &content, which));
        let cuts = (0..bytes.len())
            .step_by(4096)
            .flat_map(|at| [at, at + 1, at + 700]);
        for cut in cuts.filter(|cut| *cut < bytes.len()) {
            let what = format!("{which}, {cut} of {} bytes", bytes.len());
            still_holds(&path, &bytes[..cut], &content, &what);
        }
    }
}

#[test]
fn flipped_bits_are_detected() {
    let directory = directory_without_syncs();
    let path = directory.path().join("copy");
    let (files, content) = files();
    for (bytes, which) in files.iter().zip(["clean", "killed"]) {
        let mut bytes = bytes.clone();
        let (mut harmless, mut noticed) = (0, 0);
        // Each bit without a checksum of redb's, and some bits of the rest of the header and of all pages.
        let unprotected = 0..64 * 8;
        let slots = (64 * 8..320 * 8).step_by(11);
        let pages = (320 * 8..bytes.len() * 8).step_by(8 * 509 + 3);
        for bit in unprotected.chain(slots).chain(pages) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let what = format!("{which}, bit {} of byte {}", bit % 8, bit / 8);
            let holds = still_holds(&path, &bytes, &content, &what);
            *(if holds { &mut harmless } else { &mut noticed }) += 1;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(
            noticed > 50,
            "{which}: {harmless} harmless, {noticed} noticed"
        );
    }
}

#[test]
fn exchanged_or_zeroed_pages_are_detected() {
    let directory = directory_without_syncs();
    let path = directory.path().join("copy");
    let ([clean, _], content) = files();
    let pages = clean.len() / 4096;
    for page in 0..pages {
        let range = page * 4096..(page + 1) * 4096;
        let mut zeroed = clean.clone();
        zeroed[range.clone()].fill(0);
        still_holds(&path, &zeroed, &content, &format!("page {page} zeroed"));
        let mut exchanged = clean.clone();
        exchanged.copy_within(
            (page + 1) % pages * 4096..((page + 1) % pages + 1) * 4096,
            page * 4096,
        );
        still_holds(
            &path,
            &exchanged,
            &content,
            &format!("page {page} is the next one"),
        );
    }
}

/// Writes `bytes` to the path of the state file and opens the store. Returns the name under which the file was set aside.
fn set_aside(bytes: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join(NAME), bytes).unwrap();
    let store = open(path);
    assert_eq!(content(&store), (None, Vec::new()), "a new one");
    let [aside] = <[String; 1]>::try_from(others(path)).unwrap();
    assert!(
        fs::read(path.join(&aside)).unwrap() == bytes,
        "{aside} was changed"
    );
    let [notice] = store.notices() else {
        panic!("{:?}", store.notices());
    };
    assert!(
        notice.contains(&aside) && notice.contains("renamed"),
        "{notice}"
    );
    let kept = fill(&store, 2);
    drop(store);
    assert_eq!(content(&open(path)), kept);
    aside
}

#[test]
fn an_unusable_file_is_set_aside_with_the_fault_and_the_time_in_its_name() {
    assert_eq!(set_aside(b""), "state.redb.empty-20261123T220000Z");
    let sqlite = [
        &b"SQLite format 3\0"[..],
        &[0x10, 0, 1, 1, 0, 64, 32, 32],
        &[0; 4096],
    ]
    .concat();
    let random: Vec<u8> = (0..9000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let foreign: [&[u8]; 5] = [b"my notes\n", &sqlite, &random, &[0; 5000], b"r"];
    for bytes in foreign {
        assert_eq!(set_aside(bytes), "state.redb.foreign-20261123T220000Z");
    }
    let ([mut clean, _], _) = files();
    clean.truncate(clean.len() / 2);
    assert_eq!(set_aside(&clean), "state.redb.damaged-20261123T220000Z");
}

#[test]
fn a_database_of_another_program_is_foreign() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(NAME);
    let table = redb::TableDefinition::<u64, u64>::new("meta");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(table).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(
        examine(&path, UPGRADES, &DiskGate::default()),
        Finding::Unfit(FileFault::Foreign, _)
    ));
}

#[test]
fn a_file_that_was_set_aside_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    for text in ["one", "two", "three"] {
        fs::write(directory.path().join(NAME), text).unwrap();
        drop(open(directory.path()));
    }
    let name = "state.redb.foreign-20261123T220000Z";
    assert_eq!(
        others(directory.path()),
        [name.to_owned(), format!("{name}.1"), format!("{name}.2")]
    );
    let third = fs::read_to_string(directory.path().join(format!("{name}.2"))).unwrap();
    assert_eq!(third, "three");
}

#[test]
fn an_invalid_record_is_damage_although_its_page_is_valid() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(NAME);
    drop(open(directory.path()));
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<&str, &[u8]>::new("accounts");
    transaction
        .open_table(table)
        .unwrap()
        .insert("a", &[9_u8, 9][..])
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let Finding::Unfit(FileFault::Damaged, what) = examine(&path, UPGRADES, &DiskGate::default())
    else {
        panic!("not seen");
    };
    assert_eq!(
        what,
        "DB corrupted: account a: a record is of the unknown version 9"
    );
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(NAME);
    let store = open(directory.path());
    fill(&store, 5);
    store
        .write(None, |transaction| tables::set_format(transaction, 7))
        .unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    let refused = Store::open(Some(directory.path()), now()).unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Newer {
            found: 7,
            known: 4,
            ..
        }
    ));
    assert_eq!(
        refused.to_string(),
        format!(
            "{} has format 7, this version knows up to 4; use the newer exporter again, or another --storage.path",
            path.display()
        )
    );
    assert!(fs::read(&path).unwrap() == bytes && others(directory.path()).is_empty());
}

#[test]
fn an_older_format_is_upgraded_step_by_step() {
    const LOG: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("log");
    let upgrade_1_to_2 = |transaction: &WriteTransaction| {
        transaction.open_table(LOG)?.insert(0, 1)?;
        Ok(())
    };
    let upgrade_2_to_3 = |transaction: &WriteTransaction| {
        let mut log = transaction.open_table(LOG)?;
        let found = log.get(0)?.map(|value| value.value());
        log.insert(1, found.unwrap_or(0) + 1)?;
        Ok(())
    };
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let kept = fill(&store, 5);
    // A file of the first version.
    store
        .write(None, |transaction| tables::set_format(transaction, 1))
        .unwrap();
    drop(store);
    let path = directory.path().join(NAME);
    for (upgrades, from, found) in [
        (&[][..], None, 1),
        (
            &[upgrade_1_to_2 as format::Upgrade, upgrade_2_to_3][..],
            Some(1),
            3,
        ),
        (&[upgrade_1_to_2, upgrade_2_to_3][..], None, 3),
    ] {
        let Finding::Sound(file) = examine(&path, upgrades, &DiskGate::default()) else {
            panic!("not sound");
        };
        assert_eq!(
            (file.upgraded_from, content_of(&file)),
            (from, kept.clone())
        );
        let transaction = file.begin_read().unwrap();
        assert_eq!(tables::format(&transaction).unwrap(), Some(found));
        if found == 3 {
            let log = transaction.open_table(LOG).unwrap();
            assert_eq!(log.get(1).unwrap().unwrap().value(), 2);
        }
    }
}
