//! The lookups of mail exchangers, shared by all accounts, so that each domain is looked up once.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::config::EmailsCollector;
use crate::email::Providers;
use crate::exposition::Instruments;
use crate::mx::{MxProviders, NameServerError};

/// The lookups of the current configuration.
#[derive(Debug, Default)]
pub(super) struct CurrentExchangers {
    current: Mutex<Option<Exchangers>>,
}

#[derive(Debug)]
struct Exchangers {
    name_servers: Vec<SocketAddr>,
    providers: Arc<Providers>,
    lookups: Arc<MxProviders>,
}

impl CurrentExchangers {
    /// The lookups of this configuration, or `None` if it has none. A reload that does not change their settings keeps their results.
    pub(super) fn of(
        &self,
        emails: &EmailsCollector,
        instruments: &Instruments,
        clock: &Clock,
    ) -> Result<Option<Arc<MxProviders>>, NameServerError> {
        let mut current = self.current.lock();
        if !emails.enabled || !emails.resolve_mx {
            *current = None;
            return Ok(None);
        }
        let same = current.as_ref().filter(|known| {
            known.name_servers == emails.name_servers && known.providers == emails.providers
        });
        if let Some(known) = same {
            return Ok(Some(Arc::clone(&known.lookups)));
        }
        let instruments = instruments.mx();
        instruments.start();
        let (servers, providers) = (&emails.name_servers, Arc::clone(&emails.providers));
        let lookups = MxProviders::new(servers, providers, instruments, clock.clone())?;
        let lookups = Arc::new(lookups);
        *current = Some(Exchangers {
            name_servers: emails.name_servers.clone(),
            providers: Arc::clone(&emails.providers),
            lookups: Arc::clone(&lookups),
        });
        Ok(Some(lookups))
    }
}
