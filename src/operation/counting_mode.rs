//! How the stats of an operation overlap, and which stats prove it. Twilio documents both modes and does not report which one an
//! account has.

use super::stats::{Stats, Status};

/// How Twilio's stats overlap. Twilio documents both modes in its samples
/// (<https://www.twilio.com/docs/email/api/operations-and-email-tracking>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountingMode {
    /// Each email counts once, in its current status: `delivered` falls as `opened` rises.
    Exclusive,
    /// Each email counts in every status it has had: an opened email still counts as delivered and as sent.
    Cumulative,
}

impl CountingMode {
    /// The closed set.
    pub const ALL: [Self; 2] = [Self::Exclusive, Self::Cumulative];

    /// The value of the `reading` label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exclusive => "exclusive",
            Self::Cumulative => "cumulative",
        }
    }

    /// How many emails reached a mailbox. Opened emails did, whether `delivered` still includes them or not.
    #[must_use]
    pub const fn reached_mailbox(self, delivered: u64, opened: u64) -> u64 {
        match self {
            Self::Exclusive => delivered + opened,
            Self::Cumulative => delivered,
        }
    }

    /// How many emails are sent and neither confirmed nor failed, of the emails by [`Status`].
    #[must_use]
    pub fn unconfirmed(self, emails: &[u32; Status::ALL.len()]) -> u64 {
        let at = |status: Status| u64::from(emails[status as usize]);
        let ended = match self {
            Self::Exclusive => 0,
            // An opened email was delivered, even if Twilio counted the two at slightly different times.
            Self::Cumulative => {
                at(Status::Delivered).max(at(Status::Opened)) + at(Status::Undelivered)
            }
        };
        at(Status::Sent).saturating_sub(ended)
    }
}

/// In cumulative mode an email counts in several statuses, so the sum exceeds `total` by at least 1 / 2 of `sent`. Counts that
/// Twilio took at slightly different times exceed `total` by less.
const SHARE_OF_SENT: u64 = 2;
/// The sum of one operation proves the mode alone if it exceeds `total` by this many emails.
const LARGE: u64 = 5;

/// What the stats of one operation prove about the counting mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Nothing, or the stats contradict themselves.
    None,
    /// They are cumulative; but the stats of one operation may be wrong.
    Some,
    /// They are cumulative, by more emails than an error would explain.
    Large,
}

impl Evidence {
    /// What this many emails that count differently in the two modes prove.
    #[must_use]
    pub const fn of(emails: u64) -> Self {
        match emails {
            0 => Self::None,
            1..LARGE => Self::Some,
            LARGE.. => Self::Large,
        }
    }
}

impl Stats {
    /// Whether these stats prove the cumulative mode: their sum exceeds `total`, and as cumulative stats they are consistent. Twilio's own
    /// samples contain stats that are consistent in neither mode; those prove nothing.
    ///
    /// While Twilio creates the emails, it may report statuses before `total`, so a `total` of 0 proves nothing.
    #[must_use]
    pub fn evidence_of_funnel(&self) -> Evidence {
        let at = |status| u64::from(self.get(status));
        let whole = self.size.map_or(0, u64::from);
        let parts: u64 = Status::ALL.map(at).iter().sum();
        let sent = at(Status::Sent);
        let not_sent =
            at(Status::Scheduled) + at(Status::Queued) + at(Status::Failed) + at(Status::Canceled);
        let is_consistent = whole > 0
            && sent + not_sent <= whole
            && at(Status::Delivered) + at(Status::Undelivered) <= sent
            && at(Status::Opened) <= at(Status::Delivered);
        let excess = parts.saturating_sub(whole);
        if !is_consistent || excess == 0 || excess * SHARE_OF_SENT < sent {
            Evidence::None
        } else {
            Evidence::of(excess)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::stats::of_parts as stats;

    #[test]
    fn a_sum_above_the_total_proves_the_cumulative_mode_if_the_stats_are_consistent() {
        use Status::{Delivered, Failed, Opened, Queued, Sent, Undelivered};
        let evidence = |size, parts: &[_]| stats(Some(size), parts).evidence_of_funnel();
        let funnel = [(Sent, 5), (Delivered, 5), (Opened, 3)];
        assert_eq!(evidence(5, &funnel), Evidence::Large);
        assert_eq!(evidence(1, &[(Sent, 1), (Delivered, 1)]), Evidence::Some);
        assert_eq!(
            evidence(9, &[(Sent, 7), (Undelivered, 7), (Failed, 2)]),
            Evidence::Large
        );
        for (size, parts) in [
            // Not above the total.
            (13, &funnel[..]),
            (2, &[(Delivered, 2)]),
            // More delivered, undelivered or both than sent; more opened than delivered; more than the total.
            (5, &[(Sent, 3), (Delivered, 5)]),
            (5, &[(Sent, 5), (Delivered, 4), (Undelivered, 3)]),
            (5, &[(Sent, 5), (Delivered, 2), (Opened, 5)]),
            (5, &[(Sent, 5), (Delivered, 5), (Queued, 3)]),
            (2, &[(Delivered, 2), (Opened, 2)]),
            // Ten emails that were counted before and after they were delivered.
            (1000, &[(Sent, 900), (Delivered, 110)]),
        ] {
            assert_eq!(evidence(size, parts), Evidence::None, "{size} {parts:?}");
        }
    }

    #[test]
    fn sent_emails_are_unconfirmed_until_they_are_counted_elsewhere() {
        use Status::{Delivered, Opened, Sent, Undelivered};
        for (parts, exclusive, cumulative) in [
            (&[(Sent, 9)][..], 9, 9),
            (
                &[(Sent, 9), (Delivered, 5), (Opened, 3), (Undelivered, 1)],
                9,
                3,
            ),
            (&[(Sent, 9), (Delivered, 5), (Opened, 6)], 9, 3),
            (&[(Sent, 2), (Delivered, 5)], 2, 0),
            (&[(Delivered, 5), (Opened, 5)], 0, 0),
        ] {
            let emails = stats(None, parts).emails;
            let modes = CountingMode::ALL.map(|mode| mode.unconfirmed(&emails));
            assert_eq!(modes, [exclusive, cumulative], "{parts:?}");
        }
    }

    #[test]
    fn without_a_total_nothing_is_proven() {
        let sent = [(Status::Sent, 9), (Status::Delivered, 9)];
        for size in [None, Some(0)] {
            assert_eq!(stats(size, &sent).evidence_of_funnel(), Evidence::None);
        }
    }
}
