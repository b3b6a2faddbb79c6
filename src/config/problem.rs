//! What is wrong with a configuration, told all at once.

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

/// A configuration that cannot be used. Its text is one line on where it came from and one line a problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", listing(.origin, .problems))]
pub struct ConfigError {
    /// The file, or `the environment`.
    pub origin: String,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

/// Collects while a configuration is read, so that the first problem hides no other.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<Problem>,
}

impl Findings {
    /// Something because of which the configuration is refused.
    pub(super) fn problem(&mut self, place: &str, message: impl fmt::Display) {
        self.problems.push(found(place, &message.to_string()));
    }

    /// Something the operator should know.
    pub(super) fn notice(&mut self, place: &str, message: impl fmt::Display) {
        self.notices.push(found(place, &message.to_string()));
    }

    /// The value of `result`; its error becomes a problem.
    pub(super) fn take<T, E: fmt::Display>(
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

fn listing(origin: &str, problems: &[Problem]) -> String {
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    };
    let mut text = format!("{count} in the configuration ({origin}):");
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_its_line() {
        let mut findings = Findings::default();
        findings.problem("accounts[0].name", "missing");
        findings.problem("", "cannot\nbe \x1b[31mread");
        let error = ConfigError {
            origin: "a.yml".into(),
            problems: findings.problems,
        };
        assert_eq!(
            error.to_string(),
            "2 problems in the configuration (a.yml):\n  accounts[0].name: missing\n  cannot be  [31mread"
        );
    }
}
