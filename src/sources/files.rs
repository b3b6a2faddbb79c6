//! Files that list operations. They are checked before each collection, and read when they have changed.
//!
//! A file or directory that hangs delays a collection once, by a bounded time, and never affects other files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::News;
use super::calls::{Call, Calls, LIMIT};
use super::disk::{Disk, Found, System};
use super::error::SourceError;
use super::fingerprint::Fingerprint;
use super::listing::{self, Format};
use super::source_status::{SourceReporter, SourceStatus};
use crate::config::FilePattern;
use crate::ongoing_failure::OngoingFailure;

/// The most files of an account: each has its own series and is checked before each collection.
const MOST_FILES: usize = 1000;
/// The text for a file of the configuration that does not exist.
pub const FILE_MISSING: &str =
    "the operation file does not exist; create it or remove it from the configuration";
/// The text for a pattern that no file matches.
pub const NO_FILE_YET: &str = "no operation file matches yet";
/// The most reads that hang in one directory; other reads in it wait for these.
const HANGING_IN_DIRECTORY: usize = 4;
/// The most directory listings that hang in one directory; several patterns may name one directory.
const HANGING_OF_DIRECTORY: usize = 1;

/// The files of an account that list operations.
#[derive(Debug)]
pub struct Files {
    patterns: Vec<WatchedPattern>,
    known: BTreeMap<PathBuf, Known>,
    disk: Arc<dyn Disk>,
    /// By pattern.
    directories: Calls<FilePattern, Named>,
    reads: Calls<PathBuf, Result<Found, SourceError>>,
    reporter: SourceReporter,
    /// Whether there are more files than the limit.
    too_many: OngoingFailure<()>,
}

#[derive(Debug)]
struct WatchedPattern {
    pattern: FilePattern,
    /// The failure of the pattern itself.
    failure: OngoingFailure<PatternFailure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PatternFailure {
    /// No file matches.
    Empty,
    /// Its directory cannot be read.
    Unreadable(SourceError),
}

#[derive(Debug)]
struct Known {
    status: SourceStatus,
    /// The fingerprint of the content that was parsed last, valid or not; `None` when the next check must read the file.
    fingerprint: Option<Fingerprint>,
}

/// The paths that match a pattern.
type Named = Result<Vec<PathBuf>, SourceError>;

/// The changes of the files since the last check.
#[derive(Debug, Default)]
pub struct RereadFiles {
    /// One per changed file.
    pub news: Vec<News>,
    /// Whether a directory could not be read, so that there may be unknown files.
    pub incomplete: bool,
}

impl Files {
    /// The files that match `patterns`. Reads nothing yet.
    #[must_use]
    pub fn new(patterns: Vec<FilePattern>, reporter: SourceReporter) -> Self {
        let watched = |pattern| WatchedPattern {
            pattern,
            failure: OngoingFailure::new(),
        };
        Self {
            patterns: patterns.into_iter().map(watched).collect(),
            known: BTreeMap::new(),
            disk: Arc::new(System),
            directories: Calls::new(HANGING_OF_DIRECTORY, |one, other| {
                one.directory() == other.directory()
            }),
            reads: Calls::new(HANGING_IN_DIRECTORY, |one, other| {
                one.parent() == other.parent()
            }),
            reporter,
            too_many: OngoingFailure::new(),
        }
    }

    /// Checks every file that matches a pattern, and reads those that have changed. It waits once for a read that hangs, which does not
    /// affect other files.
    pub async fn reread(&mut self) -> RereadFiles {
        let mut news = Vec::new();
        let mut incomplete = false;
        let named = self.named().await;
        let paths = self.first_of(named.values().flatten().flatten());
        let mut there = self.visit(&paths, &mut news).await;
        news.sort_by(|one, other| one.source().cmp(other.source()));
        for watched in &mut self.patterns {
            match named.get(&watched.pattern) {
                Some(Ok(paths)) if paths.iter().any(|path| there.contains(path)) => {
                    watched.works(&self.reporter);
                }
                Some(Ok(_)) => watched.fails(PatternFailure::Empty, &self.reporter),
                failed => {
                    let hangs = || SourceError::Hangs(LIMIT);
                    let error = failed.and_then(|named| named.clone().err());
                    let error = error.unwrap_or_else(hangs);
                    incomplete = true;
                    for (path, known) in &mut self.known {
                        if watched.pattern.names(path) && there.insert(path.clone()) {
                            news.extend(known.cannot_be_read(error.clone(), &self.reporter));
                        }
                    }
                    watched.fails(PatternFailure::Unreadable(error), &self.reporter);
                }
            }
        }
        let gone = self.known.extract_if(.., |path, _| !there.contains(path));
        news.extend(gone.map(|(_, known)| known.status.ends(&self.reporter)));
        RereadFiles { news, incomplete }
    }

    /// The paths per pattern; a pattern that is missing here hangs.
    async fn named(&mut self) -> BTreeMap<FilePattern, Named> {
        let call = |pattern: &FilePattern| -> (FilePattern, Call<Named>) {
            let (disk, wanted) = (Arc::clone(&self.disk), pattern.clone());
            (pattern.clone(), Box::new(move || disk.paths_of(&wanted)))
        };
        let patterns = self.patterns.iter().map(|watched| &watched.pattern);
        let (globs, files): (BTreeSet<_>, BTreeSet<_>) =
            patterns.partition(|pattern| pattern.is_glob());
        let mut named: BTreeMap<_, _> = files
            .into_iter()
            .map(|pattern| (pattern.clone(), Ok(vec![pattern.path()])))
            .collect();
        let mut round = self.directories.round(globs.into_iter().map(call));
        while let Some((pattern, paths)) = self.directories.next(&mut round).await {
            named.insert(pattern, paths);
        }
        named
    }

