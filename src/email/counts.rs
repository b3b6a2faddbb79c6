//! What is counted of emails: outcomes and delivery times. The counts only grow.

use std::time::Duration;

use crate::operation::Outcome;

/// The upper bounds of the buckets of delivery times, in seconds: from a one-time password to the 72 hours after which Twilio stops its attempts.
pub const DELIVERY_BUCKETS: [u32; 14] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21_600, 86_400, 259_200,
];

/// The emails that reached each outcome, by [`Outcome`].
pub type Outcomes = [u64; Outcome::ALL.len()];

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

    /// Counts a delivery that took `time`.
    pub fn observe(&mut self, time: Duration) {
        let is_below = |bound: &u32| Duration::from_secs(u64::from(*bound)) < time;
        let bucket = DELIVERY_BUCKETS.partition_point(is_below);
        self.buckets[bucket] += 1;
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.sum_millis = self.sum_millis.saturating_add(millis);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
