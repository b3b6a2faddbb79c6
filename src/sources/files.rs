//! Files that list operations: looked at before each collection, and read when they have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::News;
use super::error::SourceError;
use super::fingerprint::Fingerprint;
use super::listing::{self, Format, LARGEST};
use super::standing::{Standing, Teller};
use crate::config::FilePattern;

/// The most files of an account: each has series of its own and is asked for at every look.
const MOST_FILES: usize = 1000;
/// How often a file is read that changes meanwhile, before the look gives up.
const ATTEMPTS: usize = 3;

/// The files of an account that list operations.
#[derive(Debug)]
pub struct Files {
    patterns: Vec<Watched>,
    known: BTreeMap<PathBuf, Known>,
    teller: Teller,
    /// Whether it has been told that there are more than are read.
    told_many: bool,
}

#[derive(Debug)]
struct Watched {
    pattern: FilePattern,
    /// What was told last of the pattern itself.
    told: Told,
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Empty,
    Unreadable(SourceError),
}

#[derive(Debug)]
struct Known {
    standing: Standing,
    /// Of the content that was parsed last, well or not; `None` when the next look must read.
    fingerprint: Option<Fingerprint>,
}

/// What a look found under one path.
enum Found {
    Nothing,
    Unchanged,
    Content(Fingerprint, Vec<u8>),
}

impl Files {
    /// The files that `patterns` name. Reads nothing yet.
    #[must_use]
    pub fn new(patterns: Vec<FilePattern>, teller: Teller) -> Self {
        let watched = |pattern| Watched {
            pattern,
            told: Told::Nothing,
        };
        Self {
            patterns: patterns.into_iter().map(watched).collect(),
            known: BTreeMap::new(),
            teller,
            told_many: false,
        }
    }

    /// Looks at every file that the patterns name, and reads those that have changed. Blocks for as long as the disk does.
    pub fn look(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        let named: Vec<_> = self
            .patterns
            .iter()
            .map(|each| paths_of(&each.pattern))
            .collect();
        let mut there = BTreeSet::new();
        for path in self.first_of(named.iter().flatten().flatten()) {
            if self.visit(&path, &mut news) {
                there.insert(path);
            }
        }
        for (watched, named) in self.patterns.iter_mut().zip(named) {
            match named {
                Ok(paths) if paths.iter().any(|path| there.contains(path)) => {
                    watched.told = Told::Nothing;
                }
                Ok(_) => watched.tell(Told::Empty, &self.teller),
                Err(error) => {
                    let error = SourceError::Unreadable(error.to_string());
                    for (path, known) in &mut self.known {
                        if watched.pattern.names(path) && there.insert(path.clone()) {
                            news.extend(known.cannot_be_read(error.clone(), &self.teller));
                        }
                    }
                    watched.tell(Told::Unreadable(error), &self.teller);
                }
            }
        }
        let gone = self.known.extract_if(.., |path, _| !there.contains(path));
        news.extend(gone.map(|(_, known)| known.standing.ends(&self.teller)));
        news
    }

    /// The paths, each once, as far as there are not too many.
    fn first_of<'a>(&mut self, paths: impl Iterator<Item = &'a PathBuf>) -> Vec<PathBuf> {
        let paths: BTreeSet<&PathBuf> = paths.collect();
        let many = paths.len() > MOST_FILES;
        if many && !self.told_many {
            tracing::warn!(
                account = self.teller.account(),
                files = paths.len(),
                most = MOST_FILES,
                "too many files that list operations; only the first by name are read"
            );
        }
        self.told_many = many;
        paths.into_iter().take(MOST_FILES).cloned().collect()
    }

    /// Takes in what is at `path`; false if nothing is.
    fn visit(&mut self, path: &Path, news: &mut Vec<News>) -> bool {
        let fingerprint = self.known.get(path).and_then(|known| known.fingerprint);
        let now = self.teller.clock().now();
        let found = find(path, fingerprint);
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
                news.extend(known.take_in(&content, format_of(path), &self.teller));
            }
            Ok(_) => known.standing.is_unchanged(&self.teller),
            Err(error) => news.extend(known.cannot_be_read(error, &self.teller)),
        }
        true
    }
}

impl Watched {
    /// Tells once what concerns the pattern as a whole.
    fn tell(&mut self, what: Told, teller: &Teller) {
        if self.told == what {
            return;
        }
        let (account, files) = (teller.account(), &self.pattern);
        match &what {
            Told::Nothing => {}
            Told::Empty if files.is_glob() => {
                tracing::info!(account, %files, "no file that lists operations is there yet");
            }
            Told::Empty => {
                tracing::warn!(account, %files, "the file that lists operations is not there; create it or take it out of the configuration");
            }
            Told::Unreadable(error) => {
                tracing::warn!(account, %files, %error, "the directory of files that list operations cannot be read; what they listed last stays");
            }
        }
        self.told = what;
    }
}

impl Known {
    fn at(path: &Path) -> Self {
        Self {
            standing: Standing::new(path.to_string_lossy().into()),
            fingerprint: None,
        }
    }

    fn take_in(&mut self, content: &[u8], format: Format, teller: &Teller) -> Option<News> {
        if self.standing.knows(content) {
            self.standing.is_unchanged(teller);
            return None;
        }
        let judged = listing::parse(content, format);
        self.standing.takes_in(content, judged, teller)
    }

    fn cannot_be_read(&mut self, error: SourceError, teller: &Teller) -> Option<News> {
        self.fingerprint = None;
        self.standing.fails(error, teller)
    }
}

/// The paths that a pattern names; whether there is a file under one of them is for others to find out.
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

/// What is at `path`, read unless its fingerprint is `known`.
fn find(path: &Path, known: Option<Fingerprint>) -> Result<Found, SourceError> {
    let metadata = match fs::metadata(path) {
        Err(error) if is_nothing(&error) => return Ok(Found::Nothing),
        metadata => metadata.map_err(unreadable)?,
    };
    if !metadata.is_file() {
        // Anything else may have no end, or none to read at all: a pipe waits for somebody to write.
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

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unreadable(error: io::Error) -> SourceError {
    SourceError::Unreadable(error.to_string())
}

fn format_of(path: &Path) -> Format {
    let json = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if json { Format::Json } else { Format::Yaml }
}

#[cfg(test)]
mod tests;
