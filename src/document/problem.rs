//! What is wrong with a document, collected so that the first problem hides no other.

use std::fmt;

/// One thing that is wrong, or that the operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: a path into the file (`accounts[1].operations[0].id`), an option or an environment variable. Empty for
    /// the whole file.
    pub place: String,
    /// What, and how to cure it; one line, never a secret.
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

/// Collects while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) notices: Vec<Problem>,
    /// How many problems are kept; `None`: all.
    most: Option<usize>,
    /// How many were beyond that.
    pub(crate) more: usize,
}

impl Findings {
    /// Keeps the first `most` problems and counts the others, for documents in which a hundred thousand things may be wrong.
    pub(crate) fn up_to(most: usize) -> Self {
        Self {
            most: Some(most),
            ..Self::default()
        }
    }

    /// Something because of which the document is refused.
    pub(crate) fn problem(&mut self, place: &str, message: impl fmt::Display) {
        if self.most.is_some_and(|most| self.problems.len() >= most) {
            self.more += 1;
            return;
        }
        self.problems.push(found(place, &message.to_string()));
    }

    /// Something the operator should know.
    pub(crate) fn notice(&mut self, place: &str, message: impl fmt::Display) {
        self.notices.push(found(place, &message.to_string()));
    }

    /// The value of `result`; its error becomes a problem.
    pub(crate) fn take<T, E: fmt::Display>(
        &mut self,
        place: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.problem(place, error)).ok()
    }
}

/// One line each: keys and file names come from outside and could hold line breaks or terminal sequences.
fn found(place: &str, message: &str) -> Problem {
    let line = |text: &str| text.replace(|c: char| c.is_control(), " ");
    Problem {
        place: line(place),
        message: line(message),
    }
}
