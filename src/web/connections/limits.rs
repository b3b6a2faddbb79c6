//! How long connections may be quiet, and how many there may be.

use std::time::Duration;

/// Clients send a request at once after they have connected, in one packet.
const REQUEST: Duration = Duration::from_secs(10);
/// Longer than any usual scrape interval, so that Prometheus keeps its connection.
const IDLE: Duration = Duration::from_mins(5);
/// For some bytes of an answer; a network that delivers none for a minute is gone.
const WRITE: Duration = Duration::from_mins(1);
/// A few Prometheus servers and a few senders use a dozen; memory for this many is 30 MB at most.
const CONNECTIONS: usize = 512;
/// Of the file descriptors at most this part is for connections; the others are for Twilio, the store and files.
const PART_OF_DESCRIPTORS: usize = 2;

/// What connections are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// For a whole head of a request, from the connection or its first byte on.
    pub request: Duration,
    /// Between the end of an answer and the first byte of the next request.
    pub idle: Duration,
    /// For the client to read some of its answer.
    pub write: Duration,
    /// The most connections at once, over all listeners.
    pub connections: usize,
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
        }
    }
}

/// The soft limit of open files in `/proc/self/limits`; `None` where it is unlimited, or on systems without that file.
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
