//! The counters of emails: outcomes and delivery times. They only grow.

use std::time::Duration;

use crate::email::{Email, EmailStatus};
use crate::operation::Outcome;

/// The upper bounds of the buckets of delivery times, in seconds: from a one-time password to the 72 hours after which Twilio gives up.
pub const DELIVERY_BUCKETS: [u32; 14] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21_600, 86_400, 259_200,
];
/// `createdAt` and `updatedAt` have whole seconds. A delivery that seems to be this long before the start took no time; one before that
/// has a wrong time.
const PRECISION: i64 = 2000;

/// The emails that reached each outcome, by [`Outcome`].
pub type Outcomes = [u64; Outcome::ALL.len()];

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

/// The counters of one mailbox provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderCounts {
    /// Its outcomes.
    pub outcomes: Outcomes,
    /// Deliveries whose time is not known.
    pub unobserved: u64,
    /// Deliveries by time.
    pub times: DeliveryTimes,
}

/// A histogram of delivery times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryTimes {
    /// The deliveries of each bucket alone; the last one is above all bounds.
    pub buckets: [u64; DELIVERY_BUCKETS.len() + 1],
    /// The sum of all times, in milliseconds.
    pub sum_millis: u64,
}

impl DeliveryTimes {
    /// The number of observed deliveries.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(super) fn observe(&mut self, time: Duration) {
        let is_below = |bound: &u32| Duration::from_secs(u64::from(*bound)) < time;
        let bucket = DELIVERY_BUCKETS.partition_point(is_below);
        self.buckets[bucket] += 1;
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.sum_millis = self.sum_millis.saturating_add(millis);
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
/// Twilio returned no possible time.
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
    use crate::email::EmailId;

    #[test]
    fn a_time_belongs_to_the_first_bucket_that_contains_it() {
        let mut times = DeliveryTimes::default();
        for millis in [0, 999, 1000, 1001, 2000, 259_200_000, 259_200_001] {
            times.observe(Duration::from_millis(millis));
        }
        let mut wanted = [0; 15];
        (wanted[0], wanted[1], wanted[13], wanted[14]) = (3, 2, 1, 1);
        assert_eq!((times.buckets, times.count()), (wanted, 7));
        assert_eq!(times.sum_millis, 518_405_001);
    }

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
