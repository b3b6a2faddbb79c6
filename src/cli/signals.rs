//! SIGTERM and SIGINT: stop in an orderly way. SIGHUP: load the configuration again. SIGXFSZ: no end.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::reload::Reload;

/// The number of SIGXFSZ, for which tokio has no name.
#[cfg(all(
    any(target_os = "linux", target_os = "macos", target_os = "freebsd"),
    not(any(target_arch = "mips", target_arch = "mips64"))
))]
const FILE_SIZE_LIMIT: Option<i32> = Some(25);
/// Unknown here.
#[cfg(not(all(
    any(target_os = "linux", target_os = "macos", target_os = "freebsd"),
    not(any(target_arch = "mips", target_arch = "mips64"))
)))]
const FILE_SIZE_LIMIT: Option<i32> = None;

/// Lets a write beyond the limit of a file's size (`ulimit -f`, `LimitFSIZE=`) fail, as on a full disk. Unless somebody
/// listens for the signal, it ends the process without a word.
pub(super) fn survive_file_size_limit() {
    if let Some(number) = FILE_SIZE_LIMIT {
        // The handler stays when the listener is gone. Without one everything but that limit works.
        let _ = signal(SignalKind::from_raw(number));
    }
}

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
