//! The status of an email, and which status can follow which. A row with an earlier status than a known one is old and changes
//! nothing.

/// The `status` of an email (<https://www.twilio.com/docs/email/api/email-resource>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EmailStatus {
    /// To be sent later.
    Scheduled,
    /// Waiting in Twilio.
    Queued,
    /// Sent by Twilio to the recipient's server.
    Sent,
    /// Accepted by the recipient's server.
    Delivered,
    /// Sent, but not delivered.
    Undelivered,
    /// Opened by the recipient.
    Opened,
    /// Not sent.
    Failed,
    /// Canceled.
    Canceled,
    /// Received by Twilio.
    Inbound,
    /// An undocumented status. Its word is not kept.
    Unknown,
}

impl EmailStatus {
    /// The closed set. The store identifies each by its index: add new ones at the end and never reorder.
    pub const ALL: [Self; 10] = [
        Self::Scheduled,
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Undelivered,
        Self::Opened,
        Self::Failed,
        Self::Canceled,
        Self::Inbound,
        Self::Unknown,
    ];

    /// Parses Twilio's word in any case, including `CANCELLED` and surrounding space.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let mut documented = Self::ALL
            .into_iter()
            .filter(|known| *known != Self::Unknown);
        match documented.find(|known| known.as_str().eq_ignore_ascii_case(text)) {
            Some(known) => known,
            None if text.eq_ignore_ascii_case("cancelled") => Self::Canceled,
            None => Self::Unknown,
        }
    }

    /// The value of the `status` label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Opened => "opened",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Inbound => "inbound",
            Self::Unknown => "unknown",
        }
    }

    /// The status with this index in [`Self::ALL`].
    #[must_use]
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }

    /// Whether no status follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Undelivered | Self::Opened | Self::Failed | Self::Canceled | Self::Inbound
        )
    }

    /// Whether an email can have this status after `before`. Twilio may skip statuses; a status that precedes `before` is an old row.
    ///
    /// A delivered email may still bounce, so every final status follows [`Self::Delivered`].
    #[must_use]
    pub const fn follows(self, before: Self) -> bool {
        self.rank() > before.rank()
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Scheduled => 1,
            Self::Queued => 2,
            Self::Sent => 3,
            Self::Delivered => 4,
            Self::Undelivered | Self::Opened | Self::Failed | Self::Canceled | Self::Inbound => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_parsed_in_any_case_and_both_spellings() {
        for status in EmailStatus::ALL {
            let upper = status.as_str().to_ascii_uppercase();
            assert_eq!(EmailStatus::parse(&format!(" {upper}\n")), status);
            assert_eq!(EmailStatus::from_index(status as u8), Some(status));
        }
        assert_eq!(EmailStatus::parse("Cancelled"), EmailStatus::Canceled);
        for word in ["", "DEFERRED", "unknown", "jane@example.com", "sent\u{e9}"] {
            assert_eq!(EmailStatus::parse(word), EmailStatus::Unknown, "{word}");
        }
        assert_eq!(EmailStatus::from_index(10), None);
    }

    #[test]
    fn nothing_follows_a_final_status_and_no_status_follows_itself() {
        for before in EmailStatus::ALL {
            assert!(!before.follows(before));
            for after in EmailStatus::ALL {
                assert!(!(before.is_final() && after.follows(before)));
                assert!(!(after.follows(before) && before.follows(after)));
            }
        }
        assert!(EmailStatus::Opened.follows(EmailStatus::Queued));
        assert!(EmailStatus::Undelivered.follows(EmailStatus::Delivered));
        assert!(!EmailStatus::Sent.follows(EmailStatus::Delivered));
    }
}
