//! What all checks share: what to check, and how long to wait for a disk.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::exposition::Instruments;

/// The longest time for one call to the file system. A local disk needs milliseconds; only a hanging mount takes longer.
pub(super) const DISK_LIMIT: Duration = Duration::from_secs(5);

/// What to check, and with what.
#[derive(Debug)]
pub struct Settings<'a> {
    /// Only what needs no network.
    pub offline: bool,
    /// The configuration file; `None`: the environment.
    pub config_file: Option<PathBuf>,
    /// The time of day.
    pub clock: Clock,
    /// Counts the requests, because the client needs it; nothing reads the counts.
    pub instruments: &'a Instruments,
}

/// The result of `work`, which waits for a disk, on another thread; `None` if it takes longer than [`DISK_LIMIT`].
pub(super) fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Option<T>> {
    let work = spawn_blocking(work);
    async move { timeout(DISK_LIMIT, work).await.ok()?.ok() }
}
