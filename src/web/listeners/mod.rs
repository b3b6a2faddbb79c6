//! Binds what the exporter listens on: addresses of TCP, unix sockets, and sockets that systemd passes. An error names the option, the
//! address, the cause and the cure.

mod bound;
mod passed;
mod tcp;
mod unix;

use futures_util::future::try_join_all;

pub use self::bound::{Bound, BoundAddress};
pub use self::passed::PassedError;
use crate::config::{ListenAddress, Web};

/// Why the exporter cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// It cannot bind an address.
    #[error("cannot listen on {address} (--web.listen-address): {problem}")]
    Address {
        /// As it was given.
        address: ListenAddress,
        /// The cause and the cure.
        problem: String,
    },
    /// It cannot use the sockets of systemd.
    #[error("--web.systemd-socket: {0}")]
    Passed(#[from] PassedError),
}

impl ListenError {
    /// Whether another process listens there, or an address is given twice.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Address { problem, .. } if problem.starts_with(bound::IN_USE))
    }
}

/// Binds all addresses of `web`, or takes the sockets of systemd.
pub async fn bind(web: &Web) -> Result<Vec<Bound>, ListenError> {
    if web.systemd_socket {
        return Ok(passed::take()?);
    }
    let bound = web.listen.iter().map(|address| async move {
        let bound = match address {
            ListenAddress::AllInterfaces(port) => tcp::all_interfaces(*port).await,
            ListenAddress::Socket(socket) => tcp::one(*socket).await,
            ListenAddress::Name { host, port } => tcp::name(host, *port).await,
            ListenAddress::Unix(path) => unix::bind(path).await,
        };
        bound.map_err(|problem| ListenError::Address {
            address: address.clone(),
            problem,
        })
    });
    Ok(try_join_all(bound).await?.into_iter().flatten().collect())
}
