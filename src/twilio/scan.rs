//! Finds the members of a JSON object and the elements of an array without judging what they hold.
//!
//! A parser refuses a whole page over one byte that is no UTF-8, one raw tab or one `NaN`. This scan follows brackets and
//! quotes alone, so such a byte stays within the row that has it. It never recurses: brackets may be as deep as the body is long.

use std::ops::Range;

/// Calls `found` for each member of the object that `json` is, with its key (without quotes, escapes as they are) and the
/// place of its value. Returns `None` if `json` is not one whole object.
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

/// The elements of an array.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Elements {
    /// Their places.
    At(Vec<Range<usize>>),
    /// There are more than were to be found. They were not counted: the places of millions take more memory than the body.
    TooMany,
}

/// The elements of the array that `json` is, if there are at most `most`; `None` if it is not one whole array.
pub(super) fn elements(json: &[u8], most: usize) -> Option<Elements> {
    let mut found = Vec::new();
    let mut is_too_long = false;
    let mut scan = Scan { json, at: 0 };
    let whole = scan.list(b'[', b']', |scan| {
        let place = scan.value()?;
        is_too_long = found.len() == most;
        if is_too_long {
            return None;
        }
        found.push(place);
        Some(())
    });
    if is_too_long {
        return Some(Elements::TooMany);
    }
    whole.map(|()| Elements::At(found))
}

struct Scan<'a> {
    json: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    /// Reads everything from `open` to `close`, with an `item` between commas, and nothing behind it.
    fn list(
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
        self.next().is_none().then_some(())
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        let rest = self.json.get(self.at..)?;
        let white = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += rest.iter().take_while(white).count();
        self.json.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    /// The place of a string's text, without its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.json.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let text = start..self.at;
        self.at += 1;
        Some(text)
    }

    /// The place of a value of any kind.
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
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        (self.at > start).then_some(start..self.at)
    }

    /// Goes past an object or array. Whether its brackets are of one kind is for a parser to say.
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

    fn found(json: &[u8]) -> Option<Vec<(String, String)>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut all = Vec::new();
        members(json, |key, value| all.push((text(key), text(&json[value]))))?;
        Some(all)
    }

    #[test]
    fn members_are_found_whatever_they_hold() {
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
    fn what_is_cut_or_goes_on_is_nothing() {
        for json in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":[1}",
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
            Some(Elements::At(vec![2..3, 6..9]))
        );
        for json in ["", "[", "[1", "[1,]", "[,]", "[1] 2", "{}"] {
            assert_eq!(elements(json.as_bytes(), 2), None, "{json}");
        }
    }

    #[test]
    fn too_many_elements_are_not_searched_to_their_end() {
        assert_eq!(elements(b"[1,2,3]", 2), Some(Elements::TooMany));
        assert_eq!(elements(b"[1,2,3, cut", 2), Some(Elements::TooMany));
        assert_eq!(elements(b"[1,2,]", 2), None);
        assert_eq!(elements(b"[1]", 0), Some(Elements::TooMany));
        assert_eq!(elements(b"[]", 0), Some(Elements::At(Vec::new())));
    }

    #[test]
    fn a_million_brackets_are_no_depth() {
        let json = ["{\"a\":".as_bytes(), &b"[".repeat(1_000_000)].concat();
        assert_eq!(found(&json), None);
    }

    proptest! {
        #[test]
        fn every_json_object_is_taken_apart_as_a_parser_does(values in proptest::collection::vec(any::<(String, String, i64)>(), 0..6)) {
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
