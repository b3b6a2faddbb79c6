//! A socket that accepts connections, and the text of a failure to bind it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::web::connections::Listener;

/// A socket that accepts connections.
pub struct Bound {
    /// Accepts them.
    pub listener: Box<dyn Listener>,
    /// The address that it is bound to.
    pub address: BoundAddress,
}

/// What the exporter listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundAddress {
    /// With the port that the system chose for port 0.
    Tcp(SocketAddr),
    /// The socket's file; `None` if systemd passed a socket without one.
    Unix(Option<PathBuf>),
}

/// The cause if another process listens there.
pub(super) const IN_USE: &str = "another socket has this address";

/// The cause and the cure of a failure to bind.
pub(super) fn problem(error: &io::Error, cure: &str) -> String {
    let known = match error.kind() {
        ErrorKind::AddrInUse => IN_USE,
        ErrorKind::AddrNotAvailable => "this machine does not have this address",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::NotFound => "there is no such directory",
        _ => return format!("{error}. {cure}"),
    };
    format!("{known}. {cure}")
}

impl fmt::Display for BoundAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bound").field(&self.address).finish()
    }
}
