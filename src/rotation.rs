//! Values that come from files and rotate while the exporter runs: secrets, certificates and keys.
//!
//! A [`RotatingValue`] reads its files again when its owner needs the value. While a rotation is incomplete, or the disk hangs, it
//! keeps the last good value. A read has a time limit and a thread of its own, and a value has at most one read at a time, so the
//! number of threads that hang is limited. A failure is logged when it begins, once an hour, and when it ends.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use secrecy::zeroize::Zeroizing;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::ongoing_failure::OngoingFailure;

/// The longest wait for one read. The files have a few KiB; only a disk or a network mount that hangs takes longer.
const LIMIT: Duration = Duration::from_secs(1);

/// The bytes of one file, which may be a secret: `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Content(Zeroizing<Vec<u8>>);

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is larger than {} KiB", .0 / 1024)]
    TooLarge(u64),
}

/// One file of a value.
#[derive(Debug, Clone)]
pub(crate) struct RotatingFile {
    /// The key of the configuration that names the file. It identifies the file in errors.
    pub(crate) key: Option<&'static str>,
    pub(crate) path: PathBuf,
}

/// The files of a value, and how the value is made from them.
pub(crate) struct Origin<T> {
    pub(crate) account: Arc<str>,
    /// The place in the configuration, for the log.
    pub(crate) place: String,
    pub(crate) files: Vec<RotatingFile>,
    /// The largest file, in bytes.
    pub(crate) largest: u64,
    /// Makes the value from one content per file. Its error never contains any of the content.
    pub(crate) parse: Parse<T>,
}

pub(crate) type Parse<T> = Box<dyn Fn(&[Content]) -> Result<T, String> + Send + Sync>;

/// A value from files: the last good one.
pub(crate) struct RotatingValue<T> {
    origin: Arc<Origin<T>>,
    current: Mutex<Option<T>>,
    reading: tokio::sync::Mutex<Reading<T>>,
}

struct Reading<T> {
    /// The contents of the current value's files.
    contents: Option<Contents>,
    pending: Option<PendingRead<T>>,
    failure: OngoingFailure<String>,
}

/// A read that has not finished yet, perhaps because it hangs.
struct PendingRead<T> {
    until: Instant,
    outcome: oneshot::Receiver<Outcome<T>>,
}

type Contents = Arc<[Content]>;

/// A new value and its contents; `None` if no file has changed.
type Outcome<T> = Result<Option<(Contents, T)>, String>;

/// Reads the file at `path`, up to `largest` bytes.
pub(crate) fn read(path: &Path, largest: u64) -> Result<Content, FileError> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?
        .take(largest + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(FileError::TooLarge(largest));
    }
    Ok(Content(bytes))
}

impl Content {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl<T: Clone + Send + 'static> RotatingValue<T> {
    /// A value that has not been read yet.
    pub(crate) fn unread(origin: Origin<T>) -> Self {
        Self::from_parts(origin, None)
    }

    /// A value whose files were read before, with one content per file.
    pub(crate) fn from_contents(origin: Origin<T>, contents: &[Content]) -> Self {
        let value = (origin.parse)(contents).ok();
        Self::from_parts(origin, value.map(|value| (Arc::from(contents), value)))
    }

    fn from_parts(origin: Origin<T>, read: Option<(Contents, T)>) -> Self {
        let (contents, current) = read.unzip();
        Self {
            origin: Arc::new(origin),
            current: Mutex::new(current),
            reading: tokio::sync::Mutex::new(Reading {
                contents,
                pending: None,
                failure: OngoingFailure::new(),
            }),
        }
    }

    /// The last good value; `None` before there is one.
    pub(crate) fn current(&self) -> Option<T> {
        self.current.lock().clone()
    }

    /// Reads the files again and returns the last good value. Takes at most [`LIMIT`]. If the call is cancelled, the read continues.
    ///
    /// # Errors
    /// When there has been no good value yet. The caller reports this; later failures are logged here.
    pub(crate) async fn refreshed(&self) -> Result<T, String> {
        let mut reading = self.reading.lock().await;
        let outcome = reading.read(&self.origin).await;
        let error = self.apply(&mut reading, outcome).err();
        self.current()
            .ok_or_else(|| error.unwrap_or_else(|| "the files hold no value".to_owned()))
    }

