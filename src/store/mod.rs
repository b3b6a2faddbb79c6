//! The saved state: high-water marks, counters, last stats and registrations, in one file of one directory. A counter is exposed
//! only after [`Store::commit`] has saved it.
//!
//! The file is a [redb](https://www.redb.org) database. It has transactions that survive `kill -9` and a power failure, a checksum
//! on every page, a lock against a second process, and a bounded cache. The store reads the whole file when it opens it, so damage
//! is found before anything is exposed.

mod backend;
pub(crate) mod bytes;
#[doc(hidden)]
pub mod disk_gate;
mod emails;
mod error;
mod failures;
mod fields;
mod file;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod old_record;
mod opening;
mod readers;
mod record;
mod saved;
mod state_directory;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::Mutex;
use redb::{Error, ReadTransaction, WriteTransaction};

pub use emails::{EmailBatch, NameKind, SavedEmail, SavedEmails, SavedName};
pub use error::{FILE_NAME, StoreError};
pub use saved::{Batch, GroupKey, SavedAccount, SavedGroup, SavedOperation, UNBORN};

use crate::operation::OperationId;
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;
use file::{NAME, StateFile, contained};
use readers::{LastCommit, Readers};
use state_directory::{OpenReason, StateDirectory};

/// The most operations that one call of [`Store::purge`] deletes, so that commits do not wait long for it.
const PURGED_AT_ONCE: usize = 10_000;
/// The number of operations that [`Store::load`] reads before it passes them on.
const LOADED_AT_ONCE: usize = 4096;
/// The longest wait of a read for a file that is being opened. If that takes longer, the disk hangs.
const OPENING: Duration = Duration::from_secs(1);
/// A read is repeated once if a failing commit closes its file.
const READS: usize = 2;

/// The saved state.
#[derive(Debug)]
pub struct Store {
    directory: Option<PathBuf>,
    opened: Timestamp,
    notices: Vec<String>,
    readers: Arc<Readers>,
    /// Held by a write until it is on the disk, and while the file is opened.
    state: Mutex<StateDirectory>,
    /// The file is to be opened by [`Self::open_waiting`].
    waits: AtomicBool,
}

