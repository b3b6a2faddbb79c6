//! Sockets that systemd passes to the process (`sd_listen_fds(3)`). systemd opens them before the exporter starts, so a restart refuses
//! no connection.

use std::io;

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use super::bound::{Bound, BoundAddress};

/// The number of the first descriptor that systemd passes (`SD_LISTEN_FDS_START`).
const FIRST_DESCRIPTOR: usize = 3;

/// Why the sockets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PassedError {
    /// The process was started in another way.
    #[error(
        "systemd passed no socket. Start the exporter by a socket unit (`systemctl start twilio-email-exporter.socket`), or use --web.listen-address"
    )]
    None,
    /// A datagram socket, a pipe or a file.
    #[error(
        "file descriptor {0} of systemd is not a stream socket. Use ListenStream= in the socket unit, and nothing else"
    )]
    NoStream(usize),
    /// Of the operating system.
    #[error("a socket of systemd cannot be used: {0}")]
    System(#[from] io::Error),
}

/// Takes all sockets of systemd. Works once.
pub(super) fn take() -> Result<Vec<Bound>, PassedError> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() == 0 {
        return Err(PassedError::None);
    }
    (0..sockets.len())
        .map(|index| one(&mut sockets, index))
        .collect()
}

fn one(sockets: &mut ListenFd, index: usize) -> Result<Bound, PassedError> {
    if let Ok(Some(listener)) = sockets.take_tcp_listener(index) {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        return Ok(Bound {
            address: BoundAddress::Tcp(listener.local_addr()?),
            listener: Box::new(listener),
        });
    }
    let Ok(Some(listener)) = sockets.take_unix_listener(index) else {
        return Err(PassedError::NoStream(index + FIRST_DESCRIPTOR));
    };
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let path = listener.local_addr()?.as_pathname().map(Into::into);
    Ok(Bound {
        address: BoundAddress::Unix(path),
        listener: Box::new(listener),
    })
}
