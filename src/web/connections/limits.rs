//! The limits of connections to the exporter: timeouts, and the number of open connections. The number depends on the limit of open
//! files.

use std::time::Duration;

/// Clients send a request immediately after they connect, usually in one packet.
const REQUEST: Duration = Duration::from_secs(10);
/// Longer than any usual scrape interval, so that Prometheus keeps its connection.
const IDLE: Duration = Duration::from_mins(5);
/// For some bytes of a response. A network that transmits nothing for a minute is down.
const WRITE: Duration = Duration::from_mins(1);
/// A few Prometheus servers and a few senders use a dozen. This number uses at most 30 MB of memory.
const CONNECTIONS: usize = 512;
/// A client (an address or a /64 network of IPv6) has at most 1/`PART_OF_CLIENT` of the connections. Half is more than a reverse proxy or a
/// Prometheus with hundreds of probes uses. A client beyond it loses only its own idle connections.
const PART_OF_CLIENT: usize = 2;
/// Connections use at most 1/`PART_OF_DESCRIPTORS` of the file descriptors; the others are for Twilio, the store and files.
const PART_OF_DESCRIPTORS: usize = 2;

/// The limits of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// For the complete head of a request, from the connection or the first byte on.
    pub request: Duration,
    /// Between the end of a response and the first byte of the next request.
    pub idle: Duration,
    /// For the client to read some bytes of its response.
    pub write: Duration,
    /// The most open connections, over all listeners.
    pub connections: usize,
    /// The most open connections of one IPv4 address or one IPv6 network (/64). Unix sockets have no such limit.
    pub of_client: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        let connections = std::fs::read_to_string("/proc/self/limits")
            .ok()
            .and_then(|limits| descriptors(&limits))
            .map_or(CONNECTIONS, |most| {
                (most / PART_OF_DESCRIPTORS).clamp(1, CONNECTIONS)
            });
        Self {
            request: REQUEST,
            idle: IDLE,
            write: WRITE,
            connections,
            of_client: (connections / PART_OF_CLIENT).max(1),
        }
    }
}

/// The soft limit of open files in `/proc/self/limits`; `None` if it is unlimited.
fn descriptors(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_is_found() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max cpu time              unlimited            unlimited            seconds   \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(descriptors(limits), Some(1024));
        assert_eq!(descriptors(&limits.replace("1024 ", "unlimited ")), None);
        assert_eq!(descriptors(""), None);
        let most = ConnectionLimits::default().connections;
        assert!((1..=CONNECTIONS).contains(&most), "{most}");
    }
}
