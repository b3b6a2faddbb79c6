//! Requests the mail exchangers of a domain from name servers (RFC 5321, section 5.1). The servers are
//! those of the configuration, else those of the system.

use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData};

use crate::email::Domain;

/// Another cache keeps the results, with limits of its own.
const NO_CACHE: u64 = 0;

/// No lookup is possible.
#[derive(Debug, thiserror::Error)]
#[error(
    "collectors.emails.resolve_mx: cannot read which name servers this machine uses. Check /etc/resolv.conf, or set collectors.emails.name_servers"
)]
pub struct NameServerError(#[source] NetError);

/// The result of a lookup.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// The mail exchangers, the preferred ones first; none if the domain has none or does not exist.
    Exchangers(Vec<Domain>),
    /// No name server responded, or all responded with an error.
    Failed,
}

/// The name servers of this machine, or those that the user configured.
pub(super) struct NameServers {
    resolver: TokioResolver,
}

impl NameServers {
    pub(super) fn new(servers: &[SocketAddr]) -> Result<Self, NameServerError> {
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(NameServerError)?
        } else {
            let servers = servers.iter().map(|server| {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                let connections = connections.into_iter().map(|mut connection| {
                    connection.port = server.port();
                    connection
                });
                NameServerConfig::new(server.ip(), true, connections.collect())
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.cache_size = NO_CACHE;
        options.use_hosts_file = ResolveHosts::Never;
        let resolver = builder.build().map_err(NameServerError)?;
        Ok(Self { resolver })
    }

    /// Looks up the mail exchangers of a domain.
    pub(super) async fn exchangers(&self, domain: &Domain) -> Lookup {
        let Ok(mut name) = Name::from_ascii(domain.as_str()) else {
            return Lookup::Failed;
        };
        // Without this, the domain would also be tried as part of this machine's own network.
        name.set_fqdn(true);
        let lookup = match self.resolver.mx_lookup(name).await {
            Ok(lookup) => lookup,
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => {
                return Lookup::Exchangers(Vec::new());
            }
            Err(_) => return Lookup::Failed,
        };
        let mut exchangers: Vec<_> = lookup
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
                _ => None,
            })
            .collect();
        exchangers.sort_unstable();
        // A domain that accepts no mail has the root as its mail exchanger (RFC 7505).
        let hosts = exchangers
            .iter()
            .filter_map(|(_, host)| Domain::parse(host));
        Lookup::Exchangers(hosts.collect())
    }
}
