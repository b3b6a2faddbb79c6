//! Reads see the last commit. They never wait for the current commit, however long the disk takes.
//!
//! Each commit leaves a read transaction for them. They do not begin one themselves, because redb holds the lock for it while the file
//! grows, including the fsync.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::RwLock;
use redb::ReadTransaction;

use super::file::StateFile;

/// The last commit of the open file, shared by all readers. The lock is held only briefly, never during I/O.
#[derive(Debug, Default)]
pub(super) struct Readers {
    last: RwLock<Option<Arc<LastCommit>>>,
    ever_opened: AtomicBool,
    generation: AtomicU64,
    /// The generation that began when a file was found that could not be opened at the start; 0: none did.
    found: AtomicU64,
}

/// The content of the file after one commit.
pub(super) struct LastCommit {
    pub(super) transaction: ReadTransaction,
    file: super::file::Place,
}

impl std::fmt::Debug for LastCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastCommit").finish_non_exhaustive()
    }
}

impl LastCommit {
    /// What is wrong if its file is no longer the one at `path`.
    pub(super) fn misplaced(&self, path: &Path) -> Option<&'static str> {
        self.file.misplaced(path)
    }
}

impl Readers {
    /// The last commit; `None` while no file is open, or if reading from it failed.
    pub(super) fn last(&self) -> Option<Arc<LastCommit>> {
        self.last.read().clone()
    }

    /// Makes the last commit of `file` visible to readers.
    pub(super) fn publish(&self, file: &StateFile) {
        let last = file.begin_read().ok().map(|transaction| {
            let file = file.place();
            Arc::new(LastCommit { transaction, file })
        });
        self.exchange(last);
    }

    /// Notes that the file is being closed.
    pub(super) fn close(&self) {
        self.exchange(None);
    }

    /// Notes that reading from `failed` failed, so that the next call opens the file again. Returns false if `failed` is not the last commit
    /// any more; the file may have been closed during the read.
    pub(super) fn failed(&self, failed: &Arc<LastCommit>) -> bool {
        let mut last = self.last.write();
        let is_last = last.as_ref().is_some_and(|last| Arc::ptr_eq(last, failed));
        if is_last {
            *last = None;
        }
        is_last
    }

    /// Whether a file was ever opened or created.
    pub(super) fn ever_opened(&self) -> bool {
        self.ever_opened.load(Ordering::Acquire)
    }

    /// Notes that a file was opened or created.
    pub(super) fn opened(&self) {
        self.ever_opened.store(true, Ordering::Release);
    }

    /// Increases when the file is replaced, so that accounts must save everything again.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Notes that a new file replaces one that vanished.
    pub(super) fn lost(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Notes that a file with content was found that could not be opened at the start.
    pub(super) fn found(&self) {
        let before = self.generation.fetch_add(1, Ordering::AcqRel);
        self.found.store(before + 1, Ordering::Release);
    }

    /// Whether this generation began with a file that was found.
    pub(super) fn was_found(&self) -> bool {
        let found = self.found.load(Ordering::Acquire);
        found > 0 && found == self.generation()
    }

    /// The number of files that were created in place of a deleted one.
    pub(super) fn files_lost(&self) -> u64 {
        // A file is found once at most: from then on one has been opened.
        let found = u64::from(self.found.load(Ordering::Acquire) > 0);
        self.generation().saturating_sub(found)
    }

    /// The old transaction ends outside the lock.
    fn exchange(&self, next: Option<Arc<LastCommit>>) {
        let before = std::mem::replace(&mut *self.last.write(), next);
        drop(before);
    }
}
