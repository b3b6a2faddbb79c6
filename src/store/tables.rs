//! The tables of the state file.
//!
//! One table has all accounts. The operations, groups and registrations of each account have tables of their own, so that no key needs
//! a prefix for the account.

use std::collections::BTreeMap;
use std::ops::Bound;

use redb::{
    Error, ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle,
    WriteTransaction,
};

use super::record::{
    read_account, read_group, read_labels, read_operation, write_account, write_group,
    write_labels, write_operation,
};
use super::{Batch, GroupKey, SavedAccount, SavedGroup, SavedOperation, emails};
use crate::operation::OperationId;
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

/// An id as a key.
pub(super) type Key = [u8; 23];

/// The format's version, under [`FORMAT`].
const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const FORMAT: &str = "format";
/// By name.
const ACCOUNTS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("accounts");
/// The start of the name of an account's table of operations; the name of the account follows.
const OPERATIONS: &str = "operations/";
/// The same for its groups, by label and value.
const GROUPS: &str = "groups/";
/// The same for the operations that were registered for it.
const REGISTERED: &str = "registered/";

fn operations(name: &str) -> TableDefinition<'_, &'static Key, &'static [u8]> {
    TableDefinition::new(name)
}

fn groups_table(name: &str) -> TableDefinition<'_, (&'static str, &'static str), &'static [u8]> {
    TableDefinition::new(name)
}

fn operations_of(account: &str) -> String {
    format!("{OPERATIONS}{account}")
}

/// The version of the format; `None`: this is not our file.
pub(super) fn format(transaction: &ReadTransaction) -> Result<Option<u64>, Error> {
    let table = match transaction.open_table(META) {
        Ok(table) => table,
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    Ok(table.get(FORMAT)?.map(|version| version.value()))
}

/// Sets the version of the file.
pub(super) fn set_format(transaction: &WriteTransaction, version: u64) -> Result<(), Error> {
    transaction.open_table(META)?.insert(FORMAT, version)?;
    transaction.open_table(ACCOUNTS)?;
    Ok(())
}

/// Whether nothing has been saved yet.
pub(super) fn is_empty(transaction: &ReadTransaction) -> Result<bool, Error> {
    Ok(transaction.open_table(ACCOUNTS)?.first()?.is_none() && emails::is_empty(transaction)?)
}

/// Reads every record once.
pub(super) fn read_all(transaction: &ReadTransaction) -> Result<(), Error> {
    let accounts = transaction.open_table(ACCOUNTS)?;
    for entry in accounts.iter()? {
        let (name, bytes) = entry?;
        account_from(name.value(), bytes.value())?;
    }
    for table in transaction.list_tables()? {
        let name = table.name();
        if let Some(account) = name.strip_prefix(OPERATIONS) {
            for entry in transaction.open_table(operations(name))?.iter()? {
                let (id, bytes) = entry?;
                operation_from(account, id.value(), bytes.value())?;
            }
        } else if let Some(account) = name.strip_prefix(GROUPS) {
            groups(transaction, account)?;
        } else if let Some(account) = name.strip_prefix(REGISTERED) {
            registered(transaction, account)?;
        }
    }
    emails::read_all(transaction)
}

/// The saved state of `account`.
pub(super) fn account(
    transaction: &ReadTransaction,
    account: &str,
) -> Result<Option<SavedAccount>, Error> {
    let table = transaction.open_table(ACCOUNTS)?;
    let bytes = table.get(account)?;
    bytes
        .map(|bytes| account_from(account, bytes.value()))
        .transpose()
}

/// At most `limit` operations of `account` with ids after `after`, in order.
pub(super) fn some_operations(
    transaction: &ReadTransaction,
    account: &str,
    after: Option<OperationId>,
    limit: usize,
) -> Result<Vec<SavedOperation>, Error> {
    let name = operations_of(account);
    let table = match transaction.open_table(operations(&name)) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let after = after.map(OperationId::to_bytes);
    let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let range = table.range::<&Key>((from, Bound::Unbounded))?;
    range
        .take(limit)
        .map(|entry| {
            let (id, bytes) = entry?;
            operation_from(account, id.value(), bytes.value())
        })
        .collect()
}

/// The groups of `account`.
pub(super) fn groups(
    transaction: &ReadTransaction,
    account: &str,
) -> Result<Vec<SavedGroup>, Error> {
    let name = format!("{GROUPS}{account}");
    let table = match transaction.open_table(groups_table(&name)) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let group = |entry: Result<_, redb::StorageError>| {
        let (key, bytes): (
            redb::AccessGuard<'_, (&str, &str)>,
            redb::AccessGuard<'_, &[u8]>,
        ) = entry?;
        let (label, value) = key.value();
        read_group(GroupKey::new(label, value), bytes.value())
            .map_err(|error| Error::Corrupted(format!("account {account}, a group: {error}")))
    };
    table.iter()?.map(group).collect()
}

/// The operations that were registered for `account`.
pub(super) fn registered(
    transaction: &ReadTransaction,
    account: &str,
) -> Result<BTreeMap<OperationId, Labels>, Error> {
    let name = format!("{REGISTERED}{account}");
    let mut registered = BTreeMap::new();
    let table = match transaction.open_table(operations(&name)) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(registered),
        table => table?,
    };
    for entry in table.iter()? {
        let (key, bytes) = entry?;
        let id = id_from(account, key.value())?;
        let labels = read_labels(bytes.value()).map_err(|error| {
            Error::Corrupted(format!("account {account}, registered {id}: {error}"))
        })?;
        registered.insert(id, labels);
    }
    Ok(registered)
}

