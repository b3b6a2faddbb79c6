//! Documents in YAML or JSON. They are parsed into one kind of tree, from which the readers take values and report all problems
//! together, each with its place and the cure.
//!
//! The callers define the schema; this module does not know files or URLs.

pub(crate) mod json;
mod node;
mod problem;
mod suggestion;
pub(crate) mod walk;
pub(crate) mod yaml;

pub(crate) use problem::Findings;
pub use problem::Problem;
