//! The calls to the file system that sources need. Each blocks for as long as the disk does, so none runs on an async worker.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::error::SourceError;
use super::fingerprint::Fingerprint;
use super::listing::LARGEST;
use crate::config::FilePattern;

/// The most attempts to read a file that changes during the read.
const ATTEMPTS: usize = 3;

/// The file system; in tests, one that hangs on demand.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// The paths that a pattern names; a path may have no file.
    fn paths_of(&self, pattern: &FilePattern) -> Result<Vec<PathBuf>, SourceError> {
        paths_of(pattern).map_err(unreadable)
    }

    /// Reads the file at `path`, unless its fingerprint is `known`.
    fn find(&self, path: &Path, known: Option<Fingerprint>) -> Result<Found, SourceError> {
        find(path, known)
    }
}

/// The file system of the machine.
#[derive(Debug)]
pub(super) struct System;

impl Disk for System {}

/// What was found at a path.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Unchanged,
    Content(Fingerprint, Vec<u8>),
}

/// The paths that a pattern names; a path may have no file.
fn paths_of(pattern: &FilePattern) -> io::Result<Vec<PathBuf>> {
    if !pattern.is_glob() {
        return Ok(vec![pattern.path()]);
    }
    let here = Path::new(".");
    let directory = Some(pattern.directory()).filter(|path| !path.as_os_str().is_empty());
    let entries = match fs::read_dir(directory.unwrap_or(here)) {
        Err(error) if is_nothing(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        if let Some(name) = entry?.file_name().to_str()
            && pattern.fits(name)
        {
            paths.push(pattern.directory().join(name));
        }
    }
    Ok(paths)
}

/// Reads the file at `path`, unless its fingerprint is `known`.
fn find(path: &Path, known: Option<Fingerprint>) -> Result<Found, SourceError> {
    let metadata = match fs::metadata(path) {
        Err(error) if is_nothing(&error) => return Ok(Found::Nothing),
        metadata => metadata.map_err(unreadable)?,
    };
    if !metadata.is_file() {
        // A device may have no end, and a pipe blocks until another process writes.
        return Err(SourceError::Unreadable("it is not a file".to_owned()));
    }
    if known == Some(Fingerprint::of(&metadata)) {
        return Ok(Found::Unchanged);
    }
    for _ in 0..ATTEMPTS {
        let file = match File::open(path) {
            Err(error) if is_nothing(&error) => return Ok(Found::Nothing),
            file => file.map_err(unreadable)?,
        };
        let before = Fingerprint::of(&file.metadata().map_err(unreadable)?);
        let mut content = Vec::new();
        let mut bounded = (&file).take(LARGEST as u64 + 1);
        bounded.read_to_end(&mut content).map_err(unreadable)?;
        if content.len() > LARGEST {
            return Err(SourceError::TooLarge { limit: LARGEST });
        }
        if Fingerprint::of(&file.metadata().map_err(unreadable)?) == before {
            return Ok(Found::Content(before, content));
        }
    }
    Err(SourceError::Unreadable(
        "it changes while it is read".to_owned(),
    ))
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` passes it by value"
)]
fn unreadable(error: io::Error) -> SourceError {
    SourceError::Unreadable(error.to_string())
}
