//! Where a list goes on, and that it ends.
//!
//! Two shapes are documented: `{"pagination":{"next": …}}` and `{"pagination":{"nextPageToken": …}}`
//! (<https://docs.comms.twilio.com/comms-api-reference/emails>).

use std::collections::HashSet;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use url::Url;

use super::error::ApiError;

/// The longest list: ten million operations at 1,000 a page. An account's seven days have been seen to hold seven million.
const MOST_PAGES: usize = 10_000;
/// So many pages in a row may hold nothing new before the list counts as endless.
const MOST_IDLE_PAGES: usize = 10;

/// The `pagination` of an answer, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Pagination {
    next: Option<String>,
}

impl<'de> Deserialize<'de> for Pagination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Written {
            next: Option<serde_json::Value>,
            next_page_token: Option<serde_json::Value>,
        }
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let Ok(written) = serde_json::from_str::<Written>(raw) else {
            return Ok(Self::default());
        };
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) if !text.is_empty() => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Ok(Self {
            next: written
                .next
                .and_then(text)
                .or_else(|| written.next_page_token.and_then(text)),
        })
    }
}

/// The token of the next page; `None` at the end of the list.
///
/// Where Twilio gives a URL, only its token is taken: the next request goes where this one went.
pub(super) fn next(pagination: Option<&Pagination>) -> Result<Option<String>, ApiError> {
    let Some(next) = pagination.and_then(|pagination| pagination.next.as_deref()) else {
        return Ok(None);
    };
    if !next.contains("://") && !next.starts_with(['/', '?']) {
        return Ok(Some(next.to_owned()));
    }
    let wrong = ApiError::InvalidResponse("a next page whose URL has no page token");
    // A relative URL needs some base to be read against; which one does not matter for its query.
    let base = Url::parse("http://localhost/").map_err(|_| wrong.clone())?;
    let url = base.join(next).map_err(|_| wrong.clone())?;
    let token = url
        .query_pairs()
        .find(|(name, _)| name.eq_ignore_ascii_case("pageToken"));
    match token {
        Some((_, token)) if !token.is_empty() => Ok(Some(token.into_owned())),
        _ => Err(wrong),
    }
}

/// Sees to it that a list ends.
#[derive(Debug, Default)]
pub(super) struct Progress {
    tokens: HashSet<String>,
    idle: usize,
}

impl Progress {
    /// Takes note of the token a page named and of whether the page held anything new.
    pub(super) fn advance(&mut self, token: &str, anything_new: bool) -> Result<(), ApiError> {
        self.idle = if anything_new { 0 } else { self.idle + 1 };
        if !self.tokens.insert(token.to_owned()) {
            return Err(ApiError::InvalidResponse(
                "the list names a page token twice",
            ));
        }
        if self.idle > MOST_IDLE_PAGES || self.tokens.len() >= MOST_PAGES {
            return Err(ApiError::InvalidResponse("the list does not end"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Option<String>, ApiError> {
        next(Some(&serde_json::from_str(json).unwrap()))
    }

    #[test]
    fn every_documented_shape_is_read() {
        let token = Ok(Some("abc".to_owned()));
        assert_eq!(read(r#"{"next":"abc","self":"x"}"#), token);
        assert_eq!(read(r#"{"nextPageToken":"abc","pageSize":50}"#), token);
        assert_eq!(read(r#"{"next":null,"nextPageToken":"abc"}"#), token);
        assert_eq!(
            read(r#"{"next":"https://elsewhere.example/v1/Emails?pageSize=9&pageToken=abc"}"#),
            token
        );
        assert_eq!(
            read(r#"{"next":"/v1/Emails/Operations?PageToken=abc"}"#),
            token
        );
        for end in [
            r#"{"next":null}"#,
            r#"{"nextPageToken":""}"#,
            "{}",
            "null",
            "[]",
            r#"{"next":false}"#,
        ] {
            assert_eq!(read(end), Ok(None), "{end}");
        }
    }

    #[test]
    fn a_url_without_a_token_is_an_error_not_an_end() {
        assert!(read(r#"{"next":"https://comms.twilio.com/v1/Emails?page=2"}"#).is_err());
    }

    #[test]
    fn a_token_seen_before_ends_the_list() {
        let mut progress = Progress::default();
        assert_eq!(progress.advance("a", true), Ok(()));
        assert_eq!(progress.advance("b", true), Ok(()));
        assert!(progress.advance("a", true).is_err());
    }

    #[test]
    fn a_list_of_nothing_new_ends() {
        let mut progress = Progress::default();
        let end = (0..99).find(|page| progress.advance(&page.to_string(), false).is_err());
        assert_eq!(end, Some(MOST_IDLE_PAGES));
    }
}
