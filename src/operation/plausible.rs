//! Stats that no operation can have, in either counting mode.

use super::stats::{Stats, Status};

/// The most emails that one count of an operation can have.
///
/// Twilio documents at most 10,000 recipients per send. This is ten thousand times as many, including retries in `attempts`, so no
/// send that Twilio may allow in the future reaches it. Counts in the billions are rejected.
pub const MOST_EMAILS: u32 = 100_000_000;

impl Stats {
    /// Why these stats are impossible in both counting modes; `None` if they are possible.
    ///
    /// Only what is impossible in both modes is a contradiction. Each status counts an email at most once, so no count exceeds the
    /// number of emails. An email is undelivered, failed or canceled, never two of these, and none of them leads to another status.
    /// Twilio's own samples contain rows whose `delivered` and `undelivered` exceed `sent`: those stay as they are.
    ///
    /// The number of emails is `total`, or `recipients` if that is higher. Without `total`, or while it is 0, Twilio is still
    /// creating emails.
    #[must_use]
    pub fn contradiction(&self) -> Option<&'static str> {
        let size = self.size.filter(|size| *size > 0)?;
        let whole = size.max(self.recipients.unwrap_or_default());
        if self.emails.iter().any(|emails| *emails > whole) {
            return Some("more emails with one status than the operation has");
        }
        let ends = [Status::Undelivered, Status::Failed, Status::Canceled];
        let settled: u64 = ends.iter().map(|end| u64::from(self.get(*end))).sum();
        (settled > u64::from(whole))
            .then_some("more emails undelivered, failed and canceled than the operation has")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::stats::of_parts as stats;
    use Status::{Canceled, Delivered, Failed, Opened, Queued, Sent, Undelivered};

    #[test]
    fn stats_that_one_counting_mode_allows_are_no_contradiction() {
        let funnel = [(Sent, 5), (Delivered, 5), (Opened, 3)];
        assert_eq!(stats(Some(5), &funnel).contradiction(), None);
        assert_eq!(stats(Some(2), &[(Delivered, 2)]).contradiction(), None);
        // From Twilio's own samples: delivered and undelivered exceed sent. A late bounce may count as both.
        let late = [(Sent, 5), (Delivered, 5), (Undelivered, 1)];
        assert_eq!(stats(Some(5), &late).contradiction(), None);
        // Twilio is still creating emails.
        assert_eq!(stats(Some(0), &[(Queued, 3)]).contradiction(), None);
        assert_eq!(stats(None, &[(Failed, 3)]).contradiction(), None);
        let targeted = Stats {
            recipients: Some(9),
            ..stats(Some(5), &[(Failed, 9)])
        };
        assert_eq!(targeted.contradiction(), None);
    }

    #[test]
    fn stats_that_no_counting_mode_allows_are_a_contradiction() {
        for (size, parts) in [
            (5, &[(Failed, 6)][..]),
            (5, &[(Opened, 6)]),
            (5, &[(Undelivered, 3), (Failed, 3)]),
            (5, &[(Undelivered, 2), (Failed, 2), (Canceled, 2)]),
        ] {
            assert!(
                stats(Some(size), parts).contradiction().is_some(),
                "{parts:?}"
            );
        }
    }
}
