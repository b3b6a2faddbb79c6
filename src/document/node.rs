//! The tree of a document. It keeps the position of each key and the text of each number.

use std::fmt;

/// A position in the text; both numbers start at 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A value. It has no `Debug`, because the file may contain a secret.
pub(crate) enum Node {
    Nothing,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file, including repeated keys.
    Mapping(Vec<(MappingKey, Node)>),
}

pub(crate) struct Number {
    pub(crate) value: f64,
    /// The value if it is a whole number and not negative.
    pub(crate) whole: Option<u64>,
    /// The text as written: as a label, `1.10` differs from `1.1`.
    pub(crate) text: String,
}

pub(crate) struct MappingKey {
    pub(crate) name: String,
    /// The position in the text, if the format has it.
    pub(crate) at: Option<Position>,
    /// Its index in the mapping from 1, if problems must not contain its name: keys of another party's document may be secrets, names
    /// or addresses.
    pub(crate) only_place: Option<usize>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Node {
    /// The name of its type in problems.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}
