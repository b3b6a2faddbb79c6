//! A document as a tree that still knows where each key stands and how each number was written.

use std::fmt;

/// A place in the text, both counted from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A value. No `Debug`: somebody may have written a secret into the file.
pub(crate) enum Node {
    Nothing,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file, keys that stand twice included.
    Mapping(Vec<(MappingKey, Node)>),
}

pub(crate) struct Number {
    pub(crate) value: f64,
    /// Where it is a whole number that is not negative.
    pub(crate) whole: Option<u64>,
    /// As written: `1.10` is not `1.1` when it becomes a label.
    pub(crate) text: String,
}

pub(crate) struct MappingKey {
    pub(crate) name: String,
    /// Where the format tells.
    pub(crate) at: Option<Position>,
    /// Its place in the mapping, from 1 on, if that is all that problems may say of it: the document is somebody else's, and
    /// its keys may be secrets, names or addresses.
    pub(crate) only_place: Option<usize>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Node {
    /// What it is, as a problem names it.
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
