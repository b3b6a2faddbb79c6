//! TCP: one address, all addresses of a name, or all interfaces. Port 0 chooses one free port for all addresses of a name.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, lookup_host};

use super::bound::{Bound, BoundAddress, problem};

/// Ports below this one need a capability.
const FIRST_UNPRIVILEGED_PORT: u16 = 1024;

/// `[::]`, which includes IPv4; without IPv6, all interfaces of IPv4.
pub(super) async fn all_interfaces(port: u16) -> Result<Vec<Bound>, String> {
    let every = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match TcpListener::bind(every).await {
        Err(error) if error.kind() != ErrorKind::AddrInUse => {
            one(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await
        }
        Err(error) => Err(described(&error, port)),
        Ok(listener) => Ok(vec![
            bound(listener).map_err(|error| described(&error, port))?,
        ]),
    }
}

/// One address.
pub(super) async fn one(address: SocketAddr) -> Result<Vec<Bound>, String> {
    let listener = TcpListener::bind(address).await.and_then(bound);
    let listener = listener.map_err(|error| described(&error, address.port()))?;
    Ok(vec![listener])
}

/// All addresses of a name that this machine has. For port 0, all have the same port.
pub(super) async fn name(host: &str, port: u16) -> Result<Vec<Bound>, String> {
    let found = lookup_host((host, port)).await;
    let found: BTreeSet<SocketAddr> = found
        .map_err(|_| "the name has no address. Check the name, or give an IP address.".to_owned())?
        .collect();
    let mut all = Vec::new();
    let mut chosen = port;
    let mut absent = None;
    for mut address in found {
        address.set_port(chosen);
        match TcpListener::bind(address).await.and_then(bound) {
            Ok(listener) => {
                if let BoundAddress::Tcp(address) = listener.address {
                    chosen = address.port();
                }
                all.push(listener);
            }
            // `localhost` has an IPv6 address even where IPv6 is off.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => absent = Some(error),
            Err(error) => return Err(described(&error, port)),
        }
    }
    match absent {
        Some(error) if all.is_empty() => Err(described(&error, port)),
        _ => Ok(all),
    }
}

fn bound(listener: TcpListener) -> io::Result<Bound> {
    Ok(Bound {
        address: BoundAddress::Tcp(listener.local_addr()?),
        listener: Box::new(listener),
    })
}

fn described(error: &io::Error, port: u16) -> String {
    let cure = match error.kind() {
        ErrorKind::AddrInUse => {
            "Stop the other process (`ss -ltnp` shows it), or choose another port."
        }
        ErrorKind::PermissionDenied if port < FIRST_UNPRIVILEGED_PORT => {
            "Choose a port from 1024 on, or give the process CAP_NET_BIND_SERVICE."
        }
        _ => "Give an address of this machine (`ip address` shows them), or `:10202` for all.",
    };
    problem(error, cure)
}
