//! Opens the store when the exporter starts. A large file takes seconds to read, so it is opened while the exporter already serves.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::disk_gate::DiskGate;
use super::file::NAME;
use super::state_directory::{OpenReason, StateDirectory};
use super::{Store, StoreError, failures};
use crate::timestamp::Timestamp;

/// A larger file, in bytes, is opened while the exporter serves already: to check and load it takes more than half a second.
const LARGE: u64 = 64 << 20;
/// The longest wait for a directory in use: a process that ends may keep its locks longer than its connections.
const HANDOVER: Duration = Duration::from_secs(1);
const HANDOVER_PAUSE: Duration = Duration::from_millis(20);

impl Store {
    /// Opens the store in `directory`, which is created if it is missing.
    ///
    /// `None`: memory only. Nothing is found and nothing is saved. A failure of the disk is not an error but a
    /// [notice](Self::notices): the exporter continues without saving, and every [commit](Self::commit) tries again.
    pub fn open(directory: Option<&Path>, now: Timestamp) -> Result<Self, StoreError> {
        Self::open_behind(DiskGate::default(), directory, now)
    }

    /// As [`Self::open`], on a disk that a test can make hang.
    #[doc(hidden)]
    pub fn open_behind(
        gate: DiskGate,
        directory: Option<&Path>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut store = Self::closed(gate, directory, now);
        if let Some(directory) = directory {
            let mut notices = Vec::new();
            let prepared = store
                .once_free(|state| state.prepare(directory, OpenReason::Start(now), &mut notices));
            match prepared {
                Ok(()) => {}
                Err(fatal @ (StoreError::InUse { .. } | StoreError::Newer { .. })) => {
                    return Err(fatal);
                }
                Err(error) => notices.push(failures::not_saving(&error)),
            }
            store.notices = notices;
        }
        Ok(store)
    }

    /// As [`Self::open`], but a large file waits for [`Self::open_waiting`]. Until then nothing is found and nothing can be saved.
    pub fn open_quickly(directory: Option<&Path>, now: Timestamp) -> Result<Self, StoreError> {
        let size = directory.and_then(|directory| fs::metadata(directory.join(NAME)).ok());
        match directory.filter(|_| size.is_some_and(|file| file.len() > LARGE)) {
            Some(directory) => Self::open_later(DiskGate::default(), directory, now),
            None => Self::open(directory, now),
        }
    }

    /// As [`Self::open_quickly`] with a large file, whatever its size.
    #[doc(hidden)]
    pub fn open_later(
        gate: DiskGate,
        directory: &Path,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let store = Self::closed(gate, Some(directory), now);
        match store.once_free(|state| state.claim(directory)) {
            Err(fatal @ StoreError::InUse { .. }) => return Err(fatal),
            // Opening the file fails for the same reason, and reports it.
            Ok(()) | Err(_) => store.waits.store(true, Ordering::Release),
        }
        Ok(store)
    }

    /// Whether the file is to be opened by [`Self::open_waiting`].
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }

    /// Opens the waiting file, or returns once another thread has opened it.
    ///
    /// # Errors
    /// When it cannot be opened. Then every commit tries again.
    pub fn open_waiting(&self) -> Result<(), StoreError> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        let mut state = self.state.lock();
        if !self.waits.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        state.prepare_and_log(directory, OpenReason::Late(self.opened))
    }

    fn closed(gate: DiskGate, directory: Option<&Path>, now: Timestamp) -> Self {
        let readers = Arc::default();
        Self {
            directory: directory.map(Path::to_owned),
            opened: now,
            notices: Vec::new(),
            state: Mutex::new(StateDirectory::new(&readers, gate)),
            readers,
            waits: AtomicBool::new(false),
        }
    }

    /// Tries `work` until no other process uses the directory any more, or the wait is over.
    fn once_free(
        &self,
        mut work: impl FnMut(&mut StateDirectory) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let started = Instant::now();
        loop {
            match work(&mut self.state.lock()) {
                Err(StoreError::InUse { .. }) if started.elapsed() < HANDOVER => {}
                done => return done,
            }
            std::thread::sleep(HANDOVER_PAUSE);
        }
    }
}
