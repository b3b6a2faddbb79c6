//! What the tests share: an exporter and a simulated Twilio, both in this process on a free port, and readers of what they say.

pub(crate) mod answers;
pub(crate) mod client;
pub(crate) mod dashboard;
pub(crate) mod exporter;
pub(crate) mod exposition;
pub(crate) mod program;
pub(crate) mod prometheus;
pub(crate) mod promtool;
pub(crate) mod raw;
pub(crate) mod scene;
pub(crate) mod twilio;

use std::time::Duration;

/// How long a test waits for something that must come; far longer than it takes, so that only a bug reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Asks `probe` again and again until it says yes; panics with `what` when it does not within [`PATIENCE`].
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
