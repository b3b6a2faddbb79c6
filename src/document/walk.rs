//! Reads values from the tree of a document. A wrong type or an unknown key is a problem with its place; reading continues after
//! it.
//!
//! This is our own code, because serde's derives stop at the first problem and repeat values in their messages. This module reports
//! all problems together and repeats no values.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use super::node::{MappingKey, Node, Position};
use super::problem::Findings;
use super::suggestion;

/// The longest part of a key that problems contain; all known keys are shorter.
const SHOWN: usize = 40;
/// A problem contains an unknown key only if it has at most this many digits, such as a version. Of 100 million secrets with 32
/// hexadecimal digits, one has so few.
const MOST_DIGITS: usize = 4;

/// A value and its place.
pub(crate) struct Value<'d> {
    pub(crate) place: String,
    node: &'d Node,
}

/// A mapping whose keys are taken one after another. Keys that are not taken are unknown.
pub(crate) struct Mapping<'d> {
    pub(crate) place: String,
    /// Of a repeated key, the first one.
    entries: Vec<(&'d MappingKey, &'d Node)>,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl<'d> Value<'d> {
    /// The document itself.
    pub(crate) const fn root(node: &'d Node) -> Self {
        Self {
            place: String::new(),
            node,
        }
    }

    /// Whether the value is empty or null.
    pub(crate) const fn is_nothing(&self) -> bool {
        matches!(self.node, Node::Nothing)
    }

    pub(crate) fn mapping(&self, findings: &mut Findings) -> Option<Mapping<'d>> {
        let Node::Mapping(entries) = self.node else {
            return self.wrong("a mapping", findings);
        };
        let mut unique = Vec::with_capacity(entries.len());
        let mut first: BTreeMap<&str, Option<Position>> = BTreeMap::new();
        for (key, node) in entries {
            if let Some(at) = first.get(key.name.as_str()) {
                let place = place_of(&self.place, key);
                findings.problem(&place, twice(*at, key.at));
            } else {
                first.insert(&key.name, key.at);
                unique.push((key, node));
            }
        }
        Some(Mapping {
            place: self.place.clone(),
            entries: unique,
            known: Vec::new(),
            refused: Vec::new(),
        })
    }

    pub(crate) fn list(&self, findings: &mut Findings) -> Option<Vec<Self>> {
        let Node::List(items) = self.node else {
            return self.wrong("a list", findings);
        };
        let value = |(at, node)| Self {
            place: format!("{}[{at}]", self.place),
            node,
        };
        Some(items.iter().enumerate().map(value).collect())
    }

    pub(crate) const fn is_list(&self) -> bool {
        matches!(self.node, Node::List(_))
    }

    /// The length of a list; 0 for anything else.
    pub(crate) const fn length(&self) -> usize {
        match self.node {
            Node::List(items) => items.len(),
            _ => 0,
        }
    }

    pub(crate) fn text(&self, findings: &mut Findings) -> Option<&'d str> {
        match self.node {
            Node::Text(text) => Some(text),
            Node::Number(_) | Node::Boolean(_) => {
                let found = self.node.kind();
                let message = format_args!("expected a string, found {found}; put it in quotes");
                findings.problem(&self.place, message);
                None
            }
            _ => self.wrong("a string", findings),
        }
    }

    /// A string, or the text of a number or boolean.
    pub(crate) fn scalar(&self, findings: &mut Findings) -> Option<String> {
        match self.node {
            Node::Text(text) => Some(text.clone()),
            Node::Number(number) => Some(number.text.clone()),
            Node::Boolean(value) => Some(value.to_string()),
            _ => self.wrong("a string", findings),
        }
    }

    pub(crate) fn boolean(&self, findings: &mut Findings) -> Option<bool> {
        match self.node {
            Node::Boolean(value) => Some(*value),
            _ => self.wrong("true or false", findings),
        }
    }

    pub(crate) fn number(&self, findings: &mut Findings) -> Option<f64> {
        match self.node {
            Node::Number(number) => Some(number.value),
            _ => self.wrong("a number", findings),
        }
    }

    /// A whole number within `range`.
    pub(crate) fn whole<N>(&self, range: &RangeInclusive<N>, findings: &mut Findings) -> Option<N>
    where
        N: TryFrom<u64> + PartialOrd + fmt::Display,
    {
        let Node::Number(number) = self.node else {
            return self.wrong("a number", findings);
        };
        let value = number.whole.and_then(|whole| N::try_from(whole).ok());
        let fits = value.filter(|value| range.contains(value));
        if fits.is_none() {
            findings.problem(&self.place, expected_whole(range));
        }
        fits
    }

    fn wrong<T>(&self, expected: &str, findings: &mut Findings) -> Option<T> {
        let found = self.node.kind();
        findings.problem(
            &self.place,
            format_args!("expected {expected}, found {found}"),
        );
        None
    }
}