impl Store {
    /// Notices of opening for the operator: a file that was set aside or upgraded, a disk that cannot be written. Each is a
    /// sentence.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Increases when a new file replaces a deleted one, and when a file is found that could not be opened at the start.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.readers.generation()
    }

    /// The number of files that were deleted while the exporter ran.
    #[must_use]
    pub fn files_lost(&self) -> u64 {
        self.readers.files_lost()
    }

    /// Whether the saved state can be loaded, or could be loaded once. Until then, loading an account returns an empty one, and it has
    /// to be [loaded](Self::load) again when a commit fails with [`StoreError::Found`].
    #[must_use]
    pub fn was_opened(&self) -> bool {
        self.directory.is_none() || self.readers.ever_opened()
    }

    /// Compares the file with the one at its path, and begins a new one if they differ.
    ///
    /// # Errors
    /// [`StoreError::Vanished`] if it did so, or if that has happened since `generation`.
    pub fn check(&self, generation: u64) -> Result<(), StoreError> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        // Does not wait for the current commit.
        let is_in_place = |last: Arc<LastCommit>| last.misplaced(&directory.join(NAME)).is_none();
        if generation == self.generation() && self.readers.last().is_some_and(is_in_place) {
            return Ok(());
        }
        self.find_misplaced(directory, &mut self.state.lock(), Some(generation))
    }

    /// Like [`Self::check`]; `None` for writes whose content is nowhere else in memory.
    fn find_misplaced(
        &self,
        directory: &Path,
        state: &mut StateDirectory,
        generation: Option<u64>,
    ) -> Result<(), StoreError> {
        let path = directory.join(NAME);
        if let Some(what) = state.file().and_then(|file| file.misplaced(&path)) {
            let mut notices = Vec::new();
            let reason = OpenReason::Again(self.opened);
            let begun = state.begin_anew(directory, reason, what, &mut notices);
            for notice in notices {
                tracing::warn!("{notice}");
            }
            return Err(begun?);
        }
        self.is_current(directory, generation)
    }

    /// Returns an error unless the file lacks only the changes since `generation`.
    fn is_current(&self, directory: &Path, generation: Option<u64>) -> Result<(), StoreError> {
        if generation.is_none_or(|generation| generation == self.generation()) {
            return Ok(());
        }
        let file = directory.join(NAME);
        Err(if self.readers.was_found() {
            StoreError::Found { file }
        } else {
            let what = "another one";
            StoreError::Vanished { file, what }
        })
    }

    /// Whether a commit outlives the process.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        self.directory.is_some()
    }

    /// The saved state of `account` (`None`: it was never saved). Passes each of its operations to `each`, in order, expired ones
    /// included.
    ///
    /// All records were read when the file was opened, so an error here is a failure of the disk since then.
    pub fn load(
        &self,
        account: &str,
        each: &mut dyn FnMut(SavedOperation),
    ) -> Result<Option<SavedAccount>, StoreError> {
        let Some(standing) = self
            .read(|transaction| tables::account(transaction, account))?
            .flatten()
        else {
            return Ok(None);
        };
        let mut after = None;
        loop {
            let some = self.read(|transaction| {
                tables::some_operations(transaction, account, after, LOADED_AT_ONCE)
            })?;
            let Some(last) = some.as_ref().and_then(|some| some.last()) else {
                return Ok(Some(standing));
            };
            after = Some(last.operation.id);
            some.into_iter().flatten().for_each(&mut *each);
        }
    }

    /// The saved record of one operation of `account`, even if it has expired; `None` if it was never saved, or was
    /// [purged](Self::purge).
    pub fn operation(
        &self,
        account: &str,
        id: OperationId,
    ) -> Result<Option<SavedOperation>, StoreError> {
        let saved = self.read(|transaction| tables::operation(transaction, account, id))?;
        Ok(saved.flatten())
    }

    /// The groups of `account`.
    pub fn groups(&self, account: &str) -> Result<Vec<SavedGroup>, StoreError> {
        let groups = self.read(|transaction| tables::groups(transaction, account))?;
        Ok(groups.unwrap_or_default())
    }

    /// The operations that were registered for `account`, with their labels.
    pub fn registered(&self, account: &str) -> Result<BTreeMap<OperationId, Labels>, StoreError> {
        let registered = self.read(|transaction| tables::registered(transaction, account))?;
        Ok(registered.unwrap_or_default())
    }

    /// Saves registrations of `account`, or removes those without labels; all or nothing, on the disk when
    /// this returns `Ok`.
    pub fn register(
        &self,
        account: &str,
        operations: &[(OperationId, Option<Labels>)],
    ) -> Result<(), StoreError> {
        self.write(None, |transaction| {
            tables::register(transaction, account, operations)
        })
        .map(|_| ())
    }

    /// Saves `batch`, all or nothing; it is on the disk when this returns `Ok`. After an error none of it may be exposed. A later
    /// commit may repeat it with the changes since then.
    pub fn commit(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
        self.write(Some(batch.generation), |transaction| {
            tables::write(transaction, batch)
        })
        .map(|_| ())
    }

    /// Deletes operations of `account` whose ids are older than `before`, with their marks: one that is seen again
    /// counts as new. A call deletes at most ten thousand. Returns whether there may be more.
    pub fn purge(&self, account: &str, before: Timestamp) -> Result<bool, StoreError> {
        let purged = self.write(None, |transaction| {
            tables::purge(transaction, account, before, PURGED_AT_ONCE)
        })?;
        Ok(purged == Some(PURGED_AT_ONCE))
    }

    /// Reads from the last commit; `None` if no file has been opened since the start.
    fn read<T>(
        &self,
        work: impl Fn(&ReadTransaction) -> Result<T, Error>,
    ) -> Result<Option<T>, StoreError> {
        let Some(directory) = &self.directory else {
            return Ok(None);
        };
        for attempt in 1.. {
            let Some(last) = self.last_commit(directory)? else {
                break;
            };
            match contained(|| work(&last.transaction)) {
                Ok(read) => return Ok(Some(read)),
                Err(error) => {
                    if self.readers.failed(&last) || attempt == READS {
                        return Err(failures::reading(directory, error));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The last commit; `None` if no file has been opened yet.
    fn last_commit(&self, directory: &Path) -> Result<Option<Arc<LastCommit>>, StoreError> {
        let last = self.readers.last();
        if last.is_some() || !self.readers.ever_opened() {
            return Ok(last);
        }
        let Some(mut state) = self.state.try_lock_for(OPENING) else {
            let timed_out = Error::Io(io::ErrorKind::TimedOut.into());
            return Err(failures::reading(directory, timed_out));
        };
        // Another thread may have opened it meanwhile.
        if self.readers.last().is_none() {
            state.close();
            state.prepare_and_log(directory, OpenReason::Again(self.opened))?;
        }
        Ok(self.readers.last())
    }

    /// `None`: memory only.
    fn write<T>(
        &self,
        generation: Option<u64>,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Error>,
    ) -> Result<Option<T>, StoreError> {
        let Some(directory) = &self.directory else {
            return Ok(None);
        };
        let mut state = self.state.lock();
        self.find_misplaced(directory, &mut state, generation)?;
        let file = self.writable(directory, &mut state)?;
        self.is_current(directory, generation)?;
        match contained(|| file.transact(work)) {
            Ok(written) => {
                state.publish();
                Ok(Some(written))
            }
            Err(error) => {
                // redb accepts no further writes after an error of the disk, so the next commit opens the file again.
                state.close();
                Err(failures::writing(directory, error))
            }
        }
    }

    fn writable<'a>(
        &self,
        directory: &Path,
        state: &'a mut StateDirectory,
    ) -> Result<&'a StateFile, StoreError> {
        if self.readers.last().is_none() {
            // Reading from it failed.
            state.close();
        }
        if let Some(file) = state.file_mut()
            && file.settle().is_some()
            && file.is_read_only()
        {
            // Reading all of it again is worth it only if it can be opened for writing.
            File::options()
                .write(true)
                .open(directory.join(NAME))
                .map_err(|error| failures::unwritable(directory, &error))?;
            state.close();
        }
        if state.file().is_none() {
            state.prepare_and_log(directory, OpenReason::Again(self.opened))?;
        }
        let nothing = || failures::unwritable(directory, &io::ErrorKind::NotFound.into());
        let file = state.file().ok_or_else(nothing)?;
        match &file.held {
            None => Ok(file),
            Some(error) => Err(failures::unwritable(directory, error)),
        }
    }
}
