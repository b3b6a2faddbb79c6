//! Parses JSON into a tree of [`Node`]s, within a limit of nodes. A parse error ends the document; all other problems are reported by
//! `walk`.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::node::{MappingKey, Node, Number, Position};
use super::problem::Findings;

/// Parses `source`, which may have up to `nodes` values and keys. If it is no JSON, that is the only reported problem.
pub(crate) fn parse(source: &str, nodes: usize, findings: &mut Findings) -> Option<Node> {
    parse_as(source, nodes, false, findings)
}

/// Like [`parse`], for another party's document: problems contain the index of a key instead of its name.
pub(crate) fn parse_foreign(source: &str, nodes: usize, findings: &mut Findings) -> Option<Node> {
    parse_as(source, nodes, true, findings)
}

fn parse_as(source: &str, nodes: usize, is_foreign: bool, findings: &mut Findings) -> Option<Node> {
    let left = Cell::new(nodes);
    let mut deserializer = serde_json::Deserializer::from_str(source);
    let seed = Seed {
        left: &left,
        is_foreign,
    };
    let read = seed
        .deserialize(&mut deserializer)
        .and_then(|node| deserializer.end().map(|()| node));
    match read {
        Ok(node) => Some(node),
        Err(error) => {
            let at = Position {
                line: error.line() as u64,
                column: error.column() as u64,
            };
            findings.problem(&at.to_string(), format_args!("not JSON: {}", what(&error)));
            None
        }
    }
}

/// The parser's message without the place.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// Builds a [`Node`] within the limit of nodes. The parser limits the depth (128).
#[derive(Clone, Copy)]
struct Seed<'a> {
    left: &'a Cell<usize>,
    is_foreign: bool,
}

impl Seed<'_> {
    fn spend<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left
            .set(left.ok_or_else(|| E::custom("too many values"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(number(
            value as f64,
            u64::try_from(value).ok(),
            value.to_string(),
        ))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(number(value as f64, Some(value), value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(number(value, None, value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut mapping = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            self.spend()?;
            let key = MappingKey {
                name,
                at: None,
                only_place: self.is_foreign.then_some(mapping.len() + 1),
            };
            mapping.push((key, entries.next_value_seed(self)?));
        }
        Ok(Node::Mapping(mapping))
    }
}

/// A JSON number. Only YAML's numbers keep their text.
fn number(value: f64, whole: Option<u64>, text: String) -> Node {
    Node::Number(Number { value, whole, text })
}

#[cfg(test)]
mod tests {
    use super::super::walk::Value;
    use super::*;

    fn problems(source: &str, nodes: usize) -> Vec<String> {
        let mut findings = Findings::default();
        assert!(parse(source, nodes, &mut findings).is_none(), "{source}");
        findings.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn invalid_json_is_reported_with_line_and_column() {
        for (source, message) in [
            ("", "line 1, column 0: not JSON: EOF while parsing a value"),
            (
                "[1,\n",
                "line 2, column 0: not JSON: EOF while parsing a value",
            ),
            ("[]\n x", "line 2, column 2: not JSON: trailing characters"),
            ("a: 1", "line 1, column 1: not JSON: expected value"),
            (
                "{'a': 1}",
                "line 1, column 2: not JSON: key must be a string",
            ),
        ] {
            assert_eq!(problems(source, 100), [message], "{source:?}");
        }
    }

    #[test]
    fn the_depth_and_the_number_of_values_are_limited() {
        let deep = problems(&"[".repeat(10_000), 100_000);
        assert!(deep[0].contains("recursion limit"), "{deep:?}");
        let mut findings = Findings::default();
        assert!(parse("[{\"a\": 1}]", 4, &mut findings).is_some());
        let many = problems("[{\"a\": 1}]", 3);
        assert!(many[0].contains("too many values"), "{many:?}");
    }

    #[test]
    fn repeated_and_unknown_keys_are_reported_without_a_line() {
        let mut findings = Findings::default();
        let node = parse(r#"{"a": 1, "a": 2, "b": 3}"#, 100, &mut findings).unwrap();
        let mut mapping = Value::root(&node).mapping(&mut findings).unwrap();
        assert!(mapping.take("a").is_some());
        mapping.finish(&mut findings);
        let problems: Vec<String> = findings.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            ["a: given twice", "unknown key `b`, did you mean `a`?"]
        );
    }
}
