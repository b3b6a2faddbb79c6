//! New emails whose provider is being looked up. They are ingested when it is known, or after [`LONGEST`]: the provider of an email
//! never changes after its first row.
//!
//! Held rows are in memory only. They belong to new emails, whose windows are read again for half an hour, so a `kill -9` loses none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::delivery::Deliveries;
use crate::email::{Email, EmailStatus, ProviderId, Providers};
use crate::mx::MxProviders;
use crate::snapshot::LabelValue;
use crate::timestamp::Timestamp;

/// Older emails are not held: their windows may not be read again.
const NEWEST: Duration = Duration::from_mins(10);
/// The longest time a row is held. A lookup takes at most half of it, but may have to wait for others.
const LONGEST: Duration = Duration::from_secs(30);
/// The most held rows, about 2 MB. Further rows are ingested at once.
const MOST: usize = 10_000;

/// A row that waits for a lookup, and the labels of its operation when it was read.
#[derive(Debug)]
struct HeldRow {
    email: Email,
    labels: Vec<LabelValue>,
    until: Instant,
}

/// The rows that wait for a lookup, in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct HeldRows {
    exchangers: Option<Arc<MxProviders>>,
    providers: Option<Arc<Providers>>,
    rows: Vec<HeldRow>,
}

impl HeldRows {
    /// Uses these lookups from now on, for domains that `providers` does not have.
    pub(super) fn set_exchangers(
        &mut self,
        exchangers: Option<Arc<MxProviders>>,
        providers: Arc<Providers>,
    ) {
        self.exchangers = exchangers;
        self.providers = Some(providers);
    }

    /// Holds a row until the provider of its domain is known. Returns false if the row can be ingested now.
    pub(super) fn hold(
        &mut self,
        row: &Email,
        labels: &[LabelValue],
        emails: &Deliveries,
        now: Timestamp,
        instant: Instant,
    ) -> bool {
        let (Some(exchangers), Some(providers)) = (&self.exchangers, &self.providers) else {
            return false;
        };
        let Some(domain) = &row.recipient else {
            return false;
        };
        let is_held = self.rows.len() < MOST
            && row.status != EmailStatus::Inbound
            && row.id.created() + NEWEST > now
            && providers.of(Some(domain)) == ProviderId::OTHER
            && emails.would_count(row)
            && exchangers.begin_lookup(domain);
        if is_held {
            self.rows.push(HeldRow {
                email: row.clone(),
                labels: labels.to_vec(),
                until: instant + LONGEST,
            });
        }
        is_held
    }

    /// The rows that wait no longer, with the labels of their operations.
    pub(super) fn release(&mut self, instant: Instant) -> Vec<(Email, Vec<LabelValue>)> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let exchangers = self.exchangers.clone();
        let is_released = |row: &mut HeldRow| {
            let is_awaited = exchangers
                .as_ref()
                .zip(row.email.recipient.as_ref())
                .is_some_and(|(exchangers, domain)| exchangers.is_awaited(domain));
            !is_awaited || instant >= row.until
        };
        let released = self.rows.extract_if(.., is_released);
        released.map(|row| (row.email, row.labels)).collect()
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }
}
