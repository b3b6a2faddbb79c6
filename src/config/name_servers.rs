//! The name servers of `collectors.emails.name_servers`.

use std::net::{IpAddr, SocketAddr};

use super::problem::Findings;
use super::walk::Value;

/// The port of DNS (RFC 1035, section 4.2).
const PORT: u16 = 53;
/// The most name servers: if none responds, a lookup takes longer with each of them.
const MOST: usize = 3;

/// Reads the name servers.
pub(super) fn read(value: &Value<'_>, findings: &mut Findings) -> Vec<SocketAddr> {
    let servers = value.list(findings).unwrap_or_default();
    if servers.len() > MOST {
        let message = format_args!("more than {MOST} name servers; leave out some");
        findings.problem(&value.place, message);
    }
    let mut read = Vec::new();
    for server in servers {
        let Some(text) = server.text(findings) else {
            continue;
        };
        match parse(text) {
            Some(address) => read.push(address),
            None => findings.problem(
                &server.place,
                "expected an IP address, with or without a port; write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53",
            ),
        }
    }
    read
}

fn parse(text: &str) -> Option<SocketAddr> {
    let alone = || Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, PORT));
    let address = text.parse().ok().or_else(alone)?;
    (address.port() != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port() {
        for (text, address) in [
            ("192.0.2.1", Some("192.0.2.1:53")),
            ("192.0.2.1:5353", Some("192.0.2.1:5353")),
            ("2001:db8::1", Some("[2001:db8::1]:53")),
            ("[2001:db8::1]:5353", Some("[2001:db8::1]:5353")),
            ("192.0.2.1:0", None),
            ("ns.example.com", None),
            ("", None),
        ] {
            let address = address.map(|address| address.parse().unwrap());
            assert_eq!(parse(text), address, "{text}");
        }
    }
}
