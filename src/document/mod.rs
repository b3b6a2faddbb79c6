//! Documents in YAML or JSON: parsed into one kind of tree, and walked so that all problems are reported together, each with its place
//! and what to do.
//!
//! The callers define the schema; this module knows neither files nor URLs.

pub(crate) mod json;
mod node;
mod problem;
mod suggestion;
pub(crate) mod walk;
pub(crate) mod yaml;

pub(crate) use problem::Findings;
pub use problem::Problem;
