//! Parses YAML into a tree of [`Node`]s, within a limit of nodes.
//!
//! It shares no visitor with `json`: here each value has its place in the text, which gives a number its digits and a key its line.
//! serde's JSON parser has no places and no limit of nodes; this parser has both.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, MessageFormatter, Options, Spanned, UserMessageFormatter};

use super::node::{MappingKey, Node, Number, Position};
use super::problem::Findings;

/// The most nodes that aliases may add. A file of the allowed size has fewer nodes itself, so only an alias bomb reaches this limit.
const ALIASED_NODES: usize = 100_000;

/// Parses `source`, which may have up to `nodes` values and keys. If it is no YAML, that is the only reported problem.
pub(crate) fn parse(source: &str, nodes: usize, findings: &mut Findings) -> Option<Node> {
    parse_with(source, options(nodes), findings)
}

/// As [`parse`], with the words of YAML 1.1 for true and false, which programs in Go read: `yes`, `No`, `on`, `OFF`, `y`. In quotes
/// they are texts.
pub(crate) fn parse_1_1(source: &str, nodes: usize, findings: &mut Findings) -> Option<Node> {
    let mut options = options(nodes);
    options.strict_booleans = false;
    parse_with(source, options, findings)
}

fn parse_with(source: &str, options: Options, findings: &mut Findings) -> Option<Node> {
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(source, options) {
        Ok(raw) => Some(tree(raw, source)),
        Err(error) => {
            let place = error.location().map(|at| Position {
                line: at.line(),
                column: at.column(),
            });
            let place = place.map_or_else(String::new, |at| at.to_string());
            findings.problem(&place, explain(&error));
            None
        }
    }
}

fn options(nodes: usize) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: nodes,
            // Each node has a start event; a list or a mapping also has an end event.
            max_events: nodes.saturating_mul(2).saturating_add(EVENTS_AROUND),
            // A file may use one set of labels in a thousand places. `ALIASED_NODES` limits what aliases add.
            enforce_alias_anchor_ratio: false,
        },
        // A snippet of the file could contain a secret.
        with_snippet: false,
        // `walk` reports repeated keys with both places, beside other problems.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // `no` is a text, as in `country: no` for Norway.
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED_NODES },
    }
}

fn explain(error: &Error) -> String {
    match error {
        Error::MultipleDocuments { .. } => "a second YAML document; the file holds one".to_owned(),
        Error::NullIntoString { .. } => "a key is missing before `:`".to_owned(),
        other => format!("not YAML: {}", UserMessageFormatter.format_message(other)),
    }
}

/// The number of events before and after the document.
const EVENTS_AROUND: usize = 16;

/// A value from the parser. Numbers get their text from their place after parsing.
enum Raw {
    Nothing,
    Boolean(bool),
    Number { value: f64, whole: Option<u64> },
    Text(String),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// Converts a parsed value to a [`Node`]. The parser limits the depth (64).
fn tree(raw: Spanned<Raw>, source: &str) -> Node {
    let span = raw.defined.span();
    match raw.value {
        Raw::Nothing => Node::Nothing,
        Raw::Boolean(value) => Node::Boolean(value),
        Raw::Number { value, whole } => {
            let written = span
                .byte_offset()
                .zip(span.byte_len())
                .and_then(|(at, length)| {
                    let start = usize::try_from(at).ok()?;
                    source.get(start..start.checked_add(usize::try_from(length).ok()?)?)
                });
            let text = written.map_or_else(|| value.to_string(), str::to_owned);
            Node::Number(Number { value, whole, text })
        }
        Raw::Text(text) => Node::Text(text),
        Raw::List(items) => Node::List(items.into_iter().map(|each| tree(each, source)).collect()),
        Raw::Mapping(entries) => {
            let entry = |(key, value): (Spanned<String>, Spanned<Raw>)| {
                let at = Some(Position {
                    line: key.referenced.line(),
                    column: key.referenced.column(),
                });
                let name = key.value;
                let key = MappingKey {
                    name,
                    at,
                    only_place: None,
                };
                (key, tree(value, source))
            };
            Node::Mapping(entries.into_iter().map(entry).collect())
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        let whole = u64::try_from(value).ok();
        Ok(Raw::Number {
            value: value as f64,
            whole,
        })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number {
            value: value as f64,
            whole: Some(value),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number { value, whole: None })
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: usize = 250_000;

    #[test]
    fn numbers_keep_their_text_also_behind_aliases_and_accents() {
        let mut findings = Findings::default();
        let source =
            "é: &v 1.10\nalias: *v\nmerged: {<<: {octal: 0755}}\nlarge: 99999999999999999999\n";
        let Some(Node::Mapping(entries)) = parse(source, NODES, &mut findings) else {
            panic!("{findings:?}");
        };
        let number = |node: &Node| match node {
            Node::Number(number) => number.text.clone(),
            other => other.kind().to_owned(),
        };
        assert_eq!(number(&entries[0].1), "1.10");
        assert_eq!(number(&entries[1].1), "1.10");
        let Node::Mapping(merged) = &entries[2].1 else {
            panic!("merge keys");
        };
        assert_eq!(number(&merged[0].1), "0755");
        assert_eq!(number(&entries[3].1), "99999999999999999999");
    }

    #[test]
    fn invalid_yaml_is_reported_with_line_and_column() {
        for (source, message) in [
            ("a: [", "line 1, column 4: not YAML: unclosed bracket '['"),
            (
                "a: 1\n---\nb: 2",
                "line 3, column 1: a second YAML document; the file holds one",
            ),
            (
                "a: 1\n~: 2",
                "line 2, column 1: a key is missing before `:`",
            ),
            (
                "a: *b",
                "line 1, column 4: not YAML: reference to unknown value",
            ),
        ] {
            let mut findings = Findings::default();
            assert!(parse(source, NODES, &mut findings).is_none(), "{source:?}");
            let problems: Vec<String> = findings.problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, [message]);
        }
    }

    #[test]
    fn the_number_of_values_is_limited() {
        let source = "[{a: 1}, {b: 2}, {c: 3}]";
        assert!(parse(source, 10, &mut Findings::default()).is_some());
        let mut findings = Findings::default();
        assert!(parse(source, 9, &mut findings).is_none());
        let problem = findings.problems[0].to_string();
        assert!(problem.contains("not YAML: "), "{problem}");
        // Empty lists have the most events per node.
        assert!(parse(&format!("[{}]", "[],".repeat(1000)), 1001, &mut findings).is_some());
    }

    #[test]
    fn an_alias_bomb_is_rejected() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, before) in ["b", "c", "d", "e", "f", "g"]
            .iter()
            .zip(["a", "b", "c", "d", "e", "f"])
        {
            let aliases = [format!("*{before}").as_str(); 10].join(", ");
            bomb.extend([name, ": &", name, " [", &aliases, "]\n"]);
        }
        assert!(parse(&bomb, NODES, &mut Findings::default()).is_none());
    }
}
