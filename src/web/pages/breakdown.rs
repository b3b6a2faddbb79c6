//! Counts in which each email counts once, whatever the counting mode of Twilio's stats.

use serde::Serialize;

use crate::operation::{CountingMode, Stats, Status};
use crate::snapshot::Totals;

/// Emails by their current status, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Breakdown {
    pub(super) scheduled: u64,
    pub(super) queued: u64,
    pub(super) sent: u64,
    pub(super) delivered: u64,
    pub(super) opened: u64,
    pub(super) undelivered: u64,
    pub(super) failed: u64,
    pub(super) canceled: u64,
}

/// What the counts mean for a person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Outcome {
    /// Queued, scheduled or sent.
    pub(super) in_flight: u64,
    /// Delivered, opened ones included.
    pub(super) delivered: u64,
    /// Undelivered or failed.
    pub(super) lost: u64,
    /// Delivered or lost.
    pub(super) finished: u64,
    /// Lost of finished, 0 to 1; `null` before an email is finished.
    pub(super) lost_share: Option<f64>,
}

impl Breakdown {
    pub(super) fn of_stats(stats: &Stats, mode: CountingMode) -> Self {
        Self::new(|status| u64::from(stats.get(status)), mode)
    }

    pub(super) fn of_totals(totals: &Totals, mode: CountingMode) -> Self {
        Self::new(|status| totals.at(status), mode)
    }

    fn new(at: impl Fn(Status) -> u64, mode: CountingMode) -> Self {
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

    pub(super) fn outcome(&self) -> Outcome {
        let delivered = self.delivered + self.opened;
        let lost = self.undelivered + self.failed;
        let finished = delivered + lost;
        Outcome {
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
        let outcome = one.outcome();
        assert_eq!(
            (
                outcome.in_flight,
                outcome.delivered,
                outcome.lost,
                outcome.finished
            ),
            (6, 10, 5, 15)
        );
        assert_eq!(outcome.lost_share, Some(1.0 / 3.0));
        assert_eq!(Breakdown::default().outcome().lost_share, None);
    }
}
