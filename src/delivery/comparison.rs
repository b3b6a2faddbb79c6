//! Compares the stats of an operation with its emails. They agree in a counting mode if the stats are what the emails' statuses add up to in
//! that mode.

use crate::email::EmailStatus;
use crate::operation::{CountingMode, Evidence, Stats, Status};

use super::operation_emails::EmailsByStatus;

/// The stats of an operation and its emails by status, all read at one time.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The stats.
    pub stats: &'a Stats,
    /// All emails of the operation.
    pub emails: &'a EmailsByStatus,
}

impl Comparison<'_> {
    /// Whether `emails` can be all emails of an operation with these stats: as many as `total`, which is the number of emails that Twilio has
    /// created. Emails with an undocumented status cannot be compared.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        let all: u64 = self.emails.iter().sum();
        let size = self.stats.size.map_or(0, u64::from);
        let others = self.at(EmailStatus::Unknown) + self.at(EmailStatus::Inbound);
        all > 0 && all == size && others == 0
    }

    /// Whether the stats are those of the emails in this counting mode.
    #[must_use]
    pub fn agrees(&self, mode: CountingMode) -> bool {
        let stat = |status: Status| u64::from(self.stats.get(status));
        let [sent, delivered, opened, undelivered] = [
            EmailStatus::Sent,
            EmailStatus::Delivered,
            EmailStatus::Opened,
            EmailStatus::Undelivered,
        ]
        .map(|status| self.at(status));
        let (sent, delivered) = match mode {
            CountingMode::Exclusive => (sent, delivered..=delivered),
            CountingMode::Cumulative => (
                sent + delivered + opened + undelivered,
                // An email that bounced late was delivered before.
                delivered + opened..=delivered + opened + undelivered,
            ),
        };
        let equal = [
            (Status::Scheduled, self.at(EmailStatus::Scheduled)),
            (Status::Queued, self.at(EmailStatus::Queued)),
            (Status::Sent, sent),
            (Status::Opened, opened),
            (Status::Undelivered, undelivered),
            (Status::Failed, self.at(EmailStatus::Failed)),
            (Status::Canceled, self.at(EmailStatus::Canceled)),
        ];
        let mut equal = equal.into_iter();
        equal.all(|(status, emails)| stat(status) == emails)
            && delivered.contains(&stat(Status::Delivered))
    }

    /// The counting mode that the emails prove: the only one in which they agree with the stats. Only delivered, opened and undelivered
    /// emails distinguish the modes, and a few of them may be an error.
    #[must_use]
    pub fn evidence(&self) -> Option<(CountingMode, Evidence)> {
        let mut agreeing = CountingMode::ALL
            .into_iter()
            .filter(|mode| self.agrees(*mode));
        let mode = agreeing.next()?;
        if agreeing.next().is_some() {
            return None;
        }
        let different = self.at(EmailStatus::Delivered)
            + self.at(EmailStatus::Opened)
            + self.at(EmailStatus::Undelivered);
        Some((mode, Evidence::of(different)))
    }

    const fn at(&self, status: EmailStatus) -> u64 {
        self.emails[status as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(given: &[(EmailStatus, u64)]) -> EmailsByStatus {
        let mut emails = EmailsByStatus::default();
        for (status, count) in given {
            emails[*status as usize] = *count;
        }
        emails
    }

    fn stats(given: &[(Status, u32)], size: u32) -> Stats {
        let mut stats = Stats {
            size: Some(size),
            ..Stats::default()
        };
        for (status, count) in given {
            stats.set(*status, *count);
        }
        stats
    }

    /// In which modes they agree: exclusive, cumulative.
    fn modes(given: &[(Status, u32)], statuses: &[(EmailStatus, u64)]) -> [bool; 2] {
        let (stats, emails) = (stats(given, 9), emails(statuses));
        let compared = Comparison {
            stats: &stats,
            emails: &emails,
        };
        CountingMode::ALL.map(|mode| compared.agrees(mode))
    }

    #[test]
    fn stats_agree_with_emails_in_the_mode_in_which_they_count_them() {
        let some = [
            (EmailStatus::Sent, 1),
            (EmailStatus::Delivered, 2),
            (EmailStatus::Opened, 3),
            (EmailStatus::Undelivered, 1),
            (EmailStatus::Failed, 2),
        ];
        let rest = [
            (Status::Opened, 3),
            (Status::Undelivered, 1),
            (Status::Failed, 2),
        ];
        let with = |sent, delivered| {
            let first = [(Status::Sent, sent), (Status::Delivered, delivered)];
            modes(&[&first[..], &rest[..]].concat(), &some)
        };
        assert_eq!(with(1, 2), [true, false]);
        assert_eq!(with(7, 5), [false, true]);
        assert_eq!(with(7, 6), [false, true], "one bounced late");
        for (sent, delivered) in [(1, 3), (7, 4), (7, 7), (6, 5), (0, 2)] {
            assert_eq!(with(sent, delivered), [false, false], "{sent} {delivered}");
        }
        assert_eq!(
            modes(&[(Status::Queued, 9)], &[(EmailStatus::Queued, 9)]),
            [true; 2]
        );
    }

    #[test]
    fn a_mode_is_proven_if_the_stats_agree_in_no_other() {
        let evidence = |given: &[(Status, u32)], statuses: &[(EmailStatus, u64)]| {
            let (stats, emails) = (stats(given, 9), emails(statuses));
            Comparison {
                stats: &stats,
                emails: &emails,
            }
            .evidence()
        };
        let opened = [(EmailStatus::Opened, 9)];
        let exclusive = Some((CountingMode::Exclusive, Evidence::Large));
        assert_eq!(evidence(&[(Status::Opened, 9)], &opened), exclusive);
        let funnel = [
            (Status::Sent, 9),
            (Status::Delivered, 9),
            (Status::Opened, 9),
        ];
        let cumulative = Some((CountingMode::Cumulative, Evidence::Large));
        assert_eq!(evidence(&funnel, &opened), cumulative);
        let one = [(EmailStatus::Delivered, 1), (EmailStatus::Failed, 8)];
        let few = Some((CountingMode::Exclusive, Evidence::Some));
        assert_eq!(
            evidence(&[(Status::Delivered, 1), (Status::Failed, 8)], &one),
            few
        );
        let neither = [(Status::Sent, 3), (Status::Opened, 9)];
        assert_eq!(evidence(&neither, &opened), None);
        let both = [(EmailStatus::Failed, 9)];
        assert_eq!(evidence(&[(Status::Failed, 9)], &both), None);
    }

    #[test]
    fn emails_are_compared_only_if_they_are_all_and_their_statuses_are_known() {
        let is_possible = |size, statuses: &[(EmailStatus, u64)]| {
            let (stats, emails) = (stats(&[], size), emails(statuses));
            Comparison {
                stats: &stats,
                emails: &emails,
            }
            .is_possible()
        };
        assert!(is_possible(3, &[(EmailStatus::Sent, 3)]));
        assert!(!is_possible(3, &[(EmailStatus::Sent, 2)]));
        assert!(!is_possible(3, &[(EmailStatus::Sent, 4)]));
        assert!(!is_possible(0, &[]));
        assert!(!is_possible(
            3,
            &[(EmailStatus::Sent, 2), (EmailStatus::Unknown, 1)]
        ));
    }
}
