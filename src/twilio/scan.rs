//! Finds the members of a JSON object and the elements of an array without parsing them.
//!
//! A parser rejects a whole page because of one byte that is no UTF-8, one raw tab or one `NaN`. This scan checks only brackets and quotes,
//! so such a byte affects only its row. It does not recurse, because brackets may be nested as deep as the body is long.

use std::ops::Range;

use memchr::memchr2;

/// Calls `found` for each member of the object `json`, with its key (without quotes, not unescaped) and the range of its value. Returns
/// `None` if `json` is not one complete object.
pub(super) fn members<'a>(
    json: &'a [u8],
    mut found: impl FnMut(&'a [u8], Range<usize>),
) -> Option<()> {
    let mut scan = Scan { json, at: 0 };
    scan.list(b'{', b'}', |scan| {
        let key = scan.string()?;
        scan.expect(b':')?;
        found(&json[key], scan.value()?);
        Some(())
    })
}

/// The elements of an array of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Elements<'a, T> {
    /// All of them.
    All(Vec<Element<'a, T>>),
    /// There are more than the limit. They were not counted: millions of them take more memory than the body.
    TooMany,
}

/// An element of an array of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element<'a, T> {
    /// It was parsed when it was found.
    Parsed(T),
    /// Its text.
    Text(&'a [u8]),
}

/// As [`members`], and finds the elements of the arrays under keys for which `is_list` is true, at most `most` of each, in the same pass:
/// a page may have dozens of megabytes. `found` gets no elements of a value that is not one complete array.
///
/// `parse` gets the text from an element on. If it parses the element, it returns it with its length in bytes, and the element is not
/// scanned again. These bytes must be one JSON value.
pub(super) fn members_and_elements<'a, T>(
    json: &'a [u8],
    is_list: impl Fn(&[u8]) -> bool,
    most: usize,
    parse: impl Fn(&[u8]) -> Option<(T, usize)>,
    mut found: impl FnMut(&'a [u8], Range<usize>, Option<Elements<'a, T>>),
) -> Option<()> {
    let mut scan = Scan { json, at: 0 };
    scan.list(b'{', b'}', |scan| {
        let key = &json[scan.string()?];
        scan.expect(b':')?;
        let (mut place, mut elements) = (None, None);
        if is_list(key) && scan.next()? == b'[' {
            let start = scan.at;
            elements = scan.elements(most, &parse);
            match elements {
                Some(Elements::All(_)) => place = Some(start..scan.at),
                // `value` checks whether it is complete.
                Some(Elements::TooMany) | None => scan.at = start,
            }
        }
        let place = match place {
            Some(place) => place,
            None => scan.value()?,
        };
        found(key, place, elements);
        Some(())
    })
}

/// Whether `json` has nothing but white space.
pub(super) fn is_white_space(json: &[u8]) -> bool {
    json.iter().copied().all(is_white)
}

const fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Scan<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// Scans from `open` to `close`, with an `item` between commas, and requires that nothing follows.
    fn list(
        &mut self,
        open: u8,
        close: u8,
        item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.items(open, close, item)?;
        self.next().is_none().then_some(())
    }

    /// Scans from `open` to `close`, with an `item` between commas.
    fn items(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.expect(open)?;
        if self.next() == Some(close) {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                let next = self.next()?;
                self.at += 1;
                match next {
                    b',' => {}
                    _ if next == close => break,
                    _ => return None,
                }
            }
        }
        Some(())
    }

    /// The elements of an array, at most `most`; `None` if it is not a complete one.
    fn elements<T>(
        &mut self,
        most: usize,
        parse: impl Fn(&[u8]) -> Option<(T, usize)>,
    ) -> Option<Elements<'a, T>> {
        let mut found = Vec::new();
        let mut is_too_long = false;
        let whole = self.items(b'[', b']', |scan| {
            scan.next()?;
            let element = match parse(&scan.json[scan.at..]) {
                Some((parsed, length)) => {
                    scan.at += length;
                    Element::Parsed(parsed)
                }
                None => Element::Text(&scan.json[scan.value()?]),
            };
            is_too_long = found.len() == most;
            if is_too_long {
                return None;
            }
            found.push(element);
            Some(())
        });
        if is_too_long {
            return Some(Elements::TooMany);
        }
        whole.map(|()| Elements::All(found))
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        let rest = self.json.get(self.at..)?;
        self.at += rest.iter().take_while(|byte| is_white(**byte)).count();
        self.json.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    /// The range of a string's text, without its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            let rest = self.json.get(self.at..)?;
            self.at += memchr2(b'"', b'\\', rest)?;
            if self.json[self.at] == b'"' {
                break;
            }
            self.at += 2;
        }
        let text = start..self.at;
        self.at += 1;
        Some(text)
    }

    /// The range of a value of any type.
    fn value(&mut self) -> Option<Range<usize>> {
        let first = self.next()?;
        let start = self.at;
        match first {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.nested()?,
            _ => {
                let rest = &self.json[start..];
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || is_white(*byte);
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        (self.at > start).then_some(start..self.at)
    }

    /// Skips an object or array. A parser checks whether its brackets match.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.json.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Parses nothing.
    fn nothing(_: &[u8]) -> Option<((), usize)> {
        None
    }

    /// The elements of the array `json` and nothing else.
    fn elements(json: &[u8], most: usize) -> Option<Elements<'_, ()>> {
        let mut scan = Scan { json, at: 0 };
        match scan.elements(most, nothing)? {
            Elements::All(found) => scan.next().is_none().then_some(Elements::All(found)),
            Elements::TooMany => Some(Elements::TooMany),
        }
    }

    fn found(json: &[u8]) -> Option<Vec<(String, String)>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut all = Vec::new();
        members(json, |key, value| all.push((text(key), text(&json[value]))))?;
        Some(all)
    }

    #[test]
    fn members_are_found_whatever_they_contain() {
        let json =
            b" {\"a\" : [1,{\"}\":2}], \"\\ud800\":NaN,\"b\\\"\":\"x\\\\\",\"c\":\"\xe9\t\" } ";
        let wanted = [
            ("a", "[1,{\"}\":2}]"),
            ("\\ud800", "NaN"),
            ("b\\\"", "\"x\\\\\""),
            ("c", "\"\u{fffd}\t\""),
        ];
        let wanted = wanted.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(found(json), Some(wanted.to_vec()));
        assert_eq!(found(b"{}"), Some(Vec::new()));
    }

    #[test]
    fn incomplete_json_and_trailing_text_are_rejected() {
        for json in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":[1}",
            "{\"a\":1]",
            "{\"a\":1}x",
            "{\"a\":1,}",
            "[1]",
            "{\"a",
            "{\"a\\",
        ] {
            assert_eq!(found(json.as_bytes()), None, "{json}");
        }
        assert_eq!(
            elements(b"[ 1 , [2] ]", 2),
            Some(Elements::All(vec![
                Element::Text(b"1"),
                Element::Text(b"[2]")
            ]))
        );
        for json in ["", "[", "[1", "[1}", "[1,]", "[,]", "[1] 2", "{}"] {
            assert_eq!(elements(json.as_bytes(), 2), None, "{json}");
        }
    }

    #[test]
    fn too_many_elements_are_not_searched_to_their_end() {
        assert_eq!(elements(b"[1,2,3]", 2), Some(Elements::TooMany));
        assert_eq!(elements(b"[1,2,3, cut", 2), Some(Elements::TooMany));
        assert_eq!(elements(b"[1,2,]", 2), None);
        assert_eq!(elements(b"[1]", 0), Some(Elements::TooMany));
        assert_eq!(elements(b"[]", 0), Some(Elements::All(Vec::new())));
    }

    #[test]
    fn elements_are_found_together_with_members() {
        let json = br#"{"a":[1,[2]],"b":[3,4,5],"c":[6 7],"d":{"a":[8]},"e":[9],"a":7}"#;
        let mut all = Vec::new();
        let is_list = |key: &[u8]| matches!(key, b"a" | b"b" | b"c");
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        members_and_elements(json, is_list, 2, nothing, |key, place, elements| {
            let element = |found: Element<'static, ()>| match found {
                Element::Text(bytes) => text(bytes),
                Element::Parsed(()) => "parsed",
            };
            let elements = elements.map(|elements| match elements {
                Elements::All(found) => found.into_iter().map(element).collect(),
                Elements::TooMany => vec!["too many"],
            });
            all.push((text(key), text(&json[place]), elements));
        });
        let wanted = [
            ("a", "[1,[2]]", Some(vec!["1", "[2]"])),
            ("b", "[3,4,5]", Some(vec!["too many"])),
            ("c", "[6 7]", None),
            ("d", "{\"a\":[8]}", None),
            ("e", "[9]", None),
            ("a", "7", None),
        ];
        assert_eq!(all, wanted);
    }

    #[test]
    fn elements_that_are_parsed_when_they_are_found_keep_their_places() {
        let json = b"{\"a\":[{} , 7,{}]}";
        let parse = |rest: &[u8]| rest.starts_with(b"{}").then_some(("object", 2));
        let mut all = Vec::new();
        members_and_elements(
            json,
            |_| true,
            3,
            parse,
            |_, place, elements| {
                all.push((&json[place], elements));
            },
        );
        let parsed = || Element::Parsed("object");
        let wanted = Elements::All(vec![parsed(), Element::Text(b"7"), parsed()]);
        assert_eq!(all, [(&b"[{} , 7,{}]"[..], Some(wanted))]);
    }

    #[test]
    fn a_million_nested_brackets_do_not_overflow_the_stack() {
        let json = ["{\"a\":".as_bytes(), &b"[".repeat(1_000_000)].concat();
        assert_eq!(found(&json), None);
    }

    proptest! {
        #[test]
        fn every_json_object_has_the_members_that_a_parser_finds(values in proptest::collection::vec(any::<(String, String, i64)>(), 0..6)) {
            let object: serde_json::Map<_, _> = values.into_iter()
                .map(|(key, text, number)| (key, serde_json::json!([text, {"n": number}])))
                .collect();
            let json = serde_json::to_vec(&object).unwrap();
            let mut parsed = serde_json::Map::new();
            members(&json, |key, value| {
                let key = [b"\"", key, b"\""].concat();
                parsed.insert(serde_json::from_slice(&key).unwrap(), serde_json::from_slice(&json[value]).unwrap());
            });
            prop_assert_eq!(parsed, object);
        }
    }
}
