//! The problems of a configuration, which are reported together.

pub(super) use crate::document::Findings;
pub use crate::document::Problem;

/// A configuration that cannot be used. Its text has one line for its origin, and one line per problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", listing(.origin, .problems))]
pub struct ConfigError {
    /// The file, or `the environment`.
    pub origin: String,
    /// All problems.
    pub problems: Vec<Problem>,
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
