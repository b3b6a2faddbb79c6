//! Compares the stats of operations with their emails, after each run. The stats and the rows are read at different times, so a
//! difference counts only if neither changed between the reads.
//!
//! An operation is compared only if its stats and its emails changed for the last time at least [`MARGIN`] before the last read of its
//! stats. If one of its emails has no final status, all of them must also have been read at least [`MARGIN`] after the last change of
//! the stats.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Comparison, OperationTally};
use crate::operation::{CountingMode, OperationId};
use crate::registry::{DatedStats, Registry};
use crate::timestamp::Timestamp;

/// Twilio does not document how long a new status of an email may be missing in the stats. It also covers clocks that differ.
pub(super) const MARGIN: Duration = Duration::from_mins(10);

/// Which operations' stats and emails disagree. Operations that were not compared are absent.
pub(super) type Mismatches = Arc<HashMap<OperationId, bool>>;

/// The emails of one operation, and when they were read.
#[derive(Debug)]
pub(super) struct ReadEmails {
    pub(super) id: OperationId,
    pub(super) tally: OperationTally,
    /// When all of them were read last, at the earliest; `None` if that is not known.
    pub(super) read: Option<Timestamp>,
}

/// Compares `all`. The registry notes what they prove about the counting mode. `to_twilio` converts this machine's time to Twilio's.
pub(super) fn compare(
    registry: &mut Registry,
    all: &[ReadEmails],
    to_twilio: impl Fn(Timestamp) -> Timestamp,
) -> Mismatches {
    let mut compared = Vec::new();
    for emails in all {
        let Some(dated) = registry.presenter().dated_stats(emails.id) else {
            continue;
        };
        let comparison = Comparison {
            stats: &dated.stats,
            emails: &emails.tally.statuses,
        };
        if !comparison.is_possible() || !is_settled(&dated, emails, &to_twilio) {
            continue;
        }
        if let Some((mode, evidence)) = comparison.evidence() {
            registry.note_emails(emails.id, mode, evidence);
        }
        compared.push((
            emails.id,
            CountingMode::ALL.map(|mode| comparison.agrees(mode)),
        ));
    }
    // In the counting mode that all of them prove together.
    let mode = registry.presenter().counting_mode();
    let mismatches = compared
        .into_iter()
        .map(|(id, agrees)| (id, !agrees[mode as usize]));
    Arc::new(mismatches.collect())
}

/// Whether the stats and the emails describe the same moment.
fn is_settled(
    dated: &DatedStats,
    emails: &ReadEmails,
    to_twilio: impl Fn(Timestamp) -> Timestamp,
) -> bool {
    // `updatedAt` comes from Twilio's clock, the time of a read from this machine's.
    let changed = dated.changed.max(to_twilio(dated.changed)) + MARGIN;
    let read = to_twilio(dated.read);
    let are_emails_newer = || emails.read.is_some_and(|read| changed <= read);
    changed <= read
        && emails.tally.changed + MARGIN <= read
        && (!emails.tally.is_open() || are_emails_newer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::EmailStatus;
    use crate::operation::Stats;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
    const MINUTE: Duration = Duration::from_mins(1);

    /// Whether stats (changed, read) and emails (read, changed) describe the same moment. All times are minutes ago.
    fn settled(stats: (u32, u32), emails: (u32, u32), status: EmailStatus) -> bool {
        settled_if_read(stats, Some(emails.0), emails.1, status)
    }

    /// The same for emails that may never have been read completely.
    fn settled_if_read(
        stats: (u32, u32),
        read: Option<u32>,
        changed: u32,
        status: EmailStatus,
    ) -> bool {
        let ago = |minutes: u32| NOW - minutes * MINUTE;
        let mut statuses = [0; EmailStatus::ALL.len()];
        statuses[status as usize] = 3;
        let dated = DatedStats {
            stats: Stats::default(),
            changed: ago(stats.0),
            read: ago(stats.1),
        };
        let emails = ReadEmails {
            id: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
                .parse()
                .unwrap(),
            tally: OperationTally {
                statuses,
                created: None,
                changed: ago(changed),
            },
            read: read.map(ago),
        };
        is_settled(&dated, &emails, |time| time)
    }

    #[test]
    fn stats_and_emails_are_compared_only_if_neither_changed_between_the_reads() {
        let open = EmailStatus::Delivered;
        assert!(settled((60, 0), (20, 30), open));
        assert!(
            !settled((60, 0), (60, 60), open),
            "the emails were read before"
        );
        assert!(!settled((60, 0), (51, 51), open), "the list may be behind");
        assert!(!settled((9, 0), (0, 60), open), "the stats may be behind");
        assert!(!settled((60, 20), (10, 10), open), "an email changed since");
        assert!(!settled((60, 20), (10, 21), open), "just before");
        assert!(
            settled((60, 20), (10, 30), open),
            "no row has changed it since"
        );
        let last = EmailStatus::Opened;
        assert!(settled((60, 0), (60, 60), last), "they cannot change");
        assert!(!settled((60, 20), (10, 10), last));
    }

    #[test]
    fn emails_of_which_no_complete_read_is_known_are_not_compared() {
        let sent = EmailStatus::Sent;
        assert!(!settled_if_read((60, 0), None, 60, sent));
        assert!(settled_if_read((60, 0), Some(0), 60, sent));
    }
}
