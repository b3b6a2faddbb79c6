//! The emails of one operation, from one read of their list. They are counted for a probe and not added to the counters.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::email::{DeliveryTimes, Email, EmailId, EmailStatus, ProviderId, Providers};
use crate::timestamp::Timestamp;

use super::counts::delivery_time;

/// The emails of each status, by [`EmailStatus`].
pub type EmailsByStatus = [u64; EmailStatus::ALL.len()];

/// The emails of one operation.
#[derive(Debug, Clone, Default)]
pub struct OperationEmails {
    emails: HashMap<EmailId, (EmailStatus, ProviderId, Option<Duration>)>,
    scheduled: Option<Timestamp>,
}

/// The emails of one operation at one provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderEmails {
    /// Their number by status.
    pub statuses: EmailsByStatus,
    /// The delivery times of those that are delivered and not opened yet.
    pub times: DeliveryTimes,
    /// Emails that reached a mailbox, whose delivery times are not known.
    pub unobserved: u64,
}

impl OperationEmails {
    /// Adds an email to a recipient of this provider. One that is on two pages, because rows moved between them, counts once, with its
    /// later status.
    pub fn add(&mut self, email: &Email, provider: ProviderId) {
        self.scheduled = match (self.scheduled, email.scheduled) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let read = (email.status, provider, delivery_time(email));
        let known = self.emails.entry(email.id).or_insert(read);
        if email.status.follows(known.0) {
            *known = read;
        }
    }

    /// The number of emails.
    #[must_use]
    pub fn len(&self) -> usize {
        self.emails.len()
    }

    /// Whether there are no emails.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty()
    }

    /// The earliest `scheduledFor` of an email.
    #[must_use]
    pub const fn scheduled(&self) -> Option<Timestamp> {
        self.scheduled
    }

    /// The emails by status.
    #[must_use]
    pub fn statuses(&self) -> EmailsByStatus {
        let mut statuses = EmailsByStatus::default();
        for (status, _, _) in self.emails.values() {
            statuses[*status as usize] += 1;
        }
        statuses
    }

    /// The emails by the name of their provider, by the table of their numbers.
    #[must_use]
    pub fn by_provider(&self, providers: &Providers) -> BTreeMap<Box<str>, ProviderEmails> {
        let mut found: BTreeMap<Box<str>, ProviderEmails> = BTreeMap::new();
        for (status, provider, time) in self.emails.values() {
            let of_provider = found.entry(providers.name(*provider).into()).or_default();
            of_provider.statuses[*status as usize] += 1;
            match (time, status) {
                (Some(time), _) => of_provider.times.observe(*time),
                (None, EmailStatus::Delivered | EmailStatus::Opened) => of_provider.unobserved += 1,
                (None, _) => {}
            }
        }
        found
    }
}
