//! Problems and notices about a document. They are collected, so that all of them are reported together.

use std::fmt;

/// A problem, or a notice for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: a path into the file (`accounts[1].operations[0].id`), an option or an environment variable. Empty for
    /// the whole file.
    pub place: String,
    /// What is wrong and what to do: one line, never a secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

/// Collects problems and notices while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) notices: Vec<Problem>,
    /// The most problems that are kept; `None`: all.
    most: Option<usize>,
    /// The number of problems beyond that.
    pub(crate) more: usize,
}

impl Findings {
    /// Keeps the first `most` problems and counts the others, for documents that can have thousands of problems.
    pub(crate) fn up_to(most: usize) -> Self {
        Self {
            most: Some(most),
            ..Self::default()
        }
    }

    /// Adds a problem: the document cannot be used.
    pub(crate) fn problem(&mut self, place: &str, message: impl fmt::Display) {
        if self.most.is_some_and(|most| self.problems.len() >= most) {
            self.more += 1;
            return;
        }
        self.problems.push(found(place, &message.to_string()));
    }

    /// Adds a notice for the operator.
    pub(crate) fn notice(&mut self, place: &str, message: impl fmt::Display) {
        self.notices.push(found(place, &message.to_string()));
    }

    /// The value of `result`. An error is added as a problem.
    pub(crate) fn take<T, E: fmt::Display>(
        &mut self,
        place: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.problem(place, error)).ok()
    }
}

/// Makes one line: keys and file names may contain line breaks or terminal sequences.
fn found(place: &str, message: &str) -> Problem {
    let line = |text: &str| text.replace(|c: char| c.is_control(), " ");
    Problem {
        place: line(place),
        message: line(message),
    }
}
