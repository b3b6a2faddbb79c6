//! Follows operations until they have settled, for a person at a terminal or for a script: `watch`.
//!
//! It polls the operations with the exporter's own client, which keeps the account's limits, pauses and backoffs. [`follow`]
//! decides when to read and when to end. A [`Report`] shows what happened: [`Lines`], [`JsonLines`] or a [`Terminal`]. Nothing is
//! saved.

mod block;
mod followed;
mod json_lines;
mod lines;
mod pace;
mod read_failure;
mod report;
mod run;
mod schedule;
mod screen;
mod settings;
mod terminal;
mod words;

pub use followed::{Done, Followed};
pub use json_lines::JsonLines;
pub use lines::Lines;
pub use report::{Ending, Report, Scene, StopSignal};
pub use run::follow;
pub use settings::{Goal, LostShare, LostShareError, Settings};
pub use terminal::Terminal;
