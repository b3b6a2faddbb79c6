//! The command line: options as written, on the way to a configuration as meant.

pub mod options;