impl<'d> Mapping<'d> {
    /// Takes the value of `key`; `None` if it is missing or empty.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value<'d>> {
        self.known.push(key);
        self.find(key)
    }

    /// Takes the value of `key`; a missing key is a problem.
    pub(crate) fn require(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Value<'d>> {
        let value = self.take(key);
        if value.is_none() {
            findings.problem(&self.place_of(key), "missing");
        }
        value
    }

    /// Whether the mapping has `key`, which is not allowed and never suggested. The caller reports the problem.
    pub(crate) fn has_refused(&mut self, key: &'static str) -> bool {
        self.refused.push(key);
        self.entries.iter().any(|(each, _)| each.name == key)
    }

    /// Whether `key` has a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The place of `key`, even if it is missing.
    pub(crate) fn place_of(&self, key: &str) -> String {
        below(&self.place, key)
    }

    /// All entries of a mapping with arbitrary keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'d str, Value<'d>)> {
        self.entries.iter().map(|(key, node)| {
            let place = place_of(&self.place, key);
            (key.name.as_str(), Value { place, node })
        })
    }

    /// Reports the keys that were not taken.
    pub(crate) fn finish(self, findings: &mut Findings) {
        for (key, _) in &self.entries {
            let name = key.name.as_str();
            if self.known.contains(&name) || self.refused.contains(&name) {
                continue;
            }
            let cure = match suggestion::nearest(name, &self.known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            let line = key
                .at
                .map_or_else(String::new, |at| format!(" (line {})", at.line));
            let message = match key.only_place {
                None if may_be_secret(name) => format!("unknown key{line}, {cure}"),
                None => format!("unknown key `{}`{line}, {cure}", shown(name)),
                Some(place) => format!("key {place} is not allowed, {cure}"),
            };
            findings.problem(&self.place, message);
        }
    }

    fn find(&self, key: &str) -> Option<Value<'d>> {
        let (_, node) = self.entries.iter().find(|(each, _)| each.name == key)?;
        let value = Value {
            place: self.place_of(key),
            node,
        };
        (!value.is_nothing()).then_some(value)
    }
}

/// The text for a number that is not in `range`.
pub(crate) fn expected_whole<N: fmt::Display>(range: &RangeInclusive<N>) -> String {
    format!(
        "expected a whole number from {} to {}",
        range.start(),
        range.end()
    )
}

fn twice(first: Option<Position>, second: Option<Position>) -> String {
    match (first, second) {
        (Some(first), Some(second)) => format!("given twice: {first} and {second}"),
        _ => "given twice".to_owned(),
    }
}

/// The place of a parsed key in the mapping at `place`.
fn place_of(place: &str, key: &MappingKey) -> String {
    match key.only_place {
        None if may_be_secret(&key.name) => match key.at {
            Some(at) => format!("{place}, key in line {}", at.line),
            None => format!("{place}, a key"),
        },
        None => below(place, &key.name),
        Some(at) if place.is_empty() => format!("key {at}"),
        Some(at) => format!("{place}, key {at}"),
    }
}

/// The place of `key` in the mapping at `place`.
fn below(place: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && key.len() <= SHOWN;
    match (plain && !key.is_empty(), place.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{place}.{key}"),
        (false, _) => format!("{place}[{:?}]", shown(key)),
    }
}

/// Whether an unknown key may be a misplaced secret. Names of keys have few digits; Twilio's secrets have many.
fn may_be_secret(name: &str) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    digits > MOST_DIGITS || name.chars().count() > SHOWN
}

fn shown(key: &str) -> String {
    let mut text: String = key.chars().take(SHOWN).collect();
    if text.len() < key.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    #[test]
    fn reading_continues_after_each_problem() {
        let mut findings = Findings::default();
        let source = "name: 2024\nflag: yes\ncount: -1\ncount: 2\nitms: []\nzzz: 1\nsecret: x\n'odd key': 1\n";
        let node = yaml::parse(source, 1000, &mut findings).unwrap();
        let mut mapping = Value::root(&node).mapping(&mut findings).unwrap();
        assert_eq!(mapping.take("name").unwrap().text(&mut findings), None);
        assert_eq!(mapping.take("flag").unwrap().boolean(&mut findings), None);
        assert_eq!(
            mapping
                .take("count")
                .unwrap()
                .whole(&(0..=9_u32), &mut findings),
            None
        );
        assert!(mapping.take("items").is_none());
        assert!(mapping.has_refused("secret"));
        mapping.finish(&mut findings);
        let problems: Vec<String> = findings.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "count: given twice: line 3, column 1 and line 4, column 1",
                "name: expected a string, found a number; put it in quotes",
                "flag: expected true or false, found a string",
                "count: expected a whole number from 0 to 9",
                "unknown key `itms` (line 5), did you mean `items`?",
                "unknown key `zzz` (line 6), known here: name, flag, count, items",
                "unknown key `odd key` (line 8), known here: name, flag, count, items",
            ]
        );
    }

    #[test]
    fn unusual_keys_are_quoted_and_shortened_in_places() {
        assert_eq!(below("a[0]", "b_1"), "a[0].b_1");
        assert_eq!(below("a", "b.c"), "a[\"b.c\"]");
        assert_eq!(below("", ""), "[\"\"]");
        assert_eq!(
            below("a", &"é".repeat(50)),
            format!("a[\"{}…\"]", "é".repeat(40))
        );
    }
}