    /// The paths, each once, up to the limit.
    fn first_of<'a>(&mut self, paths: impl Iterator<Item = &'a PathBuf>) -> Vec<PathBuf> {
        let paths: BTreeSet<&PathBuf> = paths.collect();
        if paths.len() <= MOST_FILES {
            if self.too_many.recovered() {
                let (account, files) = (self.reporter.account(), paths.len());
                tracing::info!(account, files, "all operation files are read again");
            }
        } else if self.too_many.failed((), Instant::now()) {
            tracing::warn!(
                account = self.reporter.account(),
                files = paths.len(),
                most = MOST_FILES,
                "too many operation files; only the first by name are read"
            );
        }
        paths.into_iter().take(MOST_FILES).cloned().collect()
    }

    /// Applies the content of each of `paths`. Returns the paths that have a file.
    async fn visit(&mut self, paths: &[PathBuf], news: &mut Vec<News>) -> BTreeSet<PathBuf> {
        let call = |path: &PathBuf| -> (PathBuf, Call<Result<Found, SourceError>>) {
            let fingerprint = self.known.get(path).and_then(|known| known.fingerprint);
            let (disk, wanted) = (Arc::clone(&self.disk), path.clone());
            let find = move || disk.find(&wanted, fingerprint);
            (path.clone(), Box::new(find))
        };
        let mut round = self.reads.round(paths.iter().map(call));
        let mut hanging: BTreeSet<&PathBuf> = paths.iter().collect();
        let mut there: BTreeSet<PathBuf> = paths.iter().cloned().collect();
        while let Some((path, found)) = self.reads.next(&mut round).await {
            // A read that hung may be of a file that no longer matches any pattern.
            if hanging.remove(&path) && !self.apply(&path, found, news).await {
                there.remove(&path);
            }
        }
        for path in hanging {
            let known = self.known.entry(path.clone());
            let known = known.or_insert_with(|| Known::at(path));
            news.extend(known.cannot_be_read(SourceError::Hangs(LIMIT), &self.reporter));
        }
        there
    }

    /// Applies the content of `path`. Returns false if there is no file.
    async fn apply(
        &mut self,
        path: &Path,
        found: Result<Found, SourceError>,
        news: &mut Vec<News>,
    ) -> bool {
        let now = self.reporter.clock().now();
        if matches!(found, Ok(Found::Nothing)) {
            return false;
        }
        let known = self
            .known
            .entry(path.to_owned())
            .or_insert_with(|| Known::at(path));
        match found {
            Ok(Found::Content(fingerprint, content)) => {
                known.fingerprint = fingerprint.is_settled(now).then_some(fingerprint);
                news.extend(known.apply(content, format_of(path), &self.reporter).await);
            }
            Ok(_) => known.status.is_unchanged(&self.reporter),
            Err(error) => news.extend(known.cannot_be_read(error, &self.reporter)),
        }
        true
    }
}

impl WatchedPattern {
    /// Notes that a file matches the pattern.
    fn works(&mut self, reporter: &SourceReporter) {
        if self.failure.recovered() {
            let (account, files) = (reporter.account(), &self.pattern);
            tracing::info!(account, %files, "found operation files");
        }
    }

    /// Logs that the pattern as a whole fails: when that begins, and once an hour.
    fn fails(&mut self, failure: PatternFailure, reporter: &SourceReporter) {
        if !self.failure.failed(failure.clone(), Instant::now()) {
            return;
        }
        let (account, files) = (reporter.account(), &self.pattern);
        match failure {
            PatternFailure::Empty if files.is_glob() => {
                tracing::info!(account, %files, "{NO_FILE_YET}");
            }
            PatternFailure::Empty => {
                tracing::warn!(account, %files, "{FILE_MISSING}");
            }
            PatternFailure::Unreadable(error) => {
                tracing::warn!(account, %files, %error, "cannot read the directory of operation files; their last operations stay");
            }
        }
    }
}

impl Known {
    fn at(path: &Path) -> Self {
        Self {
            status: SourceStatus::new(path.to_string_lossy().into()),
            fingerprint: None,
        }
    }

    async fn apply(
        &mut self,
        content: Vec<u8>,
        format: Format,
        reporter: &SourceReporter,
    ) -> Option<News> {
        if self.status.has_seen(&content) {
            self.status.is_unchanged(reporter);
            return None;
        }
        // A large list takes hundreds of milliseconds and must not block other tasks.
        let parse = move || (listing::parse(&content, format), content);
        let parsed = spawn_blocking(parse).await;
        let (judged, content) = parsed.unwrap_or_else(|error| {
            let error = SourceError::Unreadable(error.to_string());
            (Err(error), Vec::new())
        });
        self.status.apply(&content, judged, reporter)
    }

    fn cannot_be_read(&mut self, error: SourceError, reporter: &SourceReporter) -> Option<News> {
        self.fingerprint = None;
        self.status.fails(error, reporter)
    }
}

fn format_of(path: &Path) -> Format {
    let json = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if json { Format::Json } else { Format::Yaml }
}

#[cfg(test)]
mod tests;
