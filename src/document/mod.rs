//! Documents that people write, YAML or JSON: read into one kind of tree and walked so that every problem in them is told
//! at once, each with its place and its cure.
//!
//! What a document means is for others to say; this knows neither files nor addresses.

pub(crate) mod json;
mod node;
mod problem;
mod suggestion;
pub(crate) mod walk;
pub(crate) mod yaml;

pub(crate) use problem::Findings;
pub use problem::Problem;
