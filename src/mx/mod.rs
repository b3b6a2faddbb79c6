//! Finds the mailbox provider of a domain that the table of providers does not have, by its mail exchangers (MX records).
//!
//! No call waits for a name server: a domain that was not looked up yet belongs to no provider, and is looked up in the background.
//! Name servers get the domains, so lookups are off unless the user turns them on. No domain is logged.

mod cache;
mod name_servers;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use self::cache::{Begin, Cache, Known};
use self::name_servers::{Lookup, NameServers};
use crate::clock::Clock;
use crate::email::{Domain, ProviderId, Providers};
use crate::exposition::{MxInstruments, MxResult};

pub use self::name_servers::NameServerError;

/// The most lookups at a time: a name server of a home network handles more.
const AT_ONCE: usize = 8;
/// The longest lookup: two attempts of five seconds, and one over TCP if the response is long.
const LONGEST: Duration = Duration::from_secs(15);

/// The providers of domains by their mail exchangers, as far as they were looked up.
pub struct MxProviders {
    lookups: Arc<Lookups>,
    running: Mutex<JoinSet<()>>,
}

struct Lookups {
    providers: Arc<Providers>,
    name_servers: NameServers,
    cache: Mutex<Cache>,
    permits: Semaphore,
    /// Notified after each lookup.
    finished: Notify,
    instruments: MxInstruments,
    clock: Clock,
}

impl MxProviders {
    /// Nothing is looked up yet. `servers` are the name servers, by address and port; without any, those of this machine are used.
    ///
    /// # Errors
    /// When this machine's name servers are not known.
    pub fn new(
        servers: &[std::net::SocketAddr],
        providers: Arc<Providers>,
        instruments: MxInstruments,
        clock: Clock,
    ) -> Result<Self, NameServerError> {
        Ok(Self {
            lookups: Arc::new(Lookups {
                providers,
                name_servers: NameServers::new(servers)?,
                cache: Mutex::default(),
                permits: Semaphore::new(AT_ONCE),
                finished: Notify::new(),
                instruments,
                clock,
            }),
            running: Mutex::default(),
        })
    }

    /// The name of a domain's provider: [`Providers::OTHER`] as long as it is not known; then a lookup begins in the background. Call it
    /// in a tokio runtime.
    pub fn name_of(&self, domain: &Domain) -> &str {
        self.lookups.providers.name(self.provider_of(domain))
    }

    /// A domain's provider: [`ProviderId::OTHER`] as long as it is not known; then a lookup begins in the background. Call it in a tokio
    /// runtime.
    pub fn provider_of(&self, domain: &Domain) -> ProviderId {
        self.get(domain).provider
    }

    /// Looks these domains up and waits until the first lookup of each has finished, at the latest until `deadline`.
    pub async fn look_up_until(&self, domains: &[&Domain], deadline: Instant) {
        for domain in domains {
            let finished = async {
                loop {
                    let next = self.lookups.finished.notified();
                    if !self.begin_lookup(domain) {
                        return;
                    }
                    next.await;
                }
            };
            if timeout_at(deadline, finished).await.is_err() {
                return;
            }
        }
    }

    /// Whether the provider of a domain will be known soon: its first lookup waits or runs. It begins if need be.
    pub fn begin_lookup(&self, domain: &Domain) -> bool {
        self.get(domain).is_awaited
    }

    /// Whether the first lookup of a domain waits or runs.
    #[must_use]
    pub fn is_awaited(&self, domain: &Domain) -> bool {
        self.lookups.cache.lock().is_awaited(domain)
    }

    fn get(&self, domain: &Domain) -> Known {
        let now = self.lookups.clock.instant();
        let (known, begin) = self.lookups.cache.lock().get(domain, now);
        match begin {
            Begin::Nothing => {}
            Begin::Lookup => self.begin(domain.clone()),
            Begin::TooMany => self.lookups.instruments.count(MxResult::Skipped),
        }
        known
    }

    fn begin(&self, domain: Domain) {
        let lookups = Arc::clone(&self.lookups);
        let mut running = self.running.lock();
        // Those that have finished need no room any more.
        while running.try_join_next().is_some() {}
        running.spawn(async move { lookups.look_up(&domain).await });
    }
}

impl Lookups {
    async fn look_up(&self, domain: &Domain) {
        // It is never closed.
        let _permit = self.permits.acquire().await;
        let lookup = tokio::time::timeout(LONGEST, self.name_servers.exchangers(domain)).await;
        let found = match lookup.unwrap_or(Lookup::Failed) {
            Lookup::Exchangers(hosts) => {
                let mut known = hosts
                    .iter()
                    .filter_map(|host| self.providers.of_exchanger(host));
                Some(known.next())
            }
            Lookup::Failed => None,
        };
        self.instruments.count(match found {
            Some(Some(_)) => MxResult::Found,
            Some(None) => MxResult::Unknown,
            None => MxResult::Failed,
        });
        let found = found.map(|provider| provider.unwrap_or(ProviderId::OTHER));
        let now = self.clock.instant();
        self.cache.lock().finish(domain, found, now);
        self.finished.notify_waiters();
    }
}

impl fmt::Debug for MxProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MxProviders").finish_non_exhaustive()
    }
}