/// Writes the registrations of `account`, and removes those without labels.
pub(super) fn register(
    transaction: &WriteTransaction,
    account: &str,
    operations_and_labels: &[(OperationId, Option<Labels>)],
) -> Result<(), Error> {
    let name = format!("{REGISTERED}{account}");
    let mut table = transaction.open_table(operations(&name))?;
    for (id, labels) in operations_and_labels {
        match labels {
            Some(labels) => table.insert(&id.to_bytes(), write_labels(labels).as_slice())?,
            None => table.remove(&id.to_bytes())?,
        };
    }
    Ok(())
}

/// One operation of `account`.
pub(super) fn operation(
    transaction: &ReadTransaction,
    account: &str,
    id: OperationId,
) -> Result<Option<SavedOperation>, Error> {
    let name = operations_of(account);
    let table = match transaction.open_table(operations(&name)) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table?,
    };
    let id = id.to_bytes();
    let bytes = table.get(&id)?;
    bytes
        .map(|bytes| operation_from(account, &id, bytes.value()))
        .transpose()
}

/// Writes `batch`.
pub(super) fn write(transaction: &WriteTransaction, batch: &Batch<'_>) -> Result<(), Error> {
    let standing = write_account(batch.standing);
    transaction
        .open_table(ACCOUNTS)?
        .insert(batch.account, standing.as_slice())?;
    if !batch.groups.is_empty() || !batch.removed.is_empty() {
        let name = format!("{GROUPS}{}", batch.account);
        let mut table = transaction.open_table(groups_table(&name))?;
        for GroupKey { label, value } in batch.removed {
            table.remove((&**label, &**value))?;
        }
        for saved in batch.groups {
            let key = (&*saved.key.label, &*saved.key.value);
            table.insert(key, write_group(saved).as_slice())?;
        }
    }
    if batch.operations.is_empty() {
        return Ok(());
    }
    let name = operations_of(batch.account);
    let mut table = transaction.open_table(operations(&name))?;
    let mut bytes = Vec::new();
    for saved in batch.operations {
        write_operation(saved, &mut bytes);
        table.insert(&saved.operation.id.to_bytes(), bytes.as_slice())?;
    }
    Ok(())
}

/// Removes at most `limit` operations of `account` whose ids are older than `before`, and all registrations of such
/// operations. Returns the number of removed operations.
pub(super) fn purge(
    transaction: &WriteTransaction,
    account: &str,
    before: Timestamp,
    limit: usize,
) -> Result<usize, Error> {
    let name = operations_of(account);
    let mut table = transaction.open_table(operations(&name))?;
    let end = first_key_at(before);
    let mut keys = Vec::new();
    for entry in table.range::<&Key>(..&end)?.take(limit) {
        keys.push(*entry?.0.value());
    }
    for key in &keys {
        table.remove(key)?;
    }
    let name = format!("{REGISTERED}{account}");
    let mut table = transaction.open_table(operations(&name))?;
    table.retain_in::<&Key, _>(..&end, |_, _| false)?;
    Ok(keys.len())
}

/// The first key of `time`: ids sort by the time in their first fifty bits.
fn first_key_at(time: Timestamp) -> Key {
    /// The bits of the first eight bytes after the time.
    const BEHIND_THE_TIME: u32 = u64::BITS - 50;
    let millis = u64::try_from(time.as_millis())
        .unwrap_or(0)
        .min(u64::MAX >> BEHIND_THE_TIME);
    let mut key = Key::default();
    key[..8].copy_from_slice(&(millis << BEHIND_THE_TIME).to_be_bytes());
    key
}

fn account_from(name: &str, bytes: &[u8]) -> Result<SavedAccount, Error> {
    read_account(bytes).map_err(|error| Error::Corrupted(format!("account {name}: {error}")))
}

fn id_from(account: &str, key: &Key) -> Result<OperationId, Error> {
    OperationId::from_bytes(*key).ok_or_else(|| {
        Error::Corrupted(format!(
            "account {account}: a key that is no operation's id"
        ))
    })
}

fn operation_from(account: &str, key: &Key, bytes: &[u8]) -> Result<SavedOperation, Error> {
    let id = id_from(account, key)?;
    read_operation(id, bytes)
        .map_err(|error| Error::Corrupted(format!("account {account}, operation {id}: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_that_no_id_can_have_sorts_after_all_ids() {
        let id: OperationId = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        for millis in [1 << 50, i64::MAX] {
            assert!(id.to_bytes() < first_key_at(Timestamp::from_millis(millis)));
        }
    }

    proptest! {
        #[test]
        fn keys_before_a_time_are_those_of_ids_before_it(ulid in "[0-7][0-9a-hjkmnp-tv-z]{25,34}", apart in -2_i64..=2) {
            let id: OperationId = format!("comms_operation_{ulid}").parse().unwrap();
            let time = Timestamp::from_millis(id.created().as_millis() + apart);
            prop_assert_eq!(id.to_bytes() < first_key_at(time), id.created() < time);
        }
    }
}
