//! Which of the two readings of `stats` is true for an account.

use super::stats::{Stats, Status};

/// What Twilio's figures mean together. Its own samples disagree
/// (<https://www.twilio.com/docs/email/api/operations-and-email-tracking>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// An email counts once, under its present status: `delivered` falls as `opened` rises.
    Exclusive,
    /// A funnel: an opened email still counts as delivered and as sent.
    Cumulative,
}

impl Reading {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Exclusive, Self::Cumulative];

    /// The value of the `reading` label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exclusive => "exclusive",
            Self::Cumulative => "cumulative",
        }
    }

    /// How many emails have reached a mailbox: opened ones have, whether `delivered` still counts them or not.
    #[must_use]
    pub const fn reached_mailbox(self, delivered: u64, opened: u64) -> u64 {
        match self {
            Self::Exclusive => delivered + opened,
            Self::Cumulative => delivered,
        }
    }
}

impl Stats {
    /// Whether these figures can only be read as a funnel: the parts are more than the whole.
    ///
    /// An operation whose emails are still being made may report parts before `total`; so a `total` of 0 proves nothing.
    #[must_use]
    pub fn proves_cumulative(&self) -> bool {
        let parts: u64 = Status::ALL
            .iter()
            .map(|status| u64::from(self.get(*status)))
            .sum();
        self.size
            .is_some_and(|size| size > 0 && parts > u64::from(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(size: Option<u32>, parts: &[(Status, u32)]) -> Stats {
        let mut stats = Stats {
            size,
            ..Stats::default()
        };
        for (status, emails) in parts {
            stats.set(*status, *emails);
        }
        stats
    }

    #[test]
    fn parts_above_the_whole_prove_a_funnel() {
        let funnel = [
            (Status::Sent, 5),
            (Status::Delivered, 5),
            (Status::Opened, 3),
        ];
        assert!(stats(Some(5), &funnel).proves_cumulative());
        assert!(!stats(Some(13), &funnel).proves_cumulative());
        assert!(!stats(Some(2), &[(Status::Delivered, 2)]).proves_cumulative());
    }

    #[test]
    fn without_a_whole_nothing_is_proven() {
        assert!(!stats(None, &[(Status::Sent, 5)]).proves_cumulative());
        assert!(!stats(Some(0), &[(Status::Sent, 5)]).proves_cumulative());
    }
}
