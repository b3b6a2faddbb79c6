//! SIGTERM and SIGINT: stop in an orderly way. SIGHUP: load the configuration again.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::reload::Reload;

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

/// A future without an end that loads the configuration again with every SIGHUP, where that can be.
pub(super) fn hang_ups(reload: Option<Arc<Reload>>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut hang_up = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    Ok(async move {
        while hang_up.recv().await.is_some() {
            if let Some(reload) = &reload {
                // What becomes of it is told where it is done.
                let _ = reload.reload().await;
            } else {
                tracing::info!("SIGHUP: there is no configuration to load again");
            }
        }
        std::future::pending::<()>().await;
    })
}
