//! The mailbox provider of a domain, and of a mail exchanger. A domain that is not in the table belongs to `other`.

use std::collections::HashMap;

use super::domain::Domain;

/// The most providers: each has about thirty series per account.
pub(super) const MOST_PROVIDERS: usize = 200;

/// A provider of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ProviderId(u8);

impl ProviderId {
    /// The provider of every domain that is not in the table.
    pub const OTHER: Self = Self(0);

    /// Its place in [`Providers::names`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The provider at this place.
    #[must_use]
    pub const fn from_index(index: u8) -> Self {
        Self(index)
    }
}

/// The providers and their domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Providers {
    /// The first one is `other`.
    names: Vec<Box<str>>,
    pub(super) by_domain: HashMap<Domain, ProviderId>,
    /// By the name of a mail exchanger, or of a domain above it.
    pub(super) by_exchanger: HashMap<Domain, ProviderId>,
}

impl Default for Providers {
    /// A table without providers.
    fn default() -> Self {
        Self {
            names: vec![Box::from(Self::OTHER)],
            by_domain: HashMap::new(),
            by_exchanger: HashMap::new(),
        }
    }
}

impl Providers {
    /// The name of the provider of every domain that is not in the table.
    pub const OTHER: &str = "other";

    /// The provider of a domain.
    #[must_use]
    pub fn of(&self, domain: Option<&Domain>) -> ProviderId {
        let found = domain.and_then(|domain| self.by_domain.get(domain));
        found.copied().unwrap_or(ProviderId::OTHER)
    }

    /// The provider that a mail exchanger belongs to: the one that has the longest part of its name.
    #[must_use]
    pub fn of_exchanger(&self, host: &Domain) -> Option<ProviderId> {
        let mut rest = host.as_str();
        loop {
            if let Some(provider) = self.by_exchanger.get(rest) {
                return Some(*provider);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The names by [`ProviderId::index`], [`Self::OTHER`] first.
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The name of a provider.
    #[must_use]
    pub fn name(&self, provider: ProviderId) -> &str {
        self.names
            .get(provider.index())
            .map_or(Self::OTHER, |name| name)
    }

    /// The provider with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<ProviderId> {
        let at = self.names.iter().position(|known| **known == *name)?;
        u8::try_from(at).ok().map(ProviderId)
    }

    /// The provider with this name, added if it is new; `None` if there are too many.
    pub(super) fn add(&mut self, name: &str) -> Option<ProviderId> {
        if let Some(known) = self.named(name) {
            return Some(known);
        }
        if self.names.len() > MOST_PROVIDERS {
            return None;
        }
        let id = ProviderId(u8::try_from(self.names.len()).ok()?);
        self.names.push(Box::from(name));
        Some(id)
    }
}
