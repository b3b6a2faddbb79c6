//! The section `collectors`: the collector of single emails. It is off unless it is enabled, because it costs requests and memory.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use super::Overrides;
use super::name_servers;
use super::problem::Findings;
use super::providers_file;
use super::walk::{Mapping, Value};
use crate::email::Providers;

/// The most domains with series of their own; each has five.
const DOMAINS: RangeInclusive<usize> = 0..=10_000;
/// The most emails in memory. Each takes 40 bytes at most, so the highest limit is 2 GB for each account.
const EMAILS: RangeInclusive<usize> = 1..=50_000_000;
/// The largest share of an account's requests. Operations need the rest.
const LARGEST_SHARE: f64 = 0.9;

/// The collector of single emails.
#[derive(Debug, Clone, PartialEq)]
pub struct EmailsCollector {
    /// Whether emails are read.
    pub enabled: bool,
    /// The most domains of recipients with series of their own; 0: none.
    pub max_domains: usize,
    /// The same for domains of senders.
    pub max_sender_domains: usize,
    /// The most emails in memory, for each account.
    pub max_emails: usize,
    /// The share of an account's requests that emails may take; above 0, below 1.
    pub request_share: f64,
    /// The table of mailbox providers: the built-in one, or that of `providers_file`. Probes of emails use it too.
    pub providers: Arc<Providers>,
    /// Whether the mail exchangers of domains that the table does not have are looked up.
    pub resolve_mx: bool,
    /// The name servers for these lookups; empty: those of this machine.
    pub name_servers: Vec<SocketAddr>,
}

impl Default for EmailsCollector {
    fn default() -> Self {
        Self {
            enabled: false,
            max_domains: 0,
            max_sender_domains: 20,
            max_emails: 1_000_000,
            request_share: 0.25,
            providers: Arc::new(Providers::built_in()),
            resolve_mx: false,
            name_servers: Vec::new(),
        }
    }
}

impl EmailsCollector {
    /// Reads the section `collectors`; the command line has priority. Relative paths start at `directory`.
    pub(super) fn read(
        value: Option<&Value>,
        overrides: &Overrides,
        directory: &Path,
        findings: &mut Findings,
    ) -> Self {
        let mut read = Self::default();
        if let Some(mut collectors) = value.and_then(|value| value.mapping(findings)) {
            let emails = collectors.take("emails");
            if let Some(mut emails) = emails.and_then(|value| value.mapping(findings)) {
                read.read_keys(&mut emails, directory, findings);
                emails.finish(findings);
            }
            collectors.finish(findings);
        }
        read.enabled = overrides.emails_collector.unwrap_or(read.enabled);
        read
    }

    fn read_keys(&mut self, emails: &mut Mapping, directory: &Path, findings: &mut Findings) {
        for (key, setting) in [
            ("enabled", &mut self.enabled),
            ("resolve_mx", &mut self.resolve_mx),
        ] {
            if let Some(value) = emails.take(key)
                && let Some(is_on) = value.boolean(findings)
            {
                *setting = is_on;
            }
        }
        if let Some(value) = emails.take("name_servers") {
            self.name_servers = name_servers::read(&value, findings);
        }
        for (key, range, limit) in [
            ("max_domains", &DOMAINS, &mut self.max_domains),
            ("max_sender_domains", &DOMAINS, &mut self.max_sender_domains),
            ("max_emails", &EMAILS, &mut self.max_emails),
        ] {
            if let Some(value) = emails.take(key)
                && let Some(number) = value.whole(range, findings)
            {
                *limit = number;
            }
        }
        if let Some(value) = emails.take("request_share")
            && let Some(share) = value.number(findings)
        {
            if share > 0.0 && share <= LARGEST_SHARE {
                self.request_share = share;
            } else {
                let message = format_args!("expected a number above 0, up to {LARGEST_SHARE}");
                findings.problem(&value.place, message);
            }
        }
        if let Some(value) = emails.take("providers_file")
            && let Some(providers) = providers_file::read(&value, directory, findings)
        {
            self.providers = providers;
        }
    }
}
