//! The stats of an operation: its number of emails per status.

use std::sync::Arc;

use super::word::Word;

/// The status of an email, as the `stats` of an operation count it
/// (<https://www.twilio.com/docs/email/api/operations-and-email-tracking>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// To be sent later.
    Scheduled,
    /// Queued at Twilio.
    Queued,
    /// Handed to the recipient's server.
    Sent,
    /// Accepted by that server.
    Delivered,
    /// Opened by the recipient.
    Opened,
    /// Sent, but not delivered.
    Undelivered,
    /// Not sent: Twilio could not process it.
    Failed,
    /// Canceled on request.
    Canceled,
}

impl Status {
    /// All of them, in the order of an email's life.
    pub const ALL: [Self; 8] = [
        Self::Scheduled,
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Opened,
        Self::Undelivered,
        Self::Failed,
        Self::Canceled,
    ];

    /// The value of the `status` label, and the key in Twilio's `stats`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Opened => "opened",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Parses Twilio's word in any case, including `CANCELLED`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text));
        known.or_else(|| {
            text.eq_ignore_ascii_case("cancelled")
                .then_some(Self::Canceled)
        })
    }
}

/// The stats of one operation as Twilio returned them. Each may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// By [`Status`]; a missing one is 0.
    pub emails: [u32; Status::ALL.len()],
    /// `total`: emails created.
    pub size: Option<u32>,
    /// `recipients`: recipients targeted.
    pub recipients: Option<u32>,
    /// `attempts`: attempts to send.
    pub attempts: Option<u32>,
    /// Undocumented numeric stats, by name.
    pub unknown: Option<Arc<[(Word, u32)]>>,
}

impl Stats {
    /// The number of emails in `status`.
    #[must_use]
    pub const fn get(&self, status: Status) -> u32 {
        self.emails[status as usize]
    }

    /// Sets the number of emails in `status`.
    pub const fn set(&mut self, status: Status, emails: u32) {
        self.emails[status as usize] = emails;
    }

    /// The undocumented numeric stats.
    #[must_use]
    pub fn unknown(&self) -> &[(Word, u32)] {
        self.unknown.as_deref().unwrap_or_default()
    }
}

/// One count in the `stats` of an operation. This is the table of all that are documented: a new one is a line here, and a field
/// of [`Stats`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stat {
    /// Emails in a status.
    Status(Status),
    /// Emails created.
    Total,
    /// Recipients targeted.
    Recipients,
    /// Attempts to send.
    Attempts,
}

impl Stat {
    /// The closed set. The store identifies each by its index: add new ones at the end, and never reorder.
    pub const ALL: [Self; 11] = [
        Self::Status(Status::Delivered),
        Self::Total,
        Self::Recipients,
        Self::Attempts,
        Self::Status(Status::Opened),
        Self::Status(Status::Sent),
        Self::Status(Status::Queued),
        Self::Status(Status::Undelivered),
        Self::Status(Status::Failed),
        Self::Status(Status::Canceled),
        Self::Status(Status::Scheduled),
    ];

    /// The key in Twilio's `stats`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::Total => "total",
            Self::Recipients => "recipients",
            Self::Attempts => "attempts",
        }
    }

    /// Parses Twilio's key in any case, including `CANCELLED`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let others = [Self::Total, Self::Recipients, Self::Attempts];
        let other = || {
            others
                .into_iter()
                .find(|stat| stat.as_str().eq_ignore_ascii_case(text))
        };
        Status::parse(text).map(Self::Status).or_else(other)
    }
}

impl Stats {
    /// The count of `stat`, if there is one; no email in a status is no count.
    #[must_use]
    pub fn count(&self, stat: Stat) -> Option<u32> {
        match stat {
            Stat::Status(status) => Some(self.get(status)).filter(|count| *count > 0),
            Stat::Total => self.size,
            Stat::Recipients => self.recipients,
            Stat::Attempts => self.attempts,
        }
    }

    /// Sets the count of `stat`.
    pub const fn set_count(&mut self, stat: Stat, count: u32) {
        match stat {
            Stat::Status(status) => self.set(status, count),
            Stat::Total => self.size = Some(count),
            Stat::Recipients => self.recipients = Some(count),
            Stat::Attempts => self.attempts = Some(count),
        }
    }
}

/// Stats with these counts, for tests.
#[cfg(test)]
pub(super) fn of_parts(size: Option<u32>, parts: &[(Status, u32)]) -> Stats {
    let mut stats = Stats {
        size,
        ..Stats::default()
    };
    for (status, emails) in parts {
        stats.set(*status, *emails);
    }
    stats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stat_is_in_the_table_once() {
        for (at, stat) in Stat::ALL.into_iter().enumerate() {
            assert!(!Stat::ALL[..at].contains(&stat), "{stat:?}");
            assert_eq!(Stat::parse(&stat.as_str().to_uppercase()), Some(stat));
            let mut stats = Stats::default();
            assert_eq!(stats.count(stat), None);
            stats.set_count(stat, 7);
            for other in Stat::ALL {
                assert_eq!(stats.count(other), (other == stat).then_some(7));
            }
        }
        for status in Status::ALL {
            assert!(Stat::ALL.contains(&Stat::Status(status)), "{status:?}");
        }
        assert_eq!(
            Stat::parse("cancelled"),
            Some(Stat::Status(Status::Canceled))
        );
        assert_eq!(Stat::parse("bounced"), None);
    }
}
