//! The files that a web configuration was read from, with their content. A comparison with a later read shows whether any of them
//! has changed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::rotation::{Content, FileError, read};

/// Files and their content. `Debug` shows none of it.
#[derive(Default)]
pub struct ReadFiles {
    files: Vec<ReadFile>,
    /// Content of files that can be read only once: pipes, a shell's `<(…)`.
    kept: Vec<ReadFile>,
    /// Whether files were read before. A pipe is read only at the start: later nobody may write to it, and a read would hang.
    is_again: bool,
}

#[derive(Clone)]
struct ReadFile {
    path: PathBuf,
    largest: u64,
    /// Whether the file could be read only once when it was read.
    once: bool,
    /// `None` if it could not be read.
    content: Option<Content>,
}

impl ReadFiles {
    /// No files yet. A file of `before` that can be read only once keeps its content.
    pub(super) fn after(before: &Self) -> Self {
        let known = before.files.iter().chain(&before.kept);
        let kept = known.filter(|file| file.content.is_some() && file.is_still_once());
        Self {
            files: Vec::new(),
            kept: kept.cloned().collect(),
            is_again: !before.files.is_empty(),
        }
    }

    /// Reads the file at `path`, up to `largest` bytes.
    pub(super) fn read(&mut self, path: &Path, largest: u64) -> Result<Content, FileError> {
        let kept = self.kept.iter().find(|file| file.path == path);
        let once = is_read_once(path);
        let content = match kept.and_then(|file| file.content.clone()) {
            Some(content) => Ok(content),
            None if once && self.is_again => Err(no_regular_file()),
            None => read(path, largest),
        };
        self.files.push(ReadFile {
            path: path.to_owned(),
            largest,
            once,
            content: content.as_ref().ok().cloned(),
        });
        content
    }

    /// Reads the files again. Returns whether any of them has changed.
    #[must_use]
    pub fn have_changed(&self) -> bool {
        self.files.iter().any(|file| {
            if is_read_once(&file.path) {
                !file.is_still_once()
            } else {
                read(&file.path, file.largest).ok() != file.content
            }
        })
    }

    /// Whether `other` has the same files with the same content.
    #[must_use]
    pub fn has_same_content(&self, other: &Self) -> bool {
        let content = |files: &Self| -> Vec<(PathBuf, Option<Content>)> {
            let files = files.files.iter();
            files
                .map(|file| (file.path.clone(), file.content.clone()))
                .collect()
        };
        content(self) == content(other)
    }
}

impl ReadFile {
    /// Whether the file could be read only once, and still is such a file.
    fn is_still_once(&self) -> bool {
        self.once && is_read_once(&self.path)
    }
}

fn no_regular_file() -> FileError {
    let message = "it is a pipe or a device, which is read only at the start. Put a file there, or restart the exporter";
    io::Error::new(io::ErrorKind::InvalidInput, message).into()
}

/// Whether the file at `path` returns its content only once.
fn is_read_once(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

impl fmt::Debug for ReadFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.files.iter().map(|file| &file.path);
        f.debug_list().entries(paths).finish()
    }
}
