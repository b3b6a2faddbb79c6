//! By which statuses a window is read, and how many requests that takes.

use crate::delivery::EmailsByStatus;
use crate::email::EmailStatus;

/// The final statuses of emails that were sent.
const FINAL: [EmailStatus; 3] = [
    EmailStatus::Opened,
    EmailStatus::Undelivered,
    EmailStatus::Failed,
];
/// The statuses by which a window is read, and how many requests that takes; `None` if its emails cannot be followed that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusPlan {
    has_sent: bool,
    pub(super) requests: u64,
}

impl StatusPlan {
    /// The plan for a window with these known emails, if a page has `page_rows` rows. An email that waits in Twilio may get any status. If
    /// no list by a final status has a known email, nothing shows that the filter works.
    pub(super) fn new(emails: &EmailsByStatus, page_rows: u32) -> Option<Self> {
        let at = |status: EmailStatus| emails[status as usize];
        let waiting = [
            EmailStatus::Scheduled,
            EmailStatus::Queued,
            EmailStatus::Unknown,
        ];
        if waiting.into_iter().any(|status| at(status) > 0) {
            return None;
        }
        let has_sent = at(EmailStatus::Sent) > 0;
        let plan = Self {
            has_sent,
            requests: 0,
        };
        let mut finals = plan.statuses().filter(|status| FINAL.contains(status));
        if finals.all(|status| at(status) == 0) {
            return None;
        }
        let pages = |status| at(status).div_ceil(page_rows.into()).max(1);
        Some(Self {
            requests: plan.statuses().map(pages).sum(),
            ..plan
        })
    }

    /// The statuses in the order of their lists. `Sent` comes first, so that emails that leave it meanwhile are listed.
    pub(super) fn statuses(self) -> impl Iterator<Item = EmailStatus> {
        let sent = self.has_sent.then_some(EmailStatus::Sent);
        // A delivered email does not fail.
        let last = FINAL
            .into_iter()
            .filter(move |status| self.has_sent || *status != EmailStatus::Failed);
        sent.into_iter().chain(last)
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

    #[test]
    fn a_plan_has_the_statuses_that_can_follow() {
        use EmailStatus::{Delivered, Failed, Opened, Queued, Sent, Undelivered};
        let plan = |given: &[_]| {
            let plan = StatusPlan::new(&emails(given), 1000)?;
            Some((plan.statuses().collect::<Vec<_>>(), plan.requests))
        };
        let opens = plan(&[(Delivered, 7000), (Opened, 2500)]);
        assert_eq!(opens, Some((vec![Opened, Undelivered], 4)));
        let all = plan(&[(Delivered, 7000), (Undelivered, 5), (Sent, 1)]);
        assert_eq!(all, Some((vec![Sent, Opened, Undelivered, Failed], 4)));
        assert_eq!(
            plan(&[(Delivered, 9)]),
            None,
            "nothing shows that the filter works"
        );
        assert_eq!(
            plan(&[(Delivered, 9), (Failed, 5)]),
            None,
            "no list has the failed ones"
        );
        assert_eq!(
            plan(&[(Opened, 9), (Queued, 1)]),
            None,
            "it may get any status"
        );
    }
}
