//! The state directory: whether it can be written, whether another process uses it, and whether its file system keeps files. It
//! keeps no lock and writes only a temporary file without a name.

use std::fs::{File, OpenOptions, TryLockError};
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::mounts;
use super::result::{Area, CheckResult, Section};
use super::settings::{Settings, on_disk};
use crate::diagnosis::{self, ExporterFacts};
use crate::store::{FILE_NAME, StoreError};

/// The names of the checks.
const DIRECTORY: &str = "state_directory";
const IN_USE: &str = "state_directory_in_use";
const FILE_SYSTEM: &str = "file_system";

/// A full disk may still have room for an empty file. The state file grows by whole pages of this size.
const PROBE: [u8; 4096] = [0; 4096];

/// The state of a directory.
struct Directory {
    /// Whether it exists.
    exists: bool,
    is_in_use: bool,
    /// Why nothing can be written to it.
    unwritable: Option<StoreError>,
    file_system: Option<String>,
}

/// The section about `directory`; `None`: everything is in memory. `has_exporter`: an exporter responds at an address of this
/// configuration.
pub(super) async fn check(
    directory: Option<&Path>,
    settings: &Settings<'_>,
    has_exporter: impl Future<Output = bool>,
) -> Section {
    let results = match directory {
        None => memory_only(settings),
        Some(directory) => {
            let path = directory.to_owned();
            let (found, has_exporter) = tokio::join!(on_disk(move || examine(&path)), has_exporter);
            match found {
                // The same text as for a disk that hangs while the exporter runs.
                None => vec![CheckResult::finding(DIRECTORY, diagnosis::unsaved(None))],
                Some(found) => judge(directory, &found, has_exporter || settings.offline),
            }
        }
    };
    Section {
        area: Area::Storage,
        results,
    }
}

fn memory_only(settings: &Settings<'_>) -> Vec<CheckResult> {
    let facts = ExporterFacts {
        memory_only_since: Some(settings.clock.now()),
        ..ExporterFacts::default()
    };
    let findings = diagnosis::exporter(&facts).into_iter();
    findings
        .map(|finding| CheckResult::finding(DIRECTORY, finding))
        .collect()
}

/// `may_be_exporter`: the process that uses the directory may be the exporter of this configuration.
fn judge(directory: &Path, found: &Directory, may_be_exporter: bool) -> Vec<CheckResult> {
    // The path as given may be relative to a directory that the reader does not know.
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let shown = absolute.display();
    let mut results = Vec::new();
    results.push(match &found.unwritable {
        Some(error) => {
            let error = with_source(error);
            CheckResult::finding(DIRECTORY, diagnosis::unsaved(Some(&error)))
        }
        None if found.exists => CheckResult::ok(DIRECTORY, format_args!("{shown} can be written")),
        None => CheckResult::ok(
            DIRECTORY,
            format_args!("{shown} does not exist yet; the exporter creates it"),
        ),
    });
    if found.is_in_use {
        let in_use = StoreError::InUse {
            directory: directory.to_owned(),
        };
        results.push(if may_be_exporter {
            let what =
                format!("{shown} is in use by another process, possibly the running exporter");
            CheckResult::warning(IN_USE, what)
        } else {
            CheckResult::failed(IN_USE, in_use)
        });
    }
    let on = |file_system: &str| format!("{shown} is on a file system of type {file_system}");
    results.push(match found.file_system.as_deref() {
        None => CheckResult::skipped(FILE_SYSTEM, "The type of the file system is not known"),
        Some(file_system) => match mounts::risk(file_system) {
            None => CheckResult::ok(FILE_SYSTEM, on(file_system)),
            Some(risk) => CheckResult {
                cause: risk.to_owned(),
                cure: "Give --storage.path a directory on a disk of this machine, or a volume."
                    .to_owned(),
                ..CheckResult::warning(FILE_SYSTEM, on(file_system))
            },
        },
    });
    results
}

/// Waits for the disk.
fn examine(directory: &Path) -> Directory {
    let existing = nearest_existing(directory);
    let exists = existing == directory;
    let error = probe(&existing).and_then(|()| {
        let file = directory.join(FILE_NAME);
        if file.try_exists()? {
            // Opening it in this way does not change it.
            OpenOptions::new().read(true).write(true).open(file)?;
        }
        Ok(())
    });
    Directory {
        exists,
        is_in_use: exists && is_locked(directory),
        unwritable: error.err().map(|source| StoreError::Unwritable {
            directory: directory.to_owned(),
            source,
        }),
        file_system: mounts::file_system(&existing),
    }
}

/// The directory, or the one above it that the exporter would create it in.
fn nearest_existing(directory: &Path) -> PathBuf {
    let mut nearest = directory;
    while !nearest.exists() {
        match nearest.parent() {
            // `data` is in the working directory.
            Some(parent) if parent.as_os_str().is_empty() => return PathBuf::from("."),
            Some(parent) => nearest = parent,
            None => break,
        }
    }
    nearest.to_owned()
}

/// Writes to a file without a name, which is deleted with its handle, even if the process is killed.
fn probe(directory: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(directory)?;
    file.write_all(&PROBE)?;
    file.sync_all()
}

/// Whether another process has locked the directory. The lock of this check is shared and lasts for a moment, so it disturbs neither other
/// checks nor a running exporter.
fn is_locked(directory: &Path) -> bool {
    File::open(directory)
        .is_ok_and(|handle| matches!(handle.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn with_source(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
