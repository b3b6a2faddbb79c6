//! The saved state of single emails: what is known of each, and the counters of providers and domains. It is in tables of its own;
//! an older exporter leaves them unchanged.
//!
//! A commit writes the changed emails and the counters that they changed in one transaction. So even after `kill -9` the counters in
//! the file match the saved statuses. A record is its version and a list of numbers, and a later version can add numbers at the end.
//!
//! | table | key | record |
//! |---|---|---|
//! | `email_accounts` | the account | [`SavedEmails`] |
//! | `emails/` and the account | its id | [`SavedEmail`], about 20 bytes |
//! | `email_names/` and the account | kind and name | [`SavedName`] |

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod record;
mod saved;
mod tables;

use super::{Store, StoreError};
use crate::timestamp::Timestamp;

pub use saved::{EmailBatch, NameKind, SavedEmail, SavedEmails, SavedName};
pub(super) use tables::{is_empty, read_all};

/// The most emails that one call of [`Store::purge_emails`] deletes, so that commits do not wait long for it.
const PURGED_AT_ONCE: usize = 50_000;
/// The number of emails that [`Store::load_emails`] reads before it passes them on.
const LOADED_AT_ONCE: usize = 4096;

impl Store {
    /// The state of `account`'s emails (`None`: none was saved) and its names. Passes each email to `each`, in the order of ids.
    ///
    /// All records were read when the file was opened, so an error here is a failure of the disk since then.
    pub fn load_emails(
        &self,
        account: &str,
        each: &mut dyn FnMut(SavedEmail),
    ) -> Result<Option<(SavedEmails, Vec<SavedName>)>, StoreError> {
        let saved = self.read(|transaction| {
            let standing = tables::standing(transaction, account)?;
            standing
                .map(|standing| Ok((standing, tables::names(transaction, account)?)))
                .transpose()
        })?;
        let Some(saved) = saved.flatten() else {
            return Ok(None);
        };
        let mut after = None;
        loop {
            let some = self.read(|transaction| {
                tables::some_emails(transaction, account, after, LOADED_AT_ONCE)
            })?;
            let Some(last) = some.as_ref().and_then(|some| some.last()) else {
                return Ok(Some(saved));
            };
            after = Some(last.id);
            some.into_iter().flatten().for_each(&mut *each);
        }
    }

    /// Saves `batch`, all or nothing; it is on the disk when this returns `Ok`. After an error none of it may be exposed. A later
    /// commit may repeat it with the changes since then.
    pub fn commit_emails(&self, batch: &EmailBatch<'_>) -> Result<(), StoreError> {
        self.write(Some(batch.generation), |transaction| {
            tables::write(transaction, batch)
        })
        .map(|_| ())
    }

    /// Deletes emails of `account` whose ids are older than `before`. A call deletes a limited number; returns whether there may be more.
    pub fn purge_emails(&self, account: &str, before: Timestamp) -> Result<bool, StoreError> {
        let purged = self.write(None, |transaction| {
            tables::purge(transaction, account, before, PURGED_AT_ONCE)
        })?;
        Ok(purged == Some(PURGED_AT_ONCE))
    }
}
