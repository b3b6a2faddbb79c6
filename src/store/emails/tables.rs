//! The tables of emails in the state file. A table that is missing is empty, because an exporter without the collector creates
//! none.

use std::ops::Bound;

use redb::{
    Error, ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle,
    WriteTransaction,
};

use super::record::{
    read_email, read_name, read_standing, write_email, write_name, write_standing,
};
use super::saved::{EmailBatch, NameKind, SavedEmail, SavedEmails, SavedName};
use crate::email::EmailId;
use crate::store::bytes::Unreadable;
use crate::timestamp::Timestamp;

/// An id as a key.
type Key = [u8; 14];

/// By account.
const STANDINGS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("email_accounts");
/// The start of the name of an account's table of emails; the account follows.
const EMAILS: &str = "emails/";
/// The same for its names, by kind and name.
const NAMES: &str = "email_names/";

fn emails_of(account: &str) -> String {
    format!("{EMAILS}{account}")
}

fn emails_table(name: &str) -> TableDefinition<'_, &'static Key, &'static [u8]> {
    TableDefinition::new(name)
}

fn names_table(name: &str) -> TableDefinition<'_, (&'static str, &'static str), &'static [u8]> {
    TableDefinition::new(name)
}

const fn key_of(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Provider => "provider",
        NameKind::RecipientDomain => "recipient_domain",
        NameKind::SenderDomain => "sender_domain",
        NameKind::Label => "label",
    }
}

/// The kind of a key; `None` for one of a later version.
fn kind_of(key: &str) -> Option<NameKind> {
    [
        NameKind::Provider,
        NameKind::RecipientDomain,
        NameKind::SenderDomain,
        NameKind::Label,
    ]
    .into_iter()
    .find(|kind| key_of(*kind) == key)
}

/// An error of one account's record. It names no email and no domain.
fn corrupted(account: &str, what: &str, error: Unreadable) -> Error {
    Error::Corrupted(format!("account {account}, {what}: {error}"))
}

/// Reads every record once.
pub(in crate::store) fn read_all(transaction: &ReadTransaction) -> Result<(), Error> {
    match transaction.open_table(STANDINGS) {
        Err(TableError::TableDoesNotExist(_)) => {}
        table => {
            for entry in table?.iter()? {
                let (account, bytes) = entry?;
                standing_from(account.value(), bytes.value())?;
            }
        }
    }
    for table in transaction.list_tables()? {
        let name = table.name();
        if let Some(account) = name.strip_prefix(EMAILS) {
            for entry in transaction.open_table(emails_table(name))?.iter()? {
                let (id, bytes) = entry?;
                email_from(account, id.value(), bytes.value())?;
            }
        } else if let Some(account) = name.strip_prefix(NAMES) {
            names(transaction, account)?;
        }
    }
    Ok(())
}

/// Whether no emails have been saved yet.
pub(in crate::store) fn is_empty(transaction: &ReadTransaction) -> Result<bool, Error> {
    match transaction.open_table(STANDINGS) {
        Err(TableError::TableDoesNotExist(_)) => Ok(true),
        table => Ok(table?.first()?.is_none()),
    }
}

/// The state of the emails of `account`.
pub(super) fn standing(
    transaction: &ReadTransaction,
    account: &str,
) -> Result<Option<SavedEmails>, Error> {
    let table = match transaction.open_table(STANDINGS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table?,
    };
    let bytes = table.get(account)?;
    bytes
        .map(|bytes| standing_from(account, bytes.value()))
        .transpose()
}

/// The names of `account`.
pub(super) fn names(transaction: &ReadTransaction, account: &str) -> Result<Vec<SavedName>, Error> {
    let table_name = format!("{NAMES}{account}");
    let table = match transaction.open_table(names_table(&table_name)) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let mut names = Vec::new();
    for entry in table.iter()? {
        let (key, bytes) = entry?;
        let (kind, name) = key.value();
        let Some(kind) = kind_of(kind) else {
            continue;
        };
        let read = read_name(kind, name, bytes.value());
        names.push(read.map_err(|error| corrupted(account, "a name", error))?);
    }
    Ok(names)
}

/// At most `limit` emails of `account` with ids after `after`, in order.
pub(super) fn some_emails(
    transaction: &ReadTransaction,
    account: &str,
    after: Option<EmailId>,
    limit: usize,
) -> Result<Vec<SavedEmail>, Error> {
    let name = emails_of(account);
    let table = match transaction.open_table(emails_table(&name)) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let after = after.map(EmailId::to_bytes);
    let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let range = table.range::<&Key>((from, Bound::Unbounded))?;
    range
        .take(limit)
        .map(|entry| {
            let (id, bytes) = entry?;
            email_from(account, id.value(), bytes.value())
        })
        .collect()
}

/// Writes `batch`.
pub(super) fn write(transaction: &WriteTransaction, batch: &EmailBatch<'_>) -> Result<(), Error> {
    let standing = write_standing(batch.standing);
    transaction
        .open_table(STANDINGS)?
        .insert(batch.account, standing.as_slice())?;
    if !batch.names.is_empty() || !batch.removed_labels.is_empty() {
        let name = format!("{NAMES}{}", batch.account);
        let mut table = transaction.open_table(names_table(&name))?;
        for removed in batch.removed_labels {
            table.remove((key_of(NameKind::Label), &**removed))?;
        }
        for saved in batch.names {
            let key = (key_of(saved.kind), &*saved.name);
            table.insert(key, write_name(saved).as_slice())?;
        }
    }
    if batch.emails.is_empty() {
        return Ok(());
    }
    let name = emails_of(batch.account);
    let mut table = transaction.open_table(emails_table(&name))?;
    let mut bytes = Vec::new();
    for saved in batch.emails {
        write_email(saved, &mut bytes);
        table.insert(&saved.id.to_bytes(), bytes.as_slice())?;
    }
    Ok(())
}

/// Removes at most `limit` emails of `account` whose ids are older than `before`; returns how many.
pub(super) fn purge(
    transaction: &WriteTransaction,
    account: &str,
    before: Timestamp,
    limit: usize,
) -> Result<usize, Error> {
    let name = emails_of(account);
    let mut table = transaction.open_table(emails_table(&name))?;
    let end = EmailId::first_at(before).to_bytes();
    let mut keys = Vec::new();
    for entry in table.range::<&Key>(..&end)?.take(limit) {
        keys.push(*entry?.0.value());
    }
    for key in &keys {
        table.remove(key)?;
    }
    Ok(keys.len())
}

fn standing_from(account: &str, bytes: &[u8]) -> Result<SavedEmails, Error> {
    read_standing(bytes).map_err(|error| corrupted(account, "its emails", error))
}

fn email_from(account: &str, key: &Key, bytes: &[u8]) -> Result<SavedEmail, Error> {
    let id = EmailId::from_bytes(*key);
    read_email(id, bytes).map_err(|error| corrupted(account, "an email", error))
}
