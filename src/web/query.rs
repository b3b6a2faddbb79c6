//! Parses the query of a URL. A parameter occurs once, unless it may be repeated, and an unknown parameter is an error.
//!
//! An error is a sentence for the client. It repeats nothing of the request except the names of known parameters. This is our own
//! code, because axum's `Query` ignores unknown parameters and its errors contain the value.

/// The parameters of one request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(raw: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// Takes all values of `name`.
    pub(super) fn all(&mut self, name: &str) -> Vec<String> {
        let is_wanted = |(given, _): &mut (String, String)| given == name;
        let taken = self.0.extract_if(.., is_wanted);
        taken.map(|(_, value)| value).collect()
    }

    /// Takes the value of `name`, if there is one.
    pub(super) fn one(&mut self, name: &str) -> Result<Option<String>, String> {
        let mut values = self.all(name);
        let value = values.pop();
        if values.is_empty() {
            Ok(value)
        } else {
            Err(format!("The parameter {name} is given twice."))
        }
    }

    /// Returns an error if a parameter was not taken. `known` names the known ones: `there is account`.
    pub(super) fn finish(self, known: &str) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(format!("Unknown parameter. Allowed: {known}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_decoded_and_allowed_once() {
        let mut query = Query::read(Some("account=a%20b&label=x%3D1&label=y"));
        assert_eq!(query.one("account"), Ok(Some("a b".to_owned())));
        assert_eq!(query.all("label"), ["x=1", "y"]);
        assert_eq!(query.one("limit"), Ok(None));
        assert_eq!(query.finish("account"), Ok(()));
        assert_eq!(Query::read(None).one("account"), Ok(None));
        let twice = Query::read(Some("a=1&a=2")).one("a");
        assert_eq!(twice, Err("The parameter a is given twice.".to_owned()));
    }

    #[test]
    fn an_unknown_parameter_is_rejected_and_not_repeated() {
        let query = Query::read(Some("jane@example.com=1"));
        let result = query.finish("account");
        let sentence = "Unknown parameter. Allowed: account.".to_owned();
        assert_eq!(result, Err(sentence));
    }
}
