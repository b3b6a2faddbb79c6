//! What the tests share: an exporter and a simulated Twilio, both in this process on a free port, and parsers of their
//! output.

pub(crate) mod client;
pub(crate) mod dashboard;
pub(crate) mod exporter;
pub(crate) mod exposition;
pub(crate) mod history;
pub(crate) mod killable;
pub(crate) mod log;
pub(crate) mod name_server;
pub(crate) mod program;
pub(crate) mod prometheus;
pub(crate) mod promtool;
pub(crate) mod raw;
pub(crate) mod scene;
pub(crate) mod stub_server;
pub(crate) mod twilio;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a test waits for an expected event. It is far longer than needed, so that only a bug reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Calls `probe` until it returns true. Panics with `what` if it does not within [`PATIENCE`].
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut probe: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !probe().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not within {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// All files with this extension in `folder` and the folders in it.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}
