//! The state file: it is created, checked, and renamed if it cannot be used. A file that holds anything is never deleted or
//! overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, Database, Error, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::backend::{Backend, Identity, MAGIC, Shared, flags_are_whole};
use super::disk_gate::DiskGate;
use super::format::{self, Upgrade};
use super::tables;
use crate::timestamp::Timestamp;

/// Its name in the directory.
pub const NAME: &str = "state.redb";

/// The size of redb's cache. The exporter should use less than 40 MiB. The changes of one scrape fit, and the rest of the file
/// is in the operating system's cache.
const CACHE: usize = 4 << 20;

/// The most names that are tried for a file that is set aside within one second.
const NAMES_TRIED: u32 = 1000;

/// A file whose pages and records have all been read and are valid.
#[derive(Debug)]
pub(super) struct StateFile {
    pub(super) database: Database,
    place: Place,
    /// Why nothing can be written to the file; `None` if it can.
    pub(super) held: Option<io::Error>,
    /// The version it had before it was upgraded.
    pub(super) upgraded_from: Option<u64>,
}

/// An open file, to be compared with the one at its path.
#[derive(Debug, Clone)]
pub(super) struct Place(Arc<Backend>);

/// The result of a check of a file.
#[derive(Debug)]
pub(super) enum Finding {
    /// The file does not exist.
    Missing,
    /// The file can be used.
    Sound(Box<StateFile>),
    /// The file cannot be used.
    Unfit(FileFault, String),
    /// The file cannot be read now.
    Unreachable(io::Error),
    /// Another process uses it.
    InUse,
    /// A later version wrote it.
    Newer(u64),
}

/// Why a file cannot be used. The word is part of its new name when it is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFault {
    Damaged,
    Foreign,
    Empty,
    /// Not the file that the running exporter wrote.
    Exchanged,
}

impl FileFault {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Foreign => "foreign",
            Self::Empty => "empty",
            Self::Exchanged => "exchanged",
        }
    }
}

impl StateFile {
    /// Creates a new file. It gets its name when it is complete, so a crash before that leaves no file of this name.
    pub(super) fn create(
        directory: &Path,
        upgrades: &[Upgrade],
        gate: &DiskGate,
    ) -> Result<Self, Error> {
        let unfinished = directory.join(format!("{NAME}.new"));
        // A crash or another program left it: only the name is removed, not its target.
        let _ = fs::remove_file(&unfinished);
        let made = contained(|| Self::make(&unfinished, upgrades, gate));
        let named = made.and_then(|file| {
            fs::rename(&unfinished, directory.join(NAME))?;
            sync_directory(directory);
            Ok(file)
        });
        if named.is_err() {
            // Nothing was saved in it. If this fails, the next attempt tries again.
            let _ = fs::remove_file(&unfinished);
        }
        named
    }

    fn make(path: &Path, upgrades: &[Upgrade], gate: &DiskGate) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        // Never through a link, whose target would be overwritten.
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let backend = Arc::new(Backend::direct(options.open(path)?, gate)?);
        let database = builder().create_with_backend(Shared(Arc::clone(&backend)))?;
        let file = Self {
            database,
            place: Place(backend),
            held: None,
            upgraded_from: None,
        };
        file.transact(|transaction| tables::set_format(transaction, format::current(upgrades)))?;
        Ok(file)
    }

    /// Does `work` in one transaction that is on the disk when this returns.
    ///
    /// It commits in two phases: with one, redb treats damage in the last commit as a crash and silently restores the previous commit,
    /// whose counters are lower than those already exposed. The second phase costs some tenths of a millisecond. redb's quick repair is
    /// off: it triples the time of a small commit to save a check that every start makes anyway.
    pub(super) fn transact<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(true);
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// A read transaction of the last commit.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, Error> {
        contained(|| Ok(self.database.begin_read()?))
    }

    /// The identity of the file, independent of its name.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.place.identity()
    }

    /// The open file, without its content.
    pub(super) fn place(&self) -> Place {
        self.place.clone()
    }

    /// As [`Place::misplaced`].
    pub(super) fn misplaced(&self, path: &Path) -> Option<&'static str> {
        self.place.misplaced(path)
    }

    /// Whether it was opened for reading only, so that it must be opened again to write.
    pub(super) fn is_read_only(&self) -> bool {
        self.place.0.is_read_only()
    }

    /// Tries again to write to the file. Returns the reason if that fails.
    pub(super) fn settle(&mut self) -> Option<&io::Error> {
        if self.held.is_some() {
            self.held = self.place.0.settle().err();
        }
        self.held.as_ref()
    }
}

impl Place {
    fn identity(&self) -> Option<Identity> {
        self.0.identity().ok().flatten()
    }

