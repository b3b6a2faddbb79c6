//! Signals: SIGTERM and SIGINT start a graceful shutdown, and SIGHUP reloads the configuration. SIGXFSZ would end the process at a
//! limit of file sizes; it is ignored, so that the write fails instead.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::reload::Reload;
use crate::systemd;
use crate::watch::StopSignal;
use crate::web::CurrentWebConfig;

/// The number of SIGXFSZ; tokio has no constant for it.
#[cfg(all(
    any(target_os = "linux", target_os = "macos", target_os = "freebsd"),
    not(any(target_arch = "mips", target_arch = "mips64"))
))]
const FILE_SIZE_LIMIT: Option<i32> = Some(25);
/// This system's number is not known.
#[cfg(not(all(
    any(target_os = "linux", target_os = "macos", target_os = "freebsd"),
    not(any(target_arch = "mips", target_arch = "mips64"))
)))]
const FILE_SIZE_LIMIT: Option<i32> = None;

/// Makes a write beyond the file size limit (`ulimit -f`, `LimitFSIZE=`) fail as on a full disk. Without a handler, SIGXFSZ ends the
/// process without a message.
pub(super) fn survive_file_size_limit() {
    if let Some(number) = FILE_SIZE_LIMIT {
        // The handler stays installed after the drop. If it cannot be installed, only this limit is not handled.
        let _ = signal(SignalKind::from_raw(number));
    }
}

/// A future that resolves at the first SIGTERM or SIGINT. The handlers are installed by the call, not by the first poll.
pub(super) fn stop() -> anyhow::Result<impl Future<Output = ()>> {
    let signal = stop_signal()?;
    Ok(async move {
        signal.await;
    })
}

/// Like [`stop`], with the signal.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = StopSignal>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => StopSignal::Terminate,
            _ = interrupt.recv() => StopSignal::Interrupt,
        }
    })
}

/// A future that never resolves and reloads the configuration and the web configuration at every SIGHUP.
pub(super) fn hang_ups(
    reload: Option<Arc<Reload>>,
    web_config: Option<Arc<CurrentWebConfig>>,
) -> anyhow::Result<impl Future<Output = ()>> {
    let mut hang_up = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    Ok(async move {
        while hang_up.recv().await.is_some() {
            if reload.is_none() && web_config.is_none() {
                tracing::info!("received SIGHUP, but there is no configuration file to reload");
                continue;
            }
            systemd::reloading();
            // Both log their results. If one fails, the exporter is ready as before.
            if let Some(web_config) = &web_config {
                let _ = web_config.reload().await;
            }
            if let Some(reload) = &reload {
                let _ = reload.reload().await;
            }
            systemd::ready();
        }
        std::future::pending::<()>().await;
    })
}
