//! Where a list continues, and that it ends.
//!
//! Two shapes are documented: `{"pagination":{"next": …}}` and `{"pagination":{"nextPageToken": …}}`
//! (<https://docs.comms.twilio.com/comms-api-reference/emails>). Twilio's sister APIs write `{"meta":{"next_page_url": …}}`
//! and `{"meta":{"nextToken": …}}`, the oldest of them `next_page_uri` beside the rows
//! (<https://www.twilio.com/docs/usage/twilios-response>). All of them are read.

use std::collections::{BTreeMap, HashSet};

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use url::Url;

use super::error::ApiError;

/// The longest list: ten million operations at 1,000 a page. An account's seven days have been seen to hold seven million.
const MOST_PAGES: usize = 10_000;
/// Pages in a row that only repeat rows. A list that goes on like this is a loop.
const MOST_REPEATING_PAGES: usize = 10;
/// Pages in a row without any row that counts. A filter that Twilio applies after paging leaves such pages, so they are
/// followed; a thousand of them stand for a million operations that were filtered out.
const MOST_EMPTY_PAGES: usize = 1_000;
/// The longest page token. Tokens seen have below 200 bytes, and servers refuse request lines above 8 KB.
const LONGEST_TOKEN: usize = 4096;

/// The keys that name the next page, wherever they are. The first one that has a value counts.
const NEXT_KEYS: [&str; 10] = [
    "next",
    "nextPageToken",
    "next_page_token",
    "nextToken",
    "next_token",
    "nextPageUrl",
    "next_page_url",
    "nextPageUri",
    "next_page_uri",
    "nextPage",
];
/// The keys of a token or an address inside an object.
const INNER_KEYS: [&str; 8] = [
    "token",
    "pageToken",
    "page_token",
    "cursor",
    "url",
    "uri",
    "href",
    "link",
];
/// The keys under which a list has the addresses of other pages.
const LINKS_KEYS: [&str; 2] = ["links", "_links"];
/// The keys under which a server repeats or corrects the page size.
const SIZE_KEYS: [&str; 2] = ["pageSize", "page_size"];

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Next {
    /// The page names no next one.
    #[default]
    Unnamed,
    /// The page says that it is the last one.
    End,
    /// The token of the next page.
    Token(String),
    /// The page names a next one in a way that cannot be read.
    Unreadable,
}

/// What an answer says about its page: `pagination` or `meta`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pagination {
    pub(super) next: Next,
    /// Rows to a page, as the server says; may differ from what was asked for.
    pub(super) size: Option<usize>,
}

impl<'de> Deserialize<'de> for Pagination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self::read(raw))
    }
}

impl Pagination {
    fn read(raw: &str) -> Self {
        if is_nothing(raw) {
            return Self::default();
        }
        let Some(fields) = fields(raw) else {
            return Self {
                next: Next::Unreadable,
                size: None,
            };
        };
        Self::of(&fields)
    }

    fn of(fields: &BTreeMap<String, &RawValue>) -> Self {
        Self {
            next: named(fields, &NEXT_KEYS, &|raw| text(raw).or_else(|| inner(raw))),
            size: SIZE_KEYS
                .iter()
                .find_map(|key| text(fields.get(*key)?)?.parse().ok()),
        }
    }

    /// What a list without its rows says beside them, or under `links`. Other members may have the same names and another
    /// meaning, so what cannot be read there says nothing.
    pub(super) fn beside(list: &[u8]) -> Self {
        let Some(members) = std::str::from_utf8(list).ok().and_then(fields) else {
            return Self::default();
        };
        let links = LINKS_KEYS.iter().filter_map(|key| members.get(*key));
        let said = links.map(|links| Self::read(links.get()));
        [Self::of(&members)]
            .into_iter()
            .chain(said)
            .filter(|said| said.next != Next::Unreadable)
            .fold(Self::default(), Self::or)
    }

    /// What both `self` and `other` say: a page may have `pagination` and `meta`.
    pub(super) fn or(self, other: Self) -> Self {
        let next = match (self.next, other.next) {
            (Next::Token(token), _) | (_, Next::Token(token)) => Next::Token(token),
            (Next::Unreadable, _) | (_, Next::Unreadable) => Next::Unreadable,
            (Next::End, _) | (_, Next::End) => Next::End,
            (Next::Unnamed, Next::Unnamed) => Next::Unnamed,
        };
        Self {
            next,
            size: self.size.or(other.size),
        }
    }
}

