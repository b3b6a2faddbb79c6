//! A header that lists what a client prefers, such as `text/plain;version=0.0.4;q=0.5, */*;q=0.1`. Malformed entries are left out,
//! and the number of entries is limited.

use axum::http::{HeaderMap, HeaderName};

/// The most entries that are read of one header. Browsers and Prometheus send fewer than ten; each is compared with every format.
const MOST_ENTRIES: usize = 64;

/// The quality of an entry without one, in thousandths: `q=1`.
const BEST: u16 = 1000;

/// One entry of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Preference {
    /// What it is about, in lower case: `text/plain`, `gzip`, `*`.
    pub(super) name: String,
    /// Its parameters without `q`, names in lower case, values without quotes.
    pub(super) parameters: Vec<(String, String)>,
    /// Its quality in thousandths; 0 means not acceptable.
    pub(super) quality: u16,
}

impl Preference {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The entries of all headers of this name, in order. Malformed ones are left out.
pub(super) fn preferences(headers: &HeaderMap, name: &HeaderName) -> Vec<Preference> {
    let values = headers.get_all(name).iter();
    let entries = values.flat_map(|value| split(value.as_bytes(), b','));
    entries.take(MOST_ENTRIES).filter_map(parse).collect()
}

fn parse(entry: &[u8]) -> Option<Preference> {
    let entry = std::str::from_utf8(entry).ok()?;
    let mut parts = split(entry.as_bytes(), b';').into_iter();
    let name = trimmed(parts.next()?)?.to_ascii_lowercase();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    let mut preference = Preference {
        name,
        parameters: Vec::new(),
        quality: BEST,
    };
    for part in parts {
        let part = trimmed(part)?;
        if part.is_empty() {
            continue;
        }
        let (name, value) = part.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let value = unquoted(value.trim())?;
        if name == "q" {
            preference.quality = quality(&value)?;
        } else {
            preference.parameters.push((name, value));
        }
    }
    Some(preference)
}

/// The parts between separators outside quotes.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            byte if *byte == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn trimmed(part: &[u8]) -> Option<&str> {
    std::str::from_utf8(part).ok().map(str::trim)
}

/// The value of a parameter: a token, or a string in quotes.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        return Some(value.to_owned());
    };
    let mut text = String::new();
    let mut chars = rest.strip_suffix('"')?.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next()? } else { c });
    }
    Some(text)
}

/// A quality: 0 to 1 with at most three digits behind the point.
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(BEST),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::ACCEPT;
    use proptest::prelude::*;

    use super::*;

    fn read(values: &[&[u8]]) -> Vec<Preference> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, (*value).try_into().unwrap());
        }
        preferences(&headers, &ACCEPT)
    }

    #[test]
    fn entries_have_parameters_and_a_quality() {
        let read = read(&[
            b"Text/Plain ; Version=\"1.0.0\" ;q=0.5,,*/*",
            b"a/b;note=\"x,\\\";y\";q=0",
        ]);
        let entry = |name: &str, parameters: &[(&str, &str)], quality| Preference {
            name: name.to_owned(),
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            quality,
        };
        let expected = [
            entry("text/plain", &[("version", "1.0.0")], 500),
            entry("*/*", &[], 1000),
            entry("a/b", &[("note", "x,\";y")], 0),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_malformed_entry_is_left_out_and_the_others_stay() {
        for entry in [
            "text/plain;q=2",
            "text/plain;q=-1",
            "text/plain;q=1.001",
            "text/plain;q=0.1234",
            "text/plain;q=NaN",
            "text/plain;q=",
            "text/plain;q=1e0",
            "text/plain;version",
            "text/plain;version=\"1",
            "text plain",
            " ",
            "text/plain;q=é",
        ] {
            let read = read(&[format!("{entry}, a/b").as_bytes()]);
            let names: Vec<_> = read.iter().map(|entry| entry.name.as_str()).collect();
            // An open quote takes the rest of its header with it.
            let expected: &[&str] = if entry.contains('"') { &[] } else { &["a/b"] };
            assert_eq!(names, expected, "{entry}");
        }
    }

    #[test]
    fn qualities_have_up_to_three_digits() {
        for (text, thousandths) in [
            ("1", 1000),
            ("1.", 1000),
            ("1.000", 1000),
            ("0", 0),
            ("0.0", 0),
            ("0.7", 700),
            ("0.75", 750),
            ("0.001", 1),
        ] {
            assert_eq!(quality(text), Some(thousandths), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_within_the_limit(value in "[a-z*/;=\",.q01 \\\\é]{0,80}", times in 1_usize..50) {
            let value = value.repeat(times);
            prop_assert!(read(&[value.as_bytes()]).len() <= MOST_ENTRIES);
        }
    }
}
