//! Reads the environment of the process.

/// The value of an environment variable; `None` if it is not set or not text.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
