//! The file below redb. It holds writes in memory until [`Backend::settle`], when the content is known to be valid and written by this
//! program. So a foreign, newer or damaged file is not changed, and a file on a read-only or full disk can be read, even after a crash.
//!
//! redb protects every byte with checksums, except the byte that selects one of the last two commits. A flipped bit there would restore
//! the previous commit, whose counters are lower, so the unused byte after it holds its complement ([`flags_are_whole`]).

use std::fs::{File, Metadata};
use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{RwLock, RwLockUpgradableReadGuard};
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::disk_gate::DiskGate;

/// The first bytes of every file of redb.
pub(super) const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
/// The only byte without a checksum.
const FLAGS: usize = MAGIC.len();
/// Unused by redb, which writes 0.
const COMPLEMENT: usize = FLAGS + 1;

/// Whether the flags in the `header` of a file are as they were written. Without a complement (a tool of redb's
/// own has written the file) they are accepted.
pub(super) fn flags_are_whole(header: &[u8]) -> bool {
    match (header.get(FLAGS), header.get(COMPLEMENT)) {
        (Some(flags), Some(complement)) => *complement == 0 || *complement == !*flags,
        _ => true,
    }
}

/// Adds the complement to a header before it is written. Both bytes are in one disk sector and one aligned word.
fn complement_flags(offset: u64, data: &mut [u8]) {
    if offset == 0 && data.starts_with(&MAGIC) && data.get(COMPLEMENT) == Some(&0) {
        data[COMPLEMENT] = !data[FLAGS];
    }
}

/// The file as redb sees it; shared with the code that settles it.
#[derive(Debug, Clone)]
pub(super) struct Shared(pub(super) Arc<Backend>);

/// The file, with the writes that are held.
#[derive(Debug)]
pub(super) struct Backend {
    file: FileBackend,
    /// A file opened for reading takes no locks, because a write lock needs a writable file. The directory is locked anyway.
    locks: bool,
    /// The writes so far, in order, and the resulting length; `None` once writes go to the file. Locked for writing only briefly, so
    /// that no read waits for an fsync.
    held: RwLock<Option<Held>>,
    /// Another handle to the same file, to compare it with what is at its path.
    handle: File,
    /// The length of the file according to the writes.
    length: AtomicU64,
    /// With it, tests make the disk hang.
    gate: DiskGate,
}

/// The identity of a file, independent of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    /// `None` on systems without it.
    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self(metadata.dev(), metadata.ino()))
    }

    /// This system has none.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Option<Self> {
        None
    }
}

#[derive(Debug)]
struct Held {
    length: u64,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Write(u64, Vec<u8>),
    Length(u64),
    Sync,
}

impl Backend {
    /// Writes directly to `file`, which is new.
    pub(super) fn direct(file: File, gate: &DiskGate) -> Result<Self, redb::Error> {
        let handle = file.try_clone()?;
        let length = AtomicU64::new(handle.metadata()?.len());
        let file = FileBackend::new(file)?;
        Ok(Self {
            file,
            locks: true,
            held: RwLock::new(None),
            handle,
            length,
            gate: gate.clone(),
        })
    }

    /// Holds the writes to `file`.
    pub(super) fn held(file: File, writable: bool, gate: &DiskGate) -> Result<Self, redb::Error> {
        let length = file.metadata()?.len();
        let held = Held {
            length,
            steps: Vec::new(),
        };
        let handle = file.try_clone()?;
        let file = FileBackend::new(file)?;
        Ok(Self {
            file,
            locks: writable,
            held: RwLock::new(Some(held)),
            handle,
            length: AtomicU64::new(length),
            gate: gate.clone(),
        })
    }

    /// The identity of the open file.
    pub(super) fn identity(&self) -> io::Result<Option<Identity>> {
        self.handle
            .metadata()
            .map(|metadata| Identity::of(&metadata))
    }

    /// Whether the file is at least as long as the writes made it.
    pub(super) fn is_whole(&self) -> io::Result<bool> {
        Ok(self.handle.metadata()?.len() >= self.length.load(Ordering::Relaxed))
    }

    /// Whether the file was opened for reading only.
    pub(super) const fn is_read_only(&self) -> bool {
        !self.locks
    }

