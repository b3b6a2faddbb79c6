//! The open connections, and which of them is closed for another one.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::watch::Watch;

/// The shortest time between two log messages about too many connections.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// By number, in the order in which they were accepted.
    connections: BTreeMap<u64, (Watch, AbortHandle)>,
    next: u64,
    /// When a failure was last logged, and the number of failures since.
    pub(super) logged: Option<(Instant, u64)>,
}

impl Open {
    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Adds a connection, served by the task that `spawn` starts with the connection's number.
    pub(super) fn add(&mut self, watch: Watch, spawn: impl FnOnce(u64) -> AbortHandle) {
        let number = self.next;
        self.next += 1;
        self.connections.insert(number, (watch, spawn(number)));
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.connections.remove(&number);
    }

    /// Closes the connection that was idle for longest. Returns false if none is idle.
    pub(super) fn close_idle(&mut self) -> bool {
        let idle = self.connections.iter().filter_map(|(number, (watch, _))| {
            let since = watch.idle_since()?;
            Some((since, *number))
        });
        let oldest = idle.min();
        let closed = oldest.and_then(|(_, number)| self.connections.remove(&number));
        closed.inspect(|(_, task)| task.abort()).is_some()
    }

    /// Calls `log` with the number of failures since the last call, at most once per `LOG_INTERVAL`.
    pub(super) fn log(&mut self, log: impl FnOnce(u64)) {
        let now = Instant::now();
        match &mut self.logged {
            Some((last, times)) if now.duration_since(*last) < LOG_INTERVAL => *times += 1,
            logged => {
                let times = logged.map_or(1, |(_, times)| times + 1);
                *logged = Some((now, 0));
                log(times);
            }
        }
    }
}
