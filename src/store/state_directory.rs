//! The directory of the store: its lock and its file, and how they are opened, replaced and renamed. The lock prevents a second
//! exporter from using the directory.

use std::fs::{DirBuilder, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use redb::{Error, ReadableDatabase};

use super::StoreError;
use super::backend::Identity;
use super::disk_gate::DiskGate;
use super::file::{self, FileFault, Finding, NAME, StateFile};
use super::format::{self, UPGRADES};
use super::readers::Readers;
use super::{failures, tables};
use crate::timestamp::Timestamp;

/// The directory and the file, if they exist. Commits hold its lock, so reads use [`Readers`].
#[derive(Debug, Default)]
pub(super) struct StateDirectory {
    /// The directory, locked for as long as it is open. This lock also covers the times when the file is not locked, and file
    /// systems where it cannot be opened for writing.
    claim: Option<File>,
    /// The file, while it can be used.
    file: Option<StateFile>,
    /// The readers of the file. Once a file was opened or created, no other file replaces it.
    readers: Arc<Readers>,
    /// The identity of that file.
    identity: Option<Identity>,
    /// With it, tests make the disk hang.
    gate: DiskGate,
}

/// When and why the file is opened, and the time when the exporter started.
#[derive(Debug, Clone, Copy)]
pub(super) enum OpenReason {
    /// The saved state is loaded.
    Start(Timestamp),
    /// The saved state is loaded while the exporter serves already. Nothing is counted before.
    Late(Timestamp),
    /// The exporter has begun to count without the saved state.
    Again(Timestamp),
}

impl StateDirectory {
    pub(super) fn new(readers: &Arc<Readers>, gate: DiskGate) -> Self {
        Self {
            readers: Arc::clone(readers),
            gate,
            ..Self::default()
        }
    }

    /// The file, while it can be used.
    pub(super) const fn file(&self) -> Option<&StateFile> {
        self.file.as_ref()
    }

    pub(super) const fn file_mut(&mut self) -> Option<&mut StateFile> {
        self.file.as_mut()
    }

    /// Makes the last commit visible to readers.
    pub(super) fn publish(&self) {
        if let Some(file) = &self.file {
            self.readers.publish(file);
        }
    }

    /// Closes the file; it is opened again when it is needed.
    pub(super) fn close(&mut self) {
        self.readers.close();
        self.file = None;
    }

    fn set(&mut self, file: StateFile) {
        self.identity = file.identity();
        self.readers.publish(&file);
        self.readers.opened();
        self.file = Some(file);
    }

    /// Opens or creates the file, and adds notices for the operator.
    pub(super) fn prepare(
        &mut self,
        directory: &Path,
        reason: OpenReason,
        notices: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        self.claim(directory)?;
        let path = directory.join(NAME);
        match file::examine(&path, UPGRADES, &self.gate) {
            Finding::InUse => Err(StoreError::InUse {
                directory: directory.to_owned(),
            }),
            Finding::Newer(found) => {
                let known = format::current(UPGRADES);
                Err(StoreError::Newer {
                    file: path,
                    found,
                    known,
                })
            }
            Finding::Unreachable(source) => Err(StoreError::Io { file: path, source }),
            Finding::Sound(found)
                if self.readers.ever_opened() && found.identity() != self.identity =>
            {
                drop(found);
                Err(self.begin_anew(directory, reason, "another one", notices)?)
            }
            Finding::Sound(found) => self.take(directory, reason, *found, notices),
            Finding::Missing if self.readers.ever_opened() => {
                Err(self.begin_anew(directory, reason, "gone", notices)?)
            }
            Finding::Missing => self.create(directory),
            Finding::Unfit(_, what) if self.readers.ever_opened() => {
                Err(failures::damaged(directory, what))
            }
            Finding::Unfit(fault, what) => {
                set_aside(directory, reason, fault, &what, notices)?;
                self.create(directory)
            }
        }
    }

    /// Like [`Self::prepare`], but logs the notices, because those of the start have been read.
    pub(super) fn prepare_and_log(
        &mut self,
        directory: &Path,
        reason: OpenReason,
    ) -> Result<(), StoreError> {
        let mut notices = Vec::new();
        let prepared = self.prepare(directory, reason, &mut notices);
        for notice in notices {
            tracing::warn!("{notice}");
        }
        prepared
    }

    fn take(
        &mut self,
        directory: &Path,
        reason: OpenReason,
        found: StateFile,
        notices: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let is_empty = || tables::is_empty(&found.database.begin_read()?);
        let is_late = !matches!(reason, OpenReason::Start(_)) && !self.readers.ever_opened();
        if is_late && !is_empty().map_err(|error: Error| failures::reading(directory, error))? {
            // Nothing has been saved yet, so no counter has been exposed: accounts load the saved state and continue.
            self.readers.found();
            if matches!(reason, OpenReason::Again(_)) {
                notices.push(format!(
                    "{} can be read now: the saved state is loaded, and counters continue from it",
                    directory.join(NAME).display()
                ));
            }
        }
        if let Some(version) = found.upgraded_from {
            let current = format::current(UPGRADES);
            notices.push(format!(
                "{} was upgraded from format {version} to {current}",
                directory.join(NAME).display()
            ));
        }
        if let (Some(error), OpenReason::Start(_) | OpenReason::Late(_)) = (&found.held, reason) {
            notices.push(failures::not_saving(&failures::unwritable(
                directory, error,
            )));
        }
        self.set(found);
        Ok(())
    }

    /// Creates a new file in place of a deleted one, and sets aside whatever is at its path now. Always returns an error, so
    /// that callers save everything again.
    pub(super) fn begin_anew(
        &mut self,
        directory: &Path,
        reason: OpenReason,
        what: &'static str,
        notices: &mut Vec<String>,
    ) -> Result<StoreError, StoreError> {
        // The directory may be another one as well, after a mount or an unmount.
        self.close();
        self.claim = None;
        self.claim(directory)?;
        let file = directory.join(NAME);
        if std::fs::symlink_metadata(&file).is_ok() {
            set_aside(directory, reason, FileFault::Exchanged, what, notices)?;
        }
        self.create(directory)?;
        self.readers.lost();
        Ok(StoreError::Vanished { file, what })
    }

    fn create(&mut self, directory: &Path) -> Result<(), StoreError> {
        let made = StateFile::create(directory, UPGRADES, &self.gate);
        let made = made.map_err(|error| failures::writing(directory, error))?;
        self.set(made);
        Ok(())
    }

    /// Creates the directory and locks it. On systems that cannot lock directories, only redb's lock on the file remains.
    pub(super) fn claim(&mut self, directory: &Path) -> Result<(), StoreError> {
        if self.claim.is_some() {
            return Ok(());
        }
        if !directory.is_dir() {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder
                .create(directory)
                .map_err(|error| failures::unwritable(directory, &error))?;
        }
        let Ok(handle) = File::open(directory) else {
            return Ok(());
        };
        match handle.try_lock() {
            Ok(()) => self.claim = Some(handle),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    directory: directory.to_owned(),
                });
            }
            Err(TryLockError::Error(_)) => {}
        }
        Ok(())
    }
}

fn set_aside(
    directory: &Path,
    reason: OpenReason,
    fault: FileFault,
    what: &str,
    notices: &mut Vec<String>,
) -> Result<(), StoreError> {
    let path = directory.join(NAME);
    let (OpenReason::Start(now) | OpenReason::Late(now) | OpenReason::Again(now)) = reason;
    let aside = file::set_aside(&path, fault, now)
        .map_err(|error| failures::unwritable(directory, &error))?;
    notices.push(format!(
        "{} is {} ({what}): it was renamed to {}, and {}",
        path.display(),
        fault.as_str(),
        aside.display(),
        if matches!(fault, FileFault::Exchanged) {
            "a new one is written from memory"
        } else {
            "counters begin at 0, and the next stats are the baseline"
        }
    ));
    Ok(())
}
