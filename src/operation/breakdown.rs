//! Counts in which each email counts once, in both counting modes of Twilio's stats. Pages and `watch` show these counts.

use serde::Serialize;

use super::counting_mode::CountingMode;
use super::stats::{Stats, Status};

/// Emails by their current status, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Breakdown {
    /// To be sent later.
    pub scheduled: u64,
    /// Queued at Twilio.
    pub queued: u64,
    /// Handed to the server of the recipient, and not delivered yet.
    pub sent: u64,
    /// Delivered, and not opened.
    pub delivered: u64,
    /// Opened.
    pub opened: u64,
    /// Sent, but not delivered.
    pub undelivered: u64,
    /// Not sent.
    pub failed: u64,
    /// Canceled.
    pub canceled: u64,
}

/// Sums of the counts for people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sums {
    /// Queued, scheduled or sent.
    pub in_flight: u64,
    /// Delivered, opened ones included.
    pub delivered: u64,
    /// Undelivered or failed.
    pub lost: u64,
    /// Delivered or lost.
    pub finished: u64,
    /// Lost of finished, 0 to 1; `null` before an email is finished.
    pub lost_share: Option<f64>,
}

impl Breakdown {
    /// The emails of one operation.
    #[must_use]
    pub fn of_stats(stats: &Stats, mode: CountingMode) -> Self {
        Self::of_counts(|status| u64::from(stats.get(status)), mode)
    }

    /// The emails, if Twilio counts `at(status)` emails per status.
    pub fn of_counts(at: impl Fn(Status) -> u64, mode: CountingMode) -> Self {
        let (sent, delivered) = match mode {
            CountingMode::Exclusive => (at(Status::Sent), at(Status::Delivered)),
            // An opened email still counts as delivered, and a delivered or an undelivered one as sent.
            CountingMode::Cumulative => (
                at(Status::Sent).saturating_sub(at(Status::Delivered) + at(Status::Undelivered)),
                at(Status::Delivered).saturating_sub(at(Status::Opened)),
            ),
        };
        Self {
            scheduled: at(Status::Scheduled),
            queued: at(Status::Queued),
            sent,
            delivered,
            opened: at(Status::Opened),
            undelivered: at(Status::Undelivered),
            failed: at(Status::Failed),
            canceled: at(Status::Canceled),
        }
    }

    /// The emails in a status.
    #[must_use]
    pub const fn at(&self, status: Status) -> u64 {
        match status {
            Status::Scheduled => self.scheduled,
            Status::Queued => self.queued,
            Status::Sent => self.sent,
            Status::Delivered => self.delivered,
            Status::Opened => self.opened,
            Status::Undelivered => self.undelivered,
            Status::Failed => self.failed,
            Status::Canceled => self.canceled,
        }
    }

    /// The sums over statuses.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let delivered = self.delivered + self.opened;
        let lost = self.undelivered + self.failed;
        let finished = delivered + lost;
        Sums {
            in_flight: self.scheduled + self.queued + self.sent,
            delivered,
            lost,
            finished,
            lost_share: (finished > 0).then(|| lost as f64 / finished as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(counts: &[(Status, u32)]) -> Stats {
        let mut stats = Stats::default();
        for (status, count) in counts {
            stats.set(*status, *count);
        }
        stats
    }

    #[test]
    fn each_email_counts_once_in_both_counting_modes() {
        let lost = [
            (Status::Undelivered, 3),
            (Status::Failed, 2),
            (Status::Queued, 1),
        ];
        let exclusive = [
            (Status::Sent, 5),
            (Status::Delivered, 4),
            (Status::Opened, 6),
        ];
        let cumulative = [
            (Status::Sent, 18),
            (Status::Delivered, 10),
            (Status::Opened, 6),
        ];
        let [one, other] = [
            (exclusive, CountingMode::Exclusive),
            (cumulative, CountingMode::Cumulative),
        ]
        .map(|(counts, mode)| Breakdown::of_stats(&stats(&[&counts[..], &lost].concat()), mode));
        assert_eq!(one, other);
        let sums = one.sums();
        assert_eq!(
            (sums.in_flight, sums.delivered, sums.lost, sums.finished),
            (6, 10, 5, 15)
        );
        assert_eq!(sums.lost_share, Some(1.0 / 3.0));
        assert_eq!(Breakdown::default().sums().lost_share, None);
    }
}
