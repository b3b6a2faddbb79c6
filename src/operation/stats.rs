//! The stats of an operation: its number of emails per status. The table [`Stat`] has every documented one, with its place in saved
//! records.

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

/// Defines the counts that are not of a status, from one line each: the field of [`Stats`], which is also its name in the HTTP
/// API, the variant of [`Stat`], and the key in Twilio's `stats`.
macro_rules! quantities {
    ($($(#[$doc:meta])+ $field:ident: $stat:ident = $key:literal,)+) => {
        /// The stats of one operation as Twilio returned them. Each may be missing.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Stats {
            /// By [`Status`]; a missing one is 0.
            pub emails: [u32; Status::ALL.len()],
            $($(#[$doc])+ pub $field: Option<u32>,)+
            /// Undocumented numeric stats, by name.
            pub unknown: Option<Arc<[(Word, u32)]>>,
        }

        /// One documented count in the `stats` of an operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Stat {
            /// Emails in a status.
            Status(Status),
            $($(#[$doc])+ $stat,)+
        }

        impl Stat {
            /// Those that are not of a status.
            pub const QUANTITIES: [Self; [$($key),+].len()] = [$(Self::$stat),+];

            /// The key in Twilio's `stats`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Status(status) => status.as_str(),
                    $(Self::$stat => $key,)+
                }
            }

            /// The name in the HTTP API.
            #[must_use]
            pub const fn field(self) -> &'static str {
                match self {
                    Self::Status(status) => status.as_str(),
                    $(Self::$stat => stringify!($field),)+
                }
            }
        }

        impl Stats {
            /// The count of `stat`, if there is one; a status without emails has none.
            #[must_use]
            pub fn count(&self, stat: Stat) -> Option<u32> {
                match stat {
                    Stat::Status(status) => Some(self.get(status)).filter(|count| *count > 0),
                    $(Stat::$stat => self.$field,)+
                }
            }

            /// Sets the count of `stat`.
            pub const fn set_count(&mut self, stat: Stat, count: u32) {
                match stat {
                    Stat::Status(status) => self.set(status, count),
                    $(Stat::$stat => self.$field = Some(count),)+
                }
            }
        }
    };
}

// A new one is a line here, and one at the end of `Stat::ALL`. The record in memory, the store, the parser of Twilio's rows and
// the HTTP API follow. Outside this file it needs: its metric in `exposition/catalogue.rs` with the line in
// `exposition/families/operation.rs` (then the golden file and `docs/metrics.md`), its property in `web/api/openapi.json`, and
// 4 more bytes in the test of the record's size.
quantities! {
    /// `total`: emails created.
    size: Total = "total",
    /// `recipients`: recipients targeted.
    recipients: Recipients = "recipients",
    /// `attempts`: attempts to send.
    attempts: Attempts = "attempts",
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

impl Stat {
    /// The closed set. The store identifies each by its index: add new ones at the end, and never reorder.
    pub const ALL: [Self; Status::ALL.len() + Self::QUANTITIES.len()] = [
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

    /// Parses Twilio's key in any case, including `CANCELLED`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let quantity = || {
            Self::QUANTITIES
                .into_iter()
                .find(|stat| stat.as_str().eq_ignore_ascii_case(text))
        };
        Status::parse(text).map(Self::Status).or_else(quantity)
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
