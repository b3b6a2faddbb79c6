//! The version of the file's format, and the upgrades from older ones.

use redb::{Database, Error, WriteTransaction};

use super::tables;

/// Turns a file of one version into one of the next.
pub(super) type Upgrade = fn(&WriteTransaction) -> Result<(), Error>;

/// `UPGRADES[0]` is `upgrade_1_to_2`, and so on: a new version adds its line here. The length of the list is the current version.
pub(super) const UPGRADES: &[Upgrade] = &[upgrade_1_to_2, upgrade_2_to_3, upgrade_3_to_4];

/// Version 2 adds tables of groups and of registered operations, and labels at the end of some records. Existing records stay as they
/// are, and missing tables are empty.
#[expect(clippy::unnecessary_wraps, reason = "an upgrade may fail")]
const fn upgrade_1_to_2(_: &WriteTransaction) -> Result<(), Error> {
    Ok(())
}

/// Version 3 adds to the record of a new group the time until which its counters are exposed as 0. Existing records stay as they are.
#[expect(clippy::unnecessary_wraps, reason = "an upgrade may fail")]
const fn upgrade_2_to_3(_: &WriteTransaction) -> Result<(), Error> {
    Ok(())
}

/// Version 4 writes counts as self-describing lists, in records of version 3. An existing record stays as it is until its subject
/// changes.
#[expect(clippy::unnecessary_wraps, reason = "an upgrade may fail")]
const fn upgrade_3_to_4(_: &WriteTransaction) -> Result<(), Error> {
    Ok(())
}

/// The version that the last of `upgrades` makes; the first version was 1.
pub(super) const fn current(upgrades: &[Upgrade]) -> u64 {
    1 + upgrades.len() as u64
}

/// Upgrades a file of version `found` to the current one, in one transaction. Returns whether an upgrade was needed.
pub(super) fn upgrade(
    database: &Database,
    found: u64,
    upgrades: &[Upgrade],
) -> Result<bool, Error> {
    let done = usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX);
    let to_do = upgrades.get(done..).unwrap_or_default();
    if to_do.is_empty() {
        return Ok(false);
    }
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    for step in to_do {
        step(&transaction)?;
    }
    tables::set_format(&transaction, current(upgrades))?;
    transaction.commit()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use redb::ReadableDatabase;
    use redb::backends::InMemoryBackend;

    use super::*;

    #[test]
    fn the_current_version_is_the_one_after_the_last_upgrade() {
        assert_eq!(current(&[]), 1);
        assert_eq!(current(&UPGRADES[..2]), 3);
        assert_eq!(
            current(UPGRADES),
            u64::try_from(UPGRADES.len()).unwrap() + 1
        );
    }

    #[test]
    fn only_an_older_file_is_upgraded_and_gets_the_current_version() {
        let newest = current(UPGRADES);
        for (found, is_older) in [
            (0, true),
            (1, true),
            (newest - 1, true),
            (newest, false),
            (newest + 1, false),
        ] {
            let database = Database::builder()
                .create_with_backend(InMemoryBackend::new())
                .unwrap();
            let transaction = database.begin_write().unwrap();
            tables::set_format(&transaction, found).unwrap();
            transaction.commit().unwrap();
            assert_eq!(upgrade(&database, found, UPGRADES).unwrap(), is_older);
            let version = tables::format(&database.begin_read().unwrap()).unwrap();
            assert_eq!(
                version,
                Some(if is_older { newest } else { found }),
                "{found}"
            );
        }
    }
}