    /// What is wrong if this is no longer the file at `path`, or no longer complete. Writes to it would be lost.
    pub(super) fn misplaced(&self, path: &Path) -> Option<&'static str> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some("gone"),
            // When the disk responds, the next check shows whether it is still there.
            Err(_) => None,
            Ok(metadata) if Identity::of(&metadata) != self.identity() => Some("another one"),
            Ok(_) => (!self.0.is_whole().unwrap_or(true)).then_some("cut off"),
        }
    }
}

/// Opens the file and reads all of it. Writes nothing unless the file is complete and was written by this program.
pub(super) fn examine(path: &Path, upgrades: &[Upgrade], gate: &DiskGate) -> Finding {
    let (mut file, unwritable) = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => (file, None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Finding::Missing,
        Err(error) => match File::open(path) {
            Ok(file) => (file, Some(error)),
            Err(error) => return Finding::Unreachable(error),
        },
    };
    match judge_header(&mut file) {
        Ok(None) => {}
        Ok(Some((fault, what))) => return Finding::Unfit(fault, what.to_owned()),
        Err(error) => return Finding::Unreachable(error),
    }
    match contained(|| open(file, unwritable, upgrades, gate)) {
        Ok(finding) => finding,
        Err(Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch) => Finding::InUse,
        Err(Error::Io(error)) if !is_about_content(&error) => Finding::Unreachable(error),
        Err(error) => Finding::Unfit(FileFault::Damaged, error.to_string()),
    }
}

fn open(
    file: File,
    unwritable: Option<io::Error>,
    upgrades: &[Upgrade],
    gate: &DiskGate,
) -> Result<Finding, Error> {
    let backend = Arc::new(Backend::held(file, unwritable.is_none(), gate)?);
    let database = builder()
        .set_check_integrity_on_open(true)
        .create_with_backend(Shared(Arc::clone(&backend)))?;
    let Some(version) = tables::format(&database.begin_read()?)? else {
        let what = "a redb database of another program".to_owned();
        return Ok(Finding::Unfit(FileFault::Foreign, what));
    };
    if version > format::current(upgrades) {
        return Ok(Finding::Newer(version));
    }
    let held = unwritable.or_else(|| backend.settle().err());
    let upgraded = format::upgrade(&database, version, upgrades)?;
    tables::read_all(&database.begin_read()?)?;
    let upgraded_from = upgraded.then_some(version);
    Ok(Finding::Sound(Box::new(StateFile {
        database,
        place: Place(backend),
        held,
        upgraded_from,
    })))
}

/// The fault that the first bytes of the file show.
fn judge_header(file: &mut File) -> io::Result<Option<(FileFault, &'static str)>> {
    if !file.metadata()?.is_file() {
        return Ok(Some((FileFault::Foreign, "not a file")));
    }
    let mut header = Vec::new();
    file.take(64).read_to_end(&mut header)?;
    Ok(if header.is_empty() {
        Some((FileFault::Empty, "no content"))
    } else if !header.starts_with(&MAGIC) {
        Some((FileFault::Foreign, "not a redb database"))
    } else if !flags_are_whole(&header) {
        Some((FileFault::Damaged, "the flags in its header have changed"))
    } else {
        None
    })
}

/// Renames the file so that its name has the fault and the time. Never replaces another file.
pub(super) fn set_aside(path: &Path, fault: FileFault, now: Timestamp) -> io::Result<PathBuf> {
    let whole_seconds =
        Timestamp::from_millis(now.as_millis().div_euclid(1000).saturating_mul(1000));
    let time: String = whole_seconds
        .to_string()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let name = format!("{NAME}.{}-{time}", fault.as_str());
    for number in 0..NAMES_TRIED {
        let name = if number == 0 {
            name.clone()
        } else {
            format!("{name}.{number}")
        };
        let aside = path.with_file_name(name);
        if fs::symlink_metadata(&aside).is_ok() {
            continue;
        }
        fs::rename(path, &aside)?;
        if let Some(directory) = path.parent() {
            sync_directory(directory);
        }
        return Ok(aside);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Runs `work` on a file with any content. redb returns errors instead of panics where it checks a file. If it still panics,
/// that counts as damage.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Corrupted("redb panicked on it".to_owned())))
}

/// Whether an error is about the file's content and not about the disk.
fn is_about_content(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// Makes a rename durable. A directory that cannot be synced is ignored: its file system orders writes itself.
fn sync_directory(directory: &Path) {
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wrong_content_makes_a_file_unfit_and_an_error_of_the_disk_does_not() {
        for kind in [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof] {
            assert!(is_about_content(&kind.into()), "{kind}");
        }
        for kind in [
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::StorageFull,
            io::ErrorKind::TimedOut,
            io::ErrorKind::Other,
        ] {
            assert!(!is_about_content(&kind.into()), "{kind}");
        }
    }
}