    /// Applies the outcome of a read, and logs what changed.
    fn apply(&self, reading: &mut Reading<T>, outcome: Outcome<T>) -> Result<(), String> {
        let Origin { account, place, .. } = &*self.origin;
        let is_first = reading.contents.is_none();
        match outcome {
            Ok(new) => {
                if reading.failure.recovered() {
                    tracing::info!(account = %account, place, "the file can be read again");
                }
                if let Some((contents, value)) = new {
                    reading.contents = Some(contents);
                    *self.current.lock() = Some(value);
                    if !is_first {
                        tracing::info!(account = %account, place, "the file has new content; the exporter uses it from now on");
                    }
                }
                Ok(())
            }
            Err(error) => {
                if !is_first && reading.failure.failed(error.clone(), Instant::now()) {
                    tracing::warn!(account = %account, place, error, "cannot use the file; the exporter keeps its last valid content");
                }
                Err(error)
            }
        }
    }
}

impl<T: Send + 'static> Reading<T> {
    /// Waits for the pending read, or for a new one. It waits for a read that hangs only once.
    async fn read(&mut self, origin: &Arc<Origin<T>>) -> Outcome<T> {
        if origin.files.is_empty() && self.contents.is_some() {
            return Ok(None);
        }
        let pending = match &mut self.pending {
            Some(pending) => pending,
            none => none.insert(PendingRead::begin(origin, self.contents.clone())?),
        };
        let Ok(outcome) = timeout_at(pending.until, &mut pending.outcome).await else {
            return Err(format!(
                "reading takes longer than {} s; check the disk or mount it is on",
                LIMIT.as_secs()
            ));
        };
        self.pending = None;
        // The text of a panic may quote the content.
        outcome.unwrap_or_else(|_| Err("the read was aborted".to_owned()))
    }
}

impl<T: Send + 'static> PendingRead<T> {
    /// Reads on a thread of its own. A thread of the runtime that hangs would delay the exporter's end.
    fn begin(origin: &Arc<Origin<T>>, before: Option<Contents>) -> Result<Self, String> {
        let (sender, outcome) = oneshot::channel();
        let origin = Arc::clone(origin);
        let read = move || {
            // An error means that the value was dropped.
            let _ = sender.send(origin.read(before.as_deref()));
        };
        let started = thread::Builder::new()
            .name("rotation".to_owned())
            .spawn(read);
        started.map_err(|error| format!("cannot start a thread to read it: {error}"))?;
        Ok(Self {
            until: Instant::now() + LIMIT,
            outcome,
        })
    }
}

impl<T> Origin<T> {
    fn read(&self, before: Option<&[Content]>) -> Outcome<T> {
        let mut contents = Vec::with_capacity(self.files.len());
        for (at, file) in self.files.iter().enumerate() {
            let before = before.and_then(|before| before.get(at));
            let content = file.read(before, self.largest);
            contents.push(content.map_err(|error| file.describe(&error))?);
        }
        if before == Some(&*contents) {
            return Ok(None);
        }
        let value = (self.parse)(&contents)?;
        Ok(Some((contents.into(), value)))
    }
}

impl RotatingFile {
    /// A pipe or a shell's `<(…)` returns its content once, so what was read from it stays.
    fn read(&self, before: Option<&Content>, largest: u64) -> Result<Content, FileError> {
        if let Some(before) = before {
            let kind = std::fs::metadata(&self.path)?.file_type();
            if !kind.is_file() && !kind.is_dir() {
                return Ok(before.clone());
            }
        }
        read(&self.path, largest)
    }

    fn describe(&self, error: &FileError) -> String {
        let path = self.path.display();
        match self.key {
            Some(key) => format!("{key}: cannot read {path}: {error}"),
            None => format!("cannot read {path}: {error}"),
        }
    }
}

impl<T> fmt::Debug for RotatingValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingValue")
            .field("place", &self.origin.place)
            .finish_non_exhaustive()
    }
}