/// Null, or what stands for it where a language has one type for lists and objects.
fn is_nothing(raw: &str) -> bool {
    raw == "null" || raw.strip_prefix('[').is_some_and(|rest| rest.trim() == "]")
}

/// The fields of an object, one level deep. A key that is there twice counts once, with its last value.
fn fields(raw: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(raw).ok()
}

/// The next page that the first of `keys` with a value names.
fn named(
    fields: &BTreeMap<String, &RawValue>,
    keys: &[&str],
    read: &dyn Fn(&RawValue) -> Option<String>,
) -> Next {
    let mut next = Next::Unnamed;
    for raw in keys.iter().filter_map(|key| fields.get(*key)) {
        if matches!(raw.get(), "null" | "false" | "\"\"") || is_nothing(raw.get()) {
            next = Next::End;
            continue;
        }
        return match read(raw) {
            Some(text) if text.len() <= LONGEST_TOKEN => Next::Token(token(text)),
            _ => Next::Unreadable,
        };
    }
    next
}

/// A string or a number that is not empty.
fn text(raw: &RawValue) -> Option<String> {
    match serde_json::from_str(raw.get()).ok()? {
        serde_json::Value::String(text) if !text.is_empty() => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The token or the address inside an object such as `{"token": …}`.
fn inner(raw: &RawValue) -> Option<String> {
    let fields = fields(raw.get())?;
    match named(
        &fields,
        &[&INNER_KEYS[..], &NEXT_KEYS[..]].concat(),
        &|raw| text(raw),
    ) {
        Next::Token(token) => Some(token),
        _ => None,
    }
}

/// Takes the token out of a URL; anything that is no URL with a token is the token itself.
///
/// Tokens are opaque and of any alphabet: one may begin with `/` or hold `://`. Only the token of a URL is used, since the
/// next request goes where this one went.
fn token(next: String) -> String {
    let Some((_, query)) = next.split_once('?') else {
        return next;
    };
    // Which base a relative URL is read against does not matter for its query.
    let Ok(url) = Url::parse(&format!("http://localhost/?{query}")) else {
        return next;
    };
    let token = url
        .query_pairs()
        .find(|(name, token)| is_token_name(name) && !token.is_empty());
    match token {
        Some((_, token)) => token.into_owned(),
        None => next,
    }
}

fn is_token_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("pageToken") || name.eq_ignore_ascii_case("page_token")
}

/// What the rows of a page were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// At least one was not read before in this collection.
    New,
    /// All of them had been read already.
    Repeated,
    /// There was none that counts: no row at all, or only operations past the retention.
    None,
}

/// Ends a list that does not end by itself.
#[derive(Debug, Default)]
pub(super) struct Progress {
    tokens: HashSet<String>,
    repeating: usize,
    empty: usize,
}

