//! What one scrape exposes of an account's emails. It is absent while emails are not collected, or nothing of them is saved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::email::{EmailStatus, Outcomes, ProviderCounts};
use crate::timestamp::Timestamp;

/// The emails of an account at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmailsSnapshot {
    /// The counters as far as they are saved; `None` before the first save.
    pub counters: Option<Arc<EmailCounters>>,
    /// Rows that were left out because there was no room, since the start.
    pub left_out: u64,
    /// Rows of other operations than the requested one, since the start.
    pub foreign_rows: u64,
    /// The share of the last seven days of which emails were read; `None` while the emails of each operation are read on their own.
    pub coverage: Option<f64>,
}

// The coverage is never NaN.
impl Eq for EmailsSnapshot {}

/// The counters and gauges of an account's emails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmailCounters {
    /// When the counters were 0 and began to count, by Twilio's clock.
    pub since: Option<Timestamp>,
    /// The counters by provider. Every provider that ever had an email is there, and `other`.
    pub providers: BTreeMap<Box<str>, ProviderCounts>,
    /// The emails of the last seven days by provider and status, without inbound ones.
    pub statuses: BTreeMap<Box<str>, [u64; EmailStatus::ALL.len()]>,
    /// The outcomes by recipient's domain; `None` if domains are not counted.
    pub recipient_domains: Option<BTreeMap<Box<str>, Outcomes>>,
    /// The outcomes by sender's domain.
    pub sender_domains: BTreeMap<Box<str>, Outcomes>,
    /// Emails that Twilio received.
    pub inbound: u64,
    /// The names whose counters are exposed as 0.
    pub held: HeldNames,
}

/// Names that are new: Prometheus has not seen their counters at 0 yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldNames {
    /// Providers.
    pub providers: BTreeSet<Box<str>>,
    /// Domains of recipients.
    pub recipient_domains: BTreeSet<Box<str>>,
    /// Domains of senders.
    pub sender_domains: BTreeSet<Box<str>>,
}

impl EmailCounters {
    /// The counters as they are exposed: those of new names are 0.
    #[must_use]
    pub fn exposed(self: &Arc<Self>) -> Arc<Self> {
        let held = &self.held;
        if *held == HeldNames::default() {
            return Arc::clone(self);
        }
        let mut exposed = Self::clone(self);
        reset(&mut exposed.providers, &held.providers);
        reset(&mut exposed.sender_domains, &held.sender_domains);
        if let Some(domains) = &mut exposed.recipient_domains {
            reset(domains, &held.recipient_domains);
        }
        Arc::new(exposed)
    }
}

fn reset<C: Default>(counters: &mut BTreeMap<Box<str>, C>, held: &BTreeSet<Box<str>>) {
    for name in held {
        if let Some(counts) = counters.get_mut(name) {
            *counts = C::default();
        }
    }
}