    /// Writes everything that is held to the file, in the same order and with the same syncs, so that redb can recover from a crash
    /// during this. From then on writes go to the file. After an error everything is still held.
    pub(super) fn settle(&self) -> Result<(), io::Error> {
        if self.is_read_only() {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        // Reads continue: the held writes cover everything that changes in the file, except its length.
        let mut held = self.held.upgradable_read();
        for at in 0..held.as_ref().map_or(0, |held| held.steps.len()) {
            match held.as_ref().and_then(|held| held.steps.get(at)) {
                Some(Step::Write(offset, data)) => self.write(*offset, data)?,
                Some(Step::Sync) => self.sync()?,
                Some(Step::Length(length)) => {
                    let length = *length;
                    held.with_upgraded(|_| self.file.set_len(length))?;
                }
                None => {}
            }
        }
        self.sync()?;
        if let Some(held) = RwLockUpgradableReadGuard::upgrade(held).take() {
            self.length.store(held.length, Ordering::Relaxed);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.gate.before_write();
        self.file.write(offset, data)
    }

    fn sync(&self) -> io::Result<()> {
        self.gate.before_sync();
        self.file.sync_data()
    }

    /// The contents that the file may have after a crash during [`Self::settle`]; `before` is its content now. Each has all writes up
    /// to some sync, and of those up to the next sync either the first ones, or all but one.
    #[cfg(test)]
    pub(super) fn images(&self, before: &[u8]) -> Vec<Vec<u8>> {
        let held = self.held.read();
        let steps = held.as_ref().map_or(&[][..], |held| &held.steps);
        let mut images = vec![before.to_vec()];
        let mut synced = before.to_vec();
        for between in steps.split(|step| matches!(step, Step::Sync)) {
            for left_out in 0..between.len() {
                let others = between.iter().enumerate().filter(|(at, _)| *at != left_out);
                images.push(applied(&synced, others.map(|(_, step)| step)));
                images.push(applied(&synced, &between[..left_out]));
            }
            synced = applied(&synced, between);
        }
        images.push(synced);
        images
    }

    fn step(&self, step: Step) -> io::Result<()> {
        if self.held.read().is_some()
            && let Some(held) = self.held.write().as_mut()
        {
            match &step {
                Step::Write(offset, data) => {
                    held.length = held.length.max(offset + data.len() as u64);
                }
                Step::Length(length) => held.length = *length,
                Step::Sync => {}
            }
            held.steps.push(step);
            return Ok(());
        }
        match step {
            Step::Write(offset, data) => {
                self.write(offset, &data)?;
                let end = offset + data.len() as u64;
                self.length.fetch_max(end, Ordering::Relaxed);
                Ok(())
            }
            Step::Length(length) => {
                self.file.set_len(length)?;
                self.length.store(length, Ordering::Relaxed);
                Ok(())
            }
            Step::Sync => self.sync(),
        }
    }
}

impl Held {
    fn read(&self, file: &FileBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset + out.len() as u64;
        if end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let in_file = clamp(file.len()?, offset, out.len());
        let (from_file, beyond) = out.split_at_mut(in_file);
        beyond.fill(0);
        if !from_file.is_empty() {
            file.read(offset, from_file)?;
        }
        for step in &self.steps {
            match step {
                Step::Write(at, data) => {
                    let from = clamp(*at, offset, out.len());
                    let to = clamp(at + data.len() as u64, offset, out.len());
                    let skip = clamp(offset, *at, data.len());
                    if from < to {
                        out[from..to].copy_from_slice(&data[skip..skip + (to - from)]);
                    }
                }
                Step::Length(length) => {
                    let kept = clamp(*length, offset, out.len());
                    out[kept..].fill(0);
                }
                Step::Sync => {}
            }
        }
        Ok(())
    }
}

/// The offset of `at` in a piece of `length` bytes that begins at `start`, within the piece.
fn clamp(at: u64, start: u64, length: usize) -> usize {
    usize::try_from(at.saturating_sub(start)).map_or(length, |inside| inside.min(length))
}

impl StorageBackend for Shared {
    fn len(&self) -> io::Result<u64> {
        let held = self.0.held.read();
        match held.as_ref() {
            Some(held) => Ok(held.length),
            None => self.0.file.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let held = self.0.held.read();
        if let Some(held) = held.as_ref() {
            return held.read(&self.0.file, offset, out);
        }
        drop(held);
        self.0.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.step(Step::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.step(Step::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut data = data.to_vec();
        complement_flags(offset, &mut data);
        self.0.step(Step::Write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        if self.0.locks {
            self.0.file.try_lock_range(from, to)
        } else {
            Ok(true)
        }
    }

    fn try_lock_shared_range(
        &self,
        from: Bound<u64>,
        to: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.file.try_lock_shared_range(from, to)
    }

    fn lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        if self.0.locks {
            self.0.file.lock_range(from, to)
        } else {
            Ok(())
        }
    }

    fn lock_shared_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_shared_range(from, to)
    }

    fn unlock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        if self.0.locks {
            self.0.file.unlock_range(from, to)
        } else {
            Ok(())
        }
    }

    fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.query_lock_range(from, to)
    }
}

#[cfg(test)]
fn applied<'a>(before: &[u8], steps: impl IntoIterator<Item = &'a Step>) -> Vec<u8> {
    let mut after = before.to_vec();
    for step in steps {
        match step {
            Step::Write(at, data) => {
                let end = usize::try_from(*at).unwrap() + data.len();
                after.resize(after.len().max(end), 0);
                after[end - data.len()..end].copy_from_slice(data);
            }
            Step::Length(length) => after.resize(usize::try_from(*length).unwrap(), 0),
            Step::Sync => {}
        }
    }
    after
}

#[cfg(test)]
mod tests;