impl Progress {
    /// Notes the token that a page named and what its rows were.
    ///
    /// # Errors
    /// When the list runs in a circle or beyond any bound.
    pub(super) fn advance(&mut self, token: &str, rows: Rows) -> Result<(), ApiError> {
        let count = |counted: usize, is_so| if is_so { counted + 1 } else { 0 };
        self.repeating = count(self.repeating, rows == Rows::Repeated);
        self.empty = count(self.empty, rows == Rows::None);
        if !self.tokens.insert(token.to_owned()) {
            return Err(ApiError::InvalidResponse(
                "the list names a page token twice",
            ));
        }
        if self.repeating > MOST_REPEATING_PAGES
            || self.empty > MOST_EMPTY_PAGES
            || self.tokens.len() >= MOST_PAGES
        {
            return Err(ApiError::InvalidResponse("the list does not end"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Next {
        serde_json::from_str::<Pagination>(json).unwrap().next
    }

    fn token(text: &str) -> Next {
        Next::Token(text.to_owned())
    }

    #[test]
    fn every_known_shape_is_read() {
        for shape in [
            r#"{"next":"abc","self":"x"}"#,
            r#"{"nextPageToken":"abc","pageSize":50}"#,
            r#"{"next":null,"nextPageToken":"abc"}"#,
            r#"{"next":"https://elsewhere.example/v1/Emails?pageSize=9&pageToken=abc"}"#,
            r#"{"next":"/v1/Emails/Operations?PageToken=abc"}"#,
            r#"{"next":"?pageToken=abc"}"#,
            r#"{"next_page_token":"abc"}"#,
            r#"{"next_page_url":"https://elsewhere.example/v1/Services?PageSize=50&Page=1&PageToken=abc","key":"services"}"#,
            r#"{"next_page_uri":"/2010-04-01/Messages.json?PageToken=abc"}"#,
            r#"{"nextToken":"abc","previousToken":null}"#,
            r#"{"next":{"token":"abc"}}"#,
            r#"{"next":{"pageToken":"abc","size":7}}"#,
            r#"{"next":{"href":"/v1/Emails?pageToken=abc"}}"#,
            r#"{"next":"abc","next":"abc"}"#,
        ] {
            assert_eq!(read(shape), token("abc"), "{shape}");
        }
        assert_eq!(read(r#"{"next":7}"#), token("7"));
    }

    #[test]
    fn a_next_page_beside_the_rows_is_read_and_other_members_mean_nothing() {
        let beside = |json: &str| Pagination::beside(json.as_bytes()).next;
        for shape in [
            r#"{"data":[],"next_page_uri":"/v1/Emails?PageToken=abc","page_size":50}"#,
            r#"{"operations":[],"nextPageToken":"abc"}"#,
            r#"{"data":[],"links":{"self":"/v1","next":"/v1/Emails?pageToken=abc"}}"#,
            r#"{"data":[],"_links":{"next":{"href":"/v1/Emails?pageToken=abc"}}}"#,
            r#"{"next":[7],"links":{"next":"abc"}}"#,
        ] {
            assert_eq!(beside(shape), token("abc"), "{shape}");
        }
        assert_eq!(beside(r#"{"data":[],"next_page_uri":null}"#), Next::End);
        for other in [
            "{}",
            r#"{"data":[],"next":[7]}"#,
            r#"{"links":[{"rel":"self"}],"_links":"x"}"#,
            "\u{e9}",
        ] {
            assert_eq!(beside(other), Next::Unnamed, "{other}");
        }
    }

    #[test]
    fn an_end_is_an_end_and_silence_is_not() {
        for end in [
            r#"{"next":null}"#,
            r#"{"nextPageToken":""}"#,
            r#"{"next":false}"#,
            r#"{"next":null,"next_page_url":null}"#,
        ] {
            assert_eq!(read(end), Next::End, "{end}");
        }
        for silent in ["{}", "null", "[]", "[ ]", r#"{"self":"x","pageSize":50}"#] {
            assert_eq!(read(silent), Next::Unnamed, "{silent}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_end() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let long = format!(r#"{{"next":"{}"}}"#, "x".repeat(100_000));
        for odd in [
            "7",
            "true",
            "[1]",
            r#""t1""#,
            r#"{"next":true}"#,
            r#"{"next":[1]}"#,
            r#"{"next":{}}"#,
            r#"{"next":{"page":2}}"#,
            &deep,
            &long,
        ] {
            assert_eq!(read(odd), Next::Unreadable, "{}", &odd[..odd.len().min(40)]);
        }
    }

    #[test]
    fn a_token_that_looks_like_a_url_is_a_token() {
        for opaque in [
            "/9j4AAQ",
            "//8=",
            "YTov://L2I=",
            "?abc",
            "a?b=c",
            "https://comms.twilio.com/v1/Emails?page=2",
        ] {
            let json = serde_json::json!({"next": opaque}).to_string();
            assert_eq!(read(&json), token(opaque), "{opaque}");
        }
    }

    #[test]
    fn a_token_seen_before_ends_the_list() {
        let mut progress = Progress::default();
        assert_eq!(progress.advance("a", Rows::New), Ok(()));
        assert_eq!(progress.advance("b", Rows::New), Ok(()));
        assert!(progress.advance("a", Rows::New).is_err());
    }

    #[test]
    fn a_list_that_only_repeats_or_holds_nothing_ends() {
        for (rows, most) in [
            (Rows::Repeated, MOST_REPEATING_PAGES),
            (Rows::None, MOST_EMPTY_PAGES),
            (Rows::New, MOST_PAGES - 1),
        ] {
            let mut progress = Progress::default();
            let end =
                (0..MOST_PAGES).find(|page| progress.advance(&page.to_string(), rows).is_err());
            assert_eq!(end, Some(most), "{rows:?}");
        }
    }
}
