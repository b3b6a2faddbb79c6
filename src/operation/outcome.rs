//! The outcomes of emails, for counters that never decrease. The high-water marks of an operation are what it contributed to the
//! counters.

use super::counting_mode::CountingMode;
use super::plausible::MOST_EMAILS;
use super::stats::{Stats, Status};

/// A status that an email has reached. An outcome is never taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Accepted by the recipient's server, including opened emails.
    Delivered,
    /// Opened by the recipient.
    Opened,
    /// Sent, but not delivered.
    Undelivered,
    /// Not sent.
    Failed,
    /// Canceled.
    Canceled,
}

impl Outcome {
    /// The closed set. The store identifies each by its index: add new ones at the end, never reorder, and raise the store's format.
    pub const ALL: [Self; 5] = [
        Self::Delivered,
        Self::Opened,
        Self::Undelivered,
        Self::Failed,
        Self::Canceled,
    ];

    /// The value of the `outcome` label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Opened => "opened",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// The high-water marks of one operation: the highest counts seen.
///
/// A counter grows by the growth of the marks, so a corrected count never decreases one, and nothing is counted twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Emails created.
    pub accepted: u32,
    /// By [`Outcome`].
    pub outcomes: [u32; Outcome::ALL.len()],
}

impl Marks {
    /// The marks for `stats` alone in this counting mode. An email reaches a mailbox at most once, so `delivered` is at most the number of
    /// emails, even if the stats contradict each other.
    #[must_use]
    pub fn shown_by(stats: &Stats, mode: CountingMode) -> Self {
        let at = |status| stats.get(status);
        let reached = mode.reached_mailbox(
            u64::from(at(Status::Delivered)),
            u64::from(at(Status::Opened)),
        );
        let most = stats
            .size
            .filter(|size| *size > 0)
            .map_or(u32::MAX, |size| {
                size.max(stats.recipients.unwrap_or_default())
                    .max(at(Status::Delivered))
            });
        let reached = u32::try_from(reached).unwrap_or(u32::MAX).min(most);
        Self {
            accepted: stats.size.unwrap_or_else(|| stats.smallest_size(mode)),
            outcomes: [
                reached,
                at(Status::Opened),
                at(Status::Undelivered),
                at(Status::Failed),
                at(Status::Canceled),
            ],
        }
    }

    /// These marks, but with the mark of `shown` in place of each impossible one. Earlier versions accepted any count and saved impossible
    /// marks, which no count would ever exceed.
    #[must_use]
    pub fn unless_impossible(self, shown: Self) -> Self {
        let possible = |mark: u32, shown: u32| if mark > MOST_EMAILS { shown } else { mark };
        let mut outcomes = self.outcomes;
        for (mark, shown) in outcomes.iter_mut().zip(shown.outcomes) {
            *mark = possible(*mark, shown);
        }
        Self {
            accepted: possible(self.accepted, shown.accepted),
            outcomes,
        }
    }

    /// The higher mark of both, for each mark.
    #[must_use]
    pub fn raised_by(self, other: Self) -> Self {
        let mut outcomes = self.outcomes;
        for (mark, seen) in outcomes.iter_mut().zip(other.outcomes) {
            *mark = (*mark).max(seen);
        }
        Self {
            accepted: self.accepted.max(other.accepted),
            outcomes,
        }
    }
}

/// The counters: sums over all operations of an account that were ever seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Emails created.
    pub accepted: u64,
    /// By [`Outcome`].
    pub outcomes: [u64; Outcome::ALL.len()],
}

impl Counters {
    /// Counts the growth of one operation's marks. Marks do not decrease; if one does, nothing is counted.
    pub fn count(&mut self, from: Marks, to: Marks) {
        self.accepted += u64::from(to.accepted.saturating_sub(from.accepted));
        let grown = to.outcomes.iter().zip(from.outcomes);
        for (counter, (to, from)) in self.outcomes.iter_mut().zip(grown) {
            *counter += u64::from(to.saturating_sub(from));
        }
    }
}

impl Stats {
    /// The fewest emails that can have these stats, for an operation without `total`.
    fn smallest_size(&self, mode: CountingMode) -> u32 {
        let at = |status: Status| self.get(status);
        let waiting = at(Status::Scheduled)
            .saturating_add(at(Status::Queued))
            .saturating_add(at(Status::Failed))
            .saturating_add(at(Status::Canceled));
        let sent = match mode {
            CountingMode::Exclusive => at(Status::Sent)
                .saturating_add(at(Status::Delivered))
                .saturating_add(at(Status::Opened))
                .saturating_add(at(Status::Undelivered)),
            CountingMode::Cumulative => at(Status::Sent).max(at(Status::Delivered)),
        };
        waiting.saturating_add(sent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::operation::stats::of_parts as stats;

    #[test]
    fn opened_emails_count_as_delivered_under_both_counting_modes() {
        let exclusive = stats(Some(5), &[(Status::Delivered, 2), (Status::Opened, 3)]);
        let funnel = stats(
            Some(5),
            &[
                (Status::Sent, 5),
                (Status::Delivered, 5),
                (Status::Opened, 3),
            ],
        );
        let reached =
            |stats, mode| Marks::shown_by(stats, mode).outcomes[Outcome::Delivered as usize];
        assert_eq!(reached(&exclusive, CountingMode::Exclusive), 5);
        assert_eq!(reached(&funnel, CountingMode::Cumulative), 5);
    }

    #[test]
    fn delivered_emails_are_at_most_the_total() {
        let odd = stats(Some(4), &[(Status::Delivered, 3), (Status::Opened, 4)]);
        let marks = Marks::shown_by(&odd, CountingMode::Exclusive);
        assert_eq!(marks.outcomes[Outcome::Delivered as usize], 4);
        assert_eq!(marks.outcomes[Outcome::Opened as usize], 4);
    }

    #[test]
    fn an_impossible_mark_is_replaced_by_the_current_one() {
        let marks = |failed| Marks {
            accepted: 9,
            outcomes: [1, 0, 0, failed, 0],
        };
        let shown = marks(3);
        assert_eq!(marks(u32::MAX).unless_impossible(shown), shown);
        assert_eq!(
            marks(MOST_EMAILS).unless_impossible(shown),
            marks(MOST_EMAILS)
        );
    }

    #[test]
    fn without_a_total_the_size_is_the_fewest_emails_that_the_stats_allow() {
        let funnel = stats(
            None,
            &[
                (Status::Queued, 1),
                (Status::Sent, 5),
                (Status::Delivered, 4),
                (Status::Opened, 3),
            ],
        );
        assert_eq!(
            Marks::shown_by(&funnel, CountingMode::Cumulative).accepted,
            6
        );
        assert_eq!(
            Marks::shown_by(&funnel, CountingMode::Exclusive).accepted,
            13
        );
    }

    proptest! {
        #[test]
        fn counters_are_the_sum_of_the_highest_marks(histories in proptest::collection::vec(proptest::collection::vec(any::<[u16; 6]>(), 0..8), 0..6)) {
            let mut counters = Counters::default();
            let mut highest = Counters::default();
            for history in histories {
                let mut marks = Marks::default();
                for [accepted, rest @ ..] in history {
                    let seen = Marks { accepted: u32::from(accepted), outcomes: rest.map(u32::from) };
                    let before = counters;
                    let raised = marks.raised_by(seen);
                    counters.count(marks, raised);
                    marks = raised;
                    prop_assert!(counters.accepted >= before.accepted);
                }
                highest.count(Marks::default(), marks);
            }
            prop_assert_eq!(counters, highest);
        }
    }
}
