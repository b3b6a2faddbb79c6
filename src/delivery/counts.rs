//! The counters of outcomes and delivery times, how an email changes them, and how they are saved. They never decrease.

use std::time::Duration;

use crate::email::{DeliveryTimes, Email, EmailStatus, Outcomes, ProviderCounts};
use crate::operation::Outcome;

/// `createdAt` and `updatedAt` have whole seconds. A delivery up to this long before the start counts as one that took no time; an
/// earlier one has a wrong time.
const PRECISION: i64 = 2000;

/// Counters that are saved as a list of numbers. New ones are added at the end.
pub(super) trait Counts: Clone + Default {
    fn to_list(&self) -> Vec<u64>;

    /// Numbers that are missing are 0.
    fn from_list(list: &[u64]) -> Self;
}

impl Counts for Outcomes {
    fn to_list(&self) -> Vec<u64> {
        self.to_vec()
    }

    fn from_list(list: &[u64]) -> Self {
        std::array::from_fn(|at| list.get(at).copied().unwrap_or_default())
    }
}

impl Counts for ProviderCounts {
    fn to_list(&self) -> Vec<u64> {
        let rest = [self.unobserved, self.times.sum_millis];
        let times = rest.into_iter().chain(self.times.buckets);
        self.outcomes.into_iter().chain(times).collect()
    }

    fn from_list(list: &[u64]) -> Self {
        let at = |place: usize| list.get(place).copied().unwrap_or_default();
        let outcomes = Outcome::ALL.len();
        Self {
            outcomes: Counts::from_list(list),
            unobserved: at(outcomes),
            times: DeliveryTimes {
                sum_millis: at(outcomes + 1),
                buckets: std::array::from_fn(|bucket| at(outcomes + 2 + bucket)),
            },
        }
    }
}

/// The outcomes that an email reaches by a change from `before` (`None`: it is new) to `now`. An opened email was delivered.
pub(super) fn reached(before: Option<EmailStatus>, now: EmailStatus) -> &'static [Outcome] {
    match now {
        EmailStatus::Delivered => &[Outcome::Delivered],
        EmailStatus::Opened if before == Some(EmailStatus::Delivered) => &[Outcome::Opened],
        EmailStatus::Opened => &[Outcome::Delivered, Outcome::Opened],
        EmailStatus::Undelivered => &[Outcome::Undelivered],
        EmailStatus::Failed => &[Outcome::Failed],
        EmailStatus::Canceled => &[Outcome::Canceled],
        EmailStatus::Scheduled
        | EmailStatus::Queued
        | EmailStatus::Sent
        | EmailStatus::Inbound
        | EmailStatus::Unknown => &[],
    }
}

/// The time from `scheduledFor`, else `createdAt`, to the delivery. `None` if it is not known: a later status has overwritten it, or
/// Twilio returned an impossible time.
pub(super) fn delivery_time(email: &Email) -> Option<Duration> {
    let updated = email
        .updated
        .filter(|_| email.status == EmailStatus::Delivered)?;
    let start = email.scheduled.unwrap_or(email.created);
    (updated.as_millis() > start.as_millis().saturating_sub(PRECISION))
        .then(|| updated.since(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::{EmailId, Tags};

    #[test]
    fn counts_are_saved_as_a_list_that_may_grow() {
        let counts = ProviderCounts {
            outcomes: [1, 2, 3, 4, 5],
            unobserved: 6,
            times: DeliveryTimes {
                buckets: std::array::from_fn(|at| at as u64 + 7),
                sum_millis: 99,
            },
        };
        assert_eq!(ProviderCounts::from_list(&counts.to_list()), counts);
        let longer = [counts.to_list(), vec![7]].concat();
        assert_eq!(ProviderCounts::from_list(&longer), counts);
        assert_eq!(ProviderCounts::from_list(&[]), ProviderCounts::default());
    }

    #[test]
    fn a_delivery_is_timed_from_its_schedule_or_creation() {
        let id = EmailId::parse("comms_email_01h2xcejqtf2nbrexx3vqjhp41", None).unwrap();
        let second = Duration::from_secs(1);
        let created = id.created();
        let email = |status, scheduled, updated| Email {
            id,
            operation: None,
            status,
            created,
            updated,
            scheduled,
            sender: None,
            recipient: None,
            tags: Tags::default(),
        };
        let delivered = EmailStatus::Delivered;
        let time = |scheduled, updated| delivery_time(&email(delivered, scheduled, updated));
        assert_eq!(time(None, Some(created + 9 * second)), Some(9 * second));
        let scheduled = Some(created + 5 * second);
        assert_eq!(
            time(scheduled, Some(created + 9 * second)),
            Some(4 * second)
        );
        assert_eq!(
            time(scheduled, Some(created + 4 * second)),
            Some(Duration::ZERO)
        );
        assert_eq!(time(scheduled, Some(created + 3 * second)), None);
        assert_eq!(time(None, None), None);
        let opened = email(EmailStatus::Opened, None, Some(created + 9 * second));
        assert_eq!(delivery_time(&opened), None);
    }
}
