//! The counters and gauges of an account's emails, as they are exposed.

use std::collections::BTreeMap;

use crate::email::EmailStatus;

use super::counts::{Counts, Outcomes, ProviderCounts};
use super::names::NameTable;

/// The emails of each status, by [`EmailStatus`].
type Statuses = [u64; EmailStatus::ALL.len()];

/// The counters and gauges of an account's emails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShownEmails {
    /// The counters by provider. Every provider that ever had an email is there, and `other`.
    pub providers: BTreeMap<Box<str>, ProviderCounts>,
    /// The emails of the last seven days by provider and status, without inbound ones.
    pub statuses: BTreeMap<Box<str>, [u64; EmailStatus::ALL.len()]>,
    /// The outcomes by recipient's domain; `other` alone if domains are not counted.
    pub recipient_domains: BTreeMap<Box<str>, Outcomes>,
    /// The outcomes by sender's domain.
    pub sender_domains: BTreeMap<Box<str>, Outcomes>,
    /// Emails that Twilio received.
    pub inbound: u64,
}

impl ShownEmails {
    pub(super) fn new(
        providers: &NameTable<ProviderCounts>,
        statuses: &StatusCounts,
        [recipients, senders]: [&NameTable<Outcomes>; 2],
        inbound: u64,
    ) -> Self {
        let by_number = |(number, (name, _)): (usize, (&str, _))| {
            let counts = statuses.by_provider.get(number).copied();
            (!name.is_empty()).then(|| (Box::from(name), counts.unwrap_or_default()))
        };
        Self {
            providers: named(providers),
            statuses: providers.all().enumerate().filter_map(by_number).collect(),
            recipient_domains: named(recipients),
            sender_domains: named(senders),
            inbound,
        }
    }
}

/// A number without a name is one that a damaged file lacks.
fn named<C: Counts>(names: &NameTable<C>) -> BTreeMap<Box<str>, C> {
    let named = names.all().filter(|(name, _)| !name.is_empty());
    named
        .map(|(name, counts)| (Box::from(name), counts.clone()))
        .collect()
}

/// The known emails by the provider's number and status.
#[derive(Debug, Default)]
pub(super) struct StatusCounts {
    by_provider: Vec<Statuses>,
}

impl StatusCounts {
    pub(super) fn add(&mut self, provider: u8, status: EmailStatus) {
        if let Some(count) = self.at(provider, status) {
            *count += 1;
        }
    }

    pub(super) fn remove(&mut self, provider: u8, status: EmailStatus) {
        if let Some(count) = self.at(provider, status) {
            *count = count.saturating_sub(1);
        }
    }

    /// `None` for inbound emails, which have no provider.
    fn at(&mut self, provider: u8, status: EmailStatus) -> Option<&mut u64> {
        let number = usize::from(provider);
        if self.by_provider.len() <= number {
            self.by_provider.resize(number + 1, Statuses::default());
        }
        let counts = &mut self.by_provider[number];
        (status != EmailStatus::Inbound).then(|| &mut counts[status as usize])
    }
}
