//! Patterns of files that list operations, in the format of Prometheus' `file_sd`: the last part may contain `*`.
//!
//! This is our own code, because a glob crate accepts more (`**`, `[a-z]`, `*` in any part), which Prometheus refuses, and lists
//! directories that can hang.

use std::fmt;
use std::path::{Path, PathBuf};

/// The endings of the names of such files.
const ENDINGS: [&str; 3] = ["yml", "yaml", "json"];

/// A file, or all files of a directory whose names match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePattern {
    directory: PathBuf,
    name: String,
}

/// Why a text is not a pattern.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FilePatternError {
    #[error("empty; name a file")]
    Empty,
    #[error("expected a name that ends with .yml, .yaml or .json")]
    Ending,
    #[error("a file name must not contain control characters, because it is a label value")]
    Control,
    #[error("`*` is allowed only in the last part of the path")]
    Star,
}

impl FilePattern {
    /// Parses `text`. A relative path starts at the directory `base`.
    pub(super) fn parse(text: &str, base: &Path) -> Result<Self, FilePatternError> {
        if text.trim().is_empty() {
            return Err(FilePatternError::Empty);
        }
        if text.contains(char::is_control) {
            return Err(FilePatternError::Control);
        }
        let (directory, name) = match text.rfind('/') {
            Some(slash) => text.split_at(slash + 1),
            None => ("", text),
        };
        if directory.contains('*') {
            return Err(FilePatternError::Star);
        }
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        if !ending
            .is_some_and(|ending| ENDINGS.iter().any(|each| each.eq_ignore_ascii_case(ending)))
        {
            return Err(FilePatternError::Ending);
        }
        Ok(Self {
            directory: base.join(directory),
            name: name.to_owned(),
        })
    }

    /// The directory of the files; empty for the working directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether it can match more than one file.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        self.name.contains('*')
    }

    /// The path, relative to the working directory.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// Whether the file `name` of the directory matches. As in a shell, `*` does not match names that start with a dot, which
    /// editors and Kubernetes use for their own files. It does not match names with control characters either: each is a label.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        if name.contains(char::is_control) {
            return false;
        }
        let Some((first, rest)) = self.name.split_once('*') else {
            return name == self.name;
        };
        if name.starts_with('.') && !first.starts_with('.') {
            return false;
        }
        let Some(mut left) = name.strip_prefix(first) else {
            return false;
        };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for piece in middle.split('*') {
            let Some(at) = left.find(piece) else {
                return false;
            };
            left = &left[at + piece.len()..];
        }
        left.ends_with(last)
    }

    /// Whether the file at `path` matches.
    #[must_use]
    pub fn names(&self, path: &Path) -> bool {
        let name = path
            .strip_prefix(&self.directory)
            .ok()
            .and_then(Path::to_str);
        name.is_some_and(|name| !name.contains('/') && self.fits(name))
    }
}

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> FilePattern {
        FilePattern::parse(text, Path::new("/base")).unwrap()
    }

    #[test]
    fn relative_patterns_start_at_the_base() {
        for (text, path, directory) in [
            ("a.yml", "/base/a.yml", "/base"),
            ("sub/*.json", "/base/sub/*.json", "/base/sub"),
            ("/etc/ops/*.YAML", "/etc/ops/*.YAML", "/etc/ops"),
            ("../*.yml", "/base/../*.yml", "/base/.."),
        ] {
            let pattern = pattern(text);
            assert_eq!(pattern.path(), Path::new(path), "{text}");
            assert_eq!(pattern.to_string(), path, "as it is logged");
            assert_eq!(pattern.directory(), Path::new(directory), "{text}");
            assert_eq!(pattern.is_glob(), text.contains('*'));
        }
    }

    #[test]
    fn a_text_that_is_not_a_pattern_is_refused() {
        for (text, error) in [
            ("", FilePatternError::Empty),
            (" ", FilePatternError::Empty),
            ("a\nb.yml", FilePatternError::Control),
            ("operations", FilePatternError::Ending),
            ("*.txt", FilePatternError::Ending),
            ("*.y*ml", FilePatternError::Ending),
            ("a.yml/", FilePatternError::Ending),
            ("*/a.yml", FilePatternError::Star),
        ] {
            assert_eq!(
                FilePattern::parse(text, Path::new("")),
                Err(error),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_star_matches_anything_but_a_leading_dot() {
        for (text, fitting, others) in [
            (
                "a.yml",
                &["a.yml"][..],
                &["b.yml", "xa.yml", "a.ymlx", ""][..],
            ),
            (
                "*.yml",
                &["a.yml", "a.b.yml"],
                &[".a.yml", ".yml", "a.yaml", "yml"],
            ),
            (".*.yml", &[".a.yml"], &["a.yml"]),
            (
                "a*b*.json",
                &["ab.json", "axxbyy.json", "abb.json"],
                &["a.json", "ba.json"],
            ),
            (
                "aa*aa.yml",
                &["aaaa.yml", "aaxaa.yml"],
                &["aa.yml", "aaa.yml"],
            ),
            ("**.yml", &["a.yml"], &[".a.yml"]),
            ("[a-c]?.yml", &["[a-c]?.yml"], &["a1.yml"]),
        ] {
            for name in fitting {
                assert!(pattern(text).fits(name), "{text} {name}");
            }
            for name in others {
                assert!(!pattern(text).fits(name), "{text} {name}");
            }
        }
        assert!(pattern("s/*.yml").names(Path::new("/base/s/a.yml")));
        assert!(!pattern("s/*.yml").names(Path::new("/base/s/t/a.yml")));
        assert!(!pattern("s/*.yml").names(Path::new("/base/a.yml")));
    }

    proptest! {
        /// The text in the place of a star may be anything.
        #[test]
        fn a_pattern_matches_every_name_made_from_it(pieces in prop::collection::vec("[ab.]{0,3}", 1..5), filling in "[ab.é]{0,3}") {
            let text = format!("x{}.yml", pieces.join("*"));
            let name = format!("x{}.yml", pieces.join(&filling));
            prop_assert!(!text.contains('*') || pattern(&text).fits(&name));
        }

        #[test]
        fn no_text_panics(text in ".{0,20}", name in ".{0,20}") {
            if let Ok(pattern) = FilePattern::parse(&text, Path::new("")) {
                let _ = pattern.fits(&name);
            }
        }
    }
}
