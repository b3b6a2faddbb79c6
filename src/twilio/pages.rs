//! Finds the next page of a list.
//!
//! Two shapes are documented: `{"pagination":{"next": …}}` and `{"pagination":{"nextPageToken": …}}`
//! (<https://docs.comms.twilio.com/comms-api-reference/emails>). Other Twilio APIs return `{"meta":{"next_page_url": …}}` and
//! `{"meta":{"nextToken": …}}`, the oldest one `next_page_uri` beside the rows
//! (<https://www.twilio.com/docs/usage/twilios-response>). All of these are parsed.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use url::Url;

use super::scan;

/// The longest page token, in bytes. Known tokens have less than 200 bytes, and servers reject request lines above 8 KB.
const LONGEST_TOKEN: usize = 4096;

/// The keys with a list's pagination.
const PAGINATION_KEYS: [&str; 2] = ["pagination", "meta"];
/// Pagination that cannot be parsed. It does not end the list.
const UNREADABLE: Pagination = Pagination {
    next: Next::Unreadable,
    size: None,
};
/// The keys that name the next page, in any place. The first one with a value counts.
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
/// The keys of a token or a URL inside an object.
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
/// The keys with the URLs of other pages.
const LINKS_KEYS: [&str; 2] = ["links", "_links"];
/// The keys with the page size of the server.
const SIZE_KEYS: [&str; 2] = ["pageSize", "page_size"];

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Next {
    /// The page names no next one.
    #[default]
    Unnamed,
    /// The page is marked as the last one.
    End,
    /// The token of the next page.
    Token(String),
    /// The page names a next one in an unknown way.
    Unreadable,
}

/// The pagination of a page: `pagination` or `meta`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pagination {
    pub(super) next: Next,
    /// The server's page size; may differ from the requested one.
    pub(super) size: Option<usize>,
}

impl Pagination {
    fn read(raw: &str) -> Self {
        if is_nothing(raw) {
            return Self::default();
        }
        fields(raw).map_or(UNREADABLE, |fields| Self::of(&fields))
    }

    fn of(fields: &BTreeMap<String, &RawValue>) -> Self {
        Self {
            next: named(fields, &NEXT_KEYS, &|raw| text(raw).or_else(|| inner(raw))),
            size: SIZE_KEYS
                .iter()
                .find_map(|key| text(fields.get(*key)?)?.parse().ok()),
        }
    }

    /// The pagination of a list without its rows: in `pagination` and `meta`, beside them, and under `links`.
    ///
    /// An invalid byte affects only its member. Members beside the rows may have the same names and another meaning, so an unknown value
    /// there is ignored.
    pub(super) fn of_list(list: &[u8]) -> Self {
        let mut documented = [Self::default(), Self::default()];
        let mut members = BTreeMap::new();
        scan::members(list, |key, value| {
            let value = raw(&list[value]);
            match PAGINATION_KEYS
                .iter()
                .position(|known| known.as_bytes() == key)
            {
                Some(at) => documented[at] = value.map_or(UNREADABLE, |raw| Self::read(raw.get())),
                None => members.extend(std::str::from_utf8(key).ok().map(str::to_owned).zip(value)),
            }
        });
        let links = LINKS_KEYS.iter().filter_map(|key| members.get(*key));
        let links = links.map(|links| Self::read(links.get()));
        let beside = [Self::of(&members)].into_iter().chain(links);
        let beside = beside.filter(|beside| beside.next != Next::Unreadable);
        documented
            .into_iter()
            .chain(beside)
            .fold(Self::default(), Self::or)
    }

    /// Combines `self` and `other`: a page may have both `pagination` and `meta`.
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

/// One value of JSON, if it is one.
fn raw(value: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(value).ok()
}

/// Whether the value is null or empty. Some languages write an empty object as an empty list.
fn is_nothing(raw: &str) -> bool {
    raw == "null" || raw.strip_prefix('[').is_some_and(|rest| rest.trim() == "]")
}

/// The fields of an object, one level deep. Of a repeated key the last value counts.
fn fields(raw: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(raw).ok()
}

/// The next page from the first of `keys` that has a value.
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

/// A string or a number.
fn text(raw: &RawValue) -> Option<String> {
    match serde_json::from_str(raw.get()).ok()? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The token or the URL inside an object such as `{"token": …}`.
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

/// The token in a URL. A text that is no URL with a token is the token itself.
///
/// Tokens are opaque: one may begin with `/` or contain `://`. Only the token of a URL is used, because the next request goes to the same
/// server and path.
fn token(next: String) -> String {
    let Some((_, query)) = next.split_once('?') else {
        return next;
    };
    // The base of a relative URL does not matter for its query.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Next {
        Pagination::read(json).next
    }

    fn token(text: &str) -> Next {
        Next::Token(text.to_owned())
    }

    #[test]
    fn every_known_shape_is_parsed() {
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
    fn a_next_page_beside_the_rows_is_found_and_other_members_are_ignored() {
        let beside = |json: &str| Pagination::of_list(json.as_bytes()).next;
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
            r#"{"pagination":null,"meta":{}}"#,
        ] {
            assert_eq!(beside(other), Next::Unnamed, "{other}");
        }
    }

    #[test]
    fn an_invalid_byte_affects_only_its_member() {
        let next = |list: &[u8]| Pagination::of_list(list).next;
        for elsewhere in [
            &b"{\"data\":[],\"account\":\"caf\xe9\",\"pagination\":{\"next\":\"abc\"}}"[..],
            b"{\"x\":NaN,\"\xe9\":1,\"meta\":{\"nextToken\":\"abc\"}}",
            b"{\"x\":\"a\tb\",\"next_page_uri\":\"/v1?PageToken=abc\"}",
        ] {
            assert_eq!(next(elsewhere), token("abc"));
        }
        for inside in [
            &b"{\"pagination\":{\"next\":null,\"x\":\"\xe9\"}}"[..],
            b"{\"meta\":{\"next\":NaN}}",
        ] {
            assert_eq!(next(inside), Next::Unreadable);
        }
        assert_eq!(next(b"{\"next_page_uri\":\"\xe9\"}"), Next::Unnamed);
    }

    #[test]
    fn an_explicit_end_differs_from_a_missing_next_page() {
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
    fn unreadable_pagination_does_not_end_the_list() {
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
}
