//! The open connections, and the choice of the one that is closed for another one. It never closes a connection whose request waits
//! for its response.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::phase::Watch;

/// The shortest time between two log messages about too many connections.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// By number, in the order in which they were accepted.
    connections: BTreeMap<u64, Connection>,
    next: u64,
    /// When a failure was last logged, and the number of failures since.
    pub(super) logged: Option<(Instant, u64)>,
}

#[derive(Debug)]
struct Connection {
    watch: Watch,
    task: AbortHandle,
    /// For TCP: the address, or the network of an IPv6 client.
    ip: Option<IpAddr>,
}

impl Open {
    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// The number of connections of an IP address.
    pub(super) fn of_client(&self, ip: IpAddr) -> usize {
        let all = self.connections.values();
        all.filter(|connection| connection.ip == Some(ip)).count()
    }

    /// Adds a connection, served by the task that `spawn` starts with the connection's number.
    pub(super) fn add(
        &mut self,
        watch: Watch,
        ip: Option<IpAddr>,
        spawn: impl FnOnce(u64) -> AbortHandle,
    ) {
        let number = self.next;
        self.next += 1;
        let task = spawn(number);
        let connection = Connection { watch, task, ip };
        self.connections.insert(number, connection);
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.connections.remove(&number);
    }

    /// Closes the connection that was idle for longest. Returns false if none is idle.
    pub(super) fn close_idle(&mut self) -> bool {
        self.close_oldest(|connection| connection.watch.idle_since())
    }

    /// The same among the connections of one IP address.
    pub(super) fn close_idle_of(&mut self, ip: IpAddr) -> bool {
        self.close_oldest(|connection| {
            let same = connection.ip == Some(ip);
            same.then(|| connection.watch.idle_since()).flatten()
        })
    }

    /// Closes the connection whose client has not read its response for longest. Returns false if all read.
    pub(super) fn close_unread(&mut self) -> bool {
        self.close_oldest(|connection| connection.watch.unread_since())
    }

    fn close_oldest(&mut self, since: impl Fn(&Connection) -> Option<Instant>) -> bool {
        let candidates = self.connections.iter();
        let oldest = candidates
            .filter_map(|(number, connection)| Some((since(connection)?, *number)))
            .min();
        let closed = oldest.and_then(|(_, number)| self.connections.remove(&number));
        closed.inspect(|closed| closed.task.abort()).is_some()
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
