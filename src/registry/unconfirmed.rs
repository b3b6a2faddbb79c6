//! How many emails are sent and not confirmed, by the age of their operations: without the emails themselves, nothing is known of their
//! times.

use std::time::Duration;

use super::chunks::Chunks;
use super::presenter::Presenter;
use super::record::Record;
use crate::operation::{CountingMode, OperationId};
use crate::snapshot::{UNCONFIRMED_AGES, Unconfirmed};
use crate::timestamp::Timestamp;

/// The most operations whose schedules are looked up for one age: a scrape must not visit millions. Those beyond it count from their
/// creation.
const MOST_SCHEDULED: usize = 10_000;

impl Presenter<'_> {
    /// An upper bound of the emails that are sent and neither confirmed nor failed, for each of [`UNCONFIRMED_AGES`]: those of
    /// operations that are that old. An operation's age counts from its creation, or from the time for which it was scheduled.
    #[must_use]
    pub fn unconfirmed(&self, now: Timestamp) -> Unconfirmed {
        UNCONFIRMED_AGES.map(|(_, age)| self.unconfirmed_for(age, now))
    }

    fn unconfirmed_for(&self, age: Duration, now: Timestamp) -> u64 {
        let until = now - age;
        let mode = self.tables.counters.mode();
        let created = self.chunks.unconfirmed(mode, until);
        let begun_later = self.tables.scheduled.after(until).take(MOST_SCHEDULED);
        let begun_later = begun_later.filter(|id| id.created() <= until);
        let records = begun_later.filter_map(|id| self.chunks.get(id));
        created.saturating_sub(records.map(|record| record.unconfirmed(mode)).sum())
    }
}

impl Chunks {
    /// The unconfirmed emails of the operations that were created until `until`, by their ids.
    fn unconfirmed(&self, mode: CountingMode, until: Timestamp) -> u64 {
        let is_old = |id: OperationId| id.created() <= until;
        let chunks = self.iter().take_while(|chunk| {
            let ids = chunk.summary.ids;
            ids.is_some_and(|(first, _)| is_old(first))
        });
        let sums = chunks.map(|chunk| match chunk.summary.ids {
            Some((_, last)) if is_old(last) => chunk.summary.unconfirmed[mode as usize],
            _ => {
                let old = chunk.records().iter().filter(|record| is_old(record.id));
                old.map(|record| record.unconfirmed(mode)).sum()
            }
        });
        sums.sum()
    }
}

impl Record {
    /// The emails that are sent and neither confirmed nor failed.
    pub(super) fn unconfirmed(&self, mode: CountingMode) -> u64 {
        mode.unconfirmed(&self.emails)
    }
}
