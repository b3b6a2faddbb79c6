//! Parameters behind the question mark: each once, unless it may be there several times, and none that is unknown.

use super::problem::Problem;

/// The parameters of one request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(raw: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// All values of `name`; they are known from then on.
    pub(super) fn all(&mut self, name: &str) -> Vec<String> {
        let (taken, left) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(given, _)| given == name);
        self.0 = left;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// The value of `name`, if there is one.
    pub(super) fn one(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.all(name);
        let value = values.pop();
        if values.is_empty() {
            Ok(value)
        } else {
            let detail = format!("The parameter {name} is given twice.");
            Err(Problem::bad_request(detail))
        }
    }

    /// Refuses parameters that nobody asked for; `known` says which there are.
    pub(super) fn finish(self, known: &str) -> Result<(), Problem> {
        // Its name is not repeated: it may be a mistyped anything.
        if self.0.is_empty() {
            return Ok(());
        }
        let detail =
            format!("There is a parameter that this path does not know; it knows {known}.");
        Err(Problem::bad_request(detail))
    }
}
