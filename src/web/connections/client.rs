//! The client of a connection: its address and its certificates. Each request carries it as an extension, for authentication and
//! limits.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

/// The client of a request, in the request's extensions.
#[derive(Debug, Clone)]
pub struct ConnectedClient {
    /// Where the client connects from.
    pub address: ClientAddress,
    /// `None` without TLS. Otherwise the certificates that the client presented and the TLS configuration accepted, its own first;
    /// empty if it presented none.
    pub certificates: Option<Arc<[CertificateDer<'static>]>>,
}

/// Where a client connects from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientAddress {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over a unix socket, from this machine.
    Unix,
}

impl ClientAddress {
    /// The address of a TCP connection. An IPv4 client of an IPv6 socket has its IPv4 address.
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Self {
        let ip = address.ip().to_canonical();
        Self::Tcp(SocketAddr::new(ip, address.port()))
    }

    /// The IP address; `None` over a unix socket.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }
}

/// The address whose limits apply: an IPv6 client usually has all addresses of its /64 network.
pub(in crate::web) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_client_of_an_ipv6_socket_has_its_ipv4_address() {
        let mapped = ClientAddress::tcp("[::ffff:192.0.2.1]:5".parse().unwrap());
        assert_eq!(mapped, ClientAddress::Tcp("192.0.2.1:5".parse().unwrap()));
        let ipv6 = ClientAddress::tcp("[2001:db8::1]:5".parse().unwrap());
        assert_eq!(ipv6.ip(), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(ClientAddress::Unix.ip(), None);
    }
}
