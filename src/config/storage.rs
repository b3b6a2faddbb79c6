//! The section `storage`: the place of the saved state.

use std::path::PathBuf;

use super::Overrides;
use super::problem::Findings;
use super::walk::Value;

/// The default directory.
pub const DEFAULT_PATH: &str = "data";

/// The place of the saved state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// The directory; `None`: memory only.
    pub path: Option<PathBuf>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            path: Some(PathBuf::from(DEFAULT_PATH)),
        }
    }
}

impl Storage {
    /// Reads the section `storage`; the command line has priority.
    pub(super) fn read(
        value: Option<&Value>,
        overrides: &Overrides,
        findings: &mut Findings,
    ) -> Self {
        let mut path = overrides.storage_path.clone();
        if let Some(mut mapping) = value.and_then(|value| value.mapping(findings)) {
            if let Some(value) = mapping.take("path")
                && let Some(text) = value.text(findings)
                && path.is_none()
            {
                path = Some(PathBuf::from(text));
            }
            mapping.finish(findings);
        }
        let Some(path) = path else {
            return Self::default();
        };
        if path.as_os_str().is_empty() {
            return Self { path: None };
        }
        Self { path: Some(path) }
    }
}
