//! The token endpoint, from which an OAuth client requests access tokens.

use url::Url;

use super::base_url;
use super::problem::Findings;

/// The token endpoint of Twilio itself.
pub const DEFAULT_TOKEN_URL: &str = "https://oauth.twilio.com/v2/token";

/// The token endpoint in `given` (a place and its text), or Twilio's.
pub(super) fn token_url(given: Option<(&str, &str)>, findings: &mut Findings) -> Option<Url> {
    let (place, text) = given.unwrap_or(("", DEFAULT_TOKEN_URL));
    let message =
        format!("expected a URL like {DEFAULT_TOKEN_URL}, without a user name or a query");
    let url = findings.take(place, base_url::plain(text).map_err(|_| message))?;
    base_url::notice_if_in_the_clear(place, &url, findings);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, usize, usize) {
        let mut findings = Findings::default();
        let url = token_url(Some(("token_url", text)), &mut findings);
        let url = url.map(|url| url.to_string());
        (url, findings.problems.len(), findings.notices.len())
    }

    #[test]
    fn a_token_url_is_taken_as_it_is() {
        for text in [DEFAULT_TOKEN_URL, "http://127.0.0.1:1/v2/token"] {
            assert_eq!(read(text), (Some(text.to_owned()), 0, 0));
        }
        let mut findings = Findings::default();
        let default = token_url(None, &mut findings).unwrap();
        assert_eq!(default.as_str(), DEFAULT_TOKEN_URL);
        let clear = "http://proxy.example/token";
        assert_eq!(read(clear), (Some(clear.to_owned()), 0, 1));
    }

    #[test]
    fn a_wrong_token_url_is_one_problem_that_does_not_repeat_it() {
        for text in [
            "",
            "oauth.twilio.com/v2/token",
            "ftp://host/token",
            "https://id:s3cret@host/token",
            "https://host/token?client_secret=s3cret",
            "https://host/token#s3cret",
        ] {
            assert_eq!(read(text), (None, 1, 0), "{text}");
            let mut findings = Findings::default();
            token_url(Some(("token_url", text)), &mut findings);
            assert!(!findings.problems[0].to_string().contains("s3cret"));
        }
    }
}
