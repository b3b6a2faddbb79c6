//! SIGTERM and SIGINT: stop in an orderly way.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// A future that ends with the first SIGTERM or SIGINT. The signals are caught from the call on, not from the first poll.
pub(super) fn stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
