//! What the exporter knows of one account's operations: which there are, what was last seen of each, what was counted,
//! who is shown, and what is due.
//!
//! No request is made here, nothing is saved, and no clock is read: the collector brings observations and the time, and
//! takes what is to be saved to the store.

mod chunk;
mod chunks;
mod counting;
mod due;
mod failures;
mod merging;
mod record;
mod schedule;
mod shown;
mod unsaved;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::chunk::Measure;
use self::chunks::Chunks;
use self::counting::Counting;
use self::failures::Failures;
use self::merging::Merging;
use self::record::{Oddities, Record};
use self::unsaved::{Revision, Unsaved};
use crate::operation::{Marks, Operation, OperationId, RETENTION, Reading};
use crate::reason::Reason;
use crate::snapshot::{AccountSnapshot, Labels, Standing, Totals};
use crate::store::{SavedAccount, SavedOperation};
use crate::timestamp::Timestamp;
pub use due::{Due, Stretch};

/// Which operations of an account get series of their own.
#[derive(Debug, Clone, Copy)]
pub struct SeriesLimit {
    /// At most so many; the configured ones come first and always have them.
    pub operations: usize,
    /// Only operations of at least so many emails.
    pub min_size: u32,
}

/// What one save writes; see [`Registry::unsaved`].
#[derive(Debug, Clone)]
pub struct ToSave {
    /// How the account stands.
    pub account: SavedAccount,
    /// The operations that changed since the last save.
    pub operations: Vec<SavedOperation>,
    covers: Revision,
}

/// The operations of one account.
#[derive(Debug)]
pub struct Registry {
    account: Arc<str>,
    configured: BTreeMap<OperationId, Labels>,
    failures: Failures,
    limit: SeriesLimit,
    chunks: Chunks,
    oddities: Oddities,
    totals: Totals,
    counting: Counting,
    unsaved: Unsaved,
}

impl Registry {
    /// The registry of `account`, with its configured operations and their labels; `reading` where the user knows it.
    /// `born` is when the account is watched for the first time.
    #[must_use]
    pub fn new(
        account: Arc<str>,
        configured: BTreeMap<OperationId, Labels>,
        limit: SeriesLimit,
        reading: Option<Reading>,
        born: Timestamp,
    ) -> Self {
        Self {
            account,
            configured,
            failures: Failures::default(),
            limit,
            chunks: Chunks::new(Measure {
                min_size: limit.min_size,
                by_age: false,
            }),
            oddities: Oddities::default(),
            totals: Totals::default(),
            counting: Counting::new(reading, born),
            unsaved: Unsaved::default(),
        }
    }

    /// Takes up what was saved of the account. To be called once, before anything is observed.
    pub fn restore(&mut self, account: &SavedAccount) {
        self.counting.restore(account);
    }

    /// Takes up operations as they were saved, in the order of their ids; those that have expired meanwhile stay away.
    pub fn restore_operations(
        &mut self,
        operations: impl IntoIterator<Item = SavedOperation>,
        now: Timestamp,
    ) {
        let mut records = Vec::new();
        for saved in operations
            .into_iter()
            .filter(|saved| saved.operation.expires() > now)
        {
            let SavedOperation {
                operation,
                last_success,
                last_change,
                marks,
            } = saved;
            self.totals.add(&operation.state, &operation.stats);
            let record = Record::new(
                &operation,
                &mut self.oddities,
                marks,
                last_change,
                last_success,
            );
            records.push(record.watched(self.configured.contains_key(&operation.id)));
        }
        self.chunks.append(records);
    }

    /// Takes in what Twilio answered at `now`; what it no longer keeps is passed over. `kept` looks up what was once
    /// saved of an operation that is not here. Says how many of them had not been read since `since`.
    pub fn observe(
        &mut self,
        mut operations: Vec<Operation>,
        kept: impl Fn(OperationId) -> Option<Marks>,
        since: Timestamp,
        now: Timestamp,
    ) -> usize {
        operations.retain(|operation| operation.expires() > now);
        // Of two rows with one id, the later one counts.
        operations.reverse();
        operations.sort_by_key(|operation| operation.id);
        operations.dedup_by_key(|operation| operation.id);
        self.counting
            .consider(operations.iter().map(|operation| &operation.stats));
        let mut merging = Merging {
            configured: &self.configured,
            oddities: &mut self.oddities,
            totals: &mut self.totals,
            counting: &mut self.counting,
            unsaved: &mut self.unsaved,
            failures: &mut self.failures,
            since,
            now,
            fresh: 0,
        };
        self.chunks.absorb(&operations, |before, operation| {
            merging.merge(before, operation, &kept)
        });
        merging.fresh
    }

    /// Takes in that `id` could not be read at `now`. Says whether that is news.
    pub fn fail(&mut self, id: OperationId, reason: Reason, now: Timestamp) -> bool {
        self.chunks.change(id, |record| record.failed = true);
        self.failures.failed(id, reason, now)
    }

    /// Whether Twilio forbade to read `id` when it was last asked.
    #[must_use]
    pub fn is_refused(&self, id: OperationId) -> bool {
        self.failures.is_refused(id)
    }

    /// Whether `id` was read in the collection that began at `since`.
    #[must_use]
    pub fn is_read(&self, id: OperationId, since: Timestamp, now: Timestamp) -> bool {
        let read = |record: &Record| schedule::was_read(record.last_success(), since, now);
        self.chunks.get(id).is_some_and(read)
    }

    /// Takes in that everything created from `from` on (until `until`, if given) was to be read after `since` and was not.
    pub fn fail_window(&mut self, from: Timestamp, until: Option<Timestamp>, since: Timestamp) {
        let overlaps = |(first, last): (Timestamp, Timestamp)| {
            last >= from && until.is_none_or(|until| first <= until)
        };
        self.chunks.change_where(
            |chunk| chunk.summary.created.is_none_or(overlaps),
            |record| {
                let inside =
                    record.created() >= from && until.is_none_or(|until| record.created() <= until);
                record.failed |= inside && record.last_success() < since;
            },
        );
    }

    /// Takes in that `ids` were due at `now` and not reached, because the account was turned away.
    pub fn fail_each(&mut self, ids: &[OperationId], now: Timestamp) {
        for id in ids {
            if !self.chunks.change(*id, |record| record.failed = true) {
                self.failures.not_reached(*id, now);
            }
        }
    }

    /// Forgets the operations that Twilio no longer keeps at `now`, configured ones included. Returns the configured ones among them.
    ///
    /// What they contributed to counters stays.
    pub fn expire(&mut self, now: Timestamp) -> Vec<OperationId> {
        let Self {
            chunks,
            oddities,
            totals,
            unsaved,
            failures,
            ..
        } = self;
        let mut gone = BTreeSet::new();
        chunks.expire(now, |record| {
            let operation = record.operation(oddities);
            totals.remove(&operation.state, &operation.stats);
            unsaved.departs(record.id, || record.saved(oddities));
            oddities.forget(record.id);
            failures.forget(record.id);
            gone.insert(record.id);
        });
        let over = |id: &OperationId| {
            self.chunks.get(*id).is_none() && (gone.contains(id) || id.created() + RETENTION <= now)
        };
        let expired: Vec<_> = self
            .configured
            .keys()
            .filter(|id| over(id))
            .copied()
            .collect();
        for id in &expired {
            self.configured.remove(id);
            self.failures.forget(*id);
        }
        expired
    }

    /// What a scrape shows, with how the collection stands.
    #[must_use]
    pub fn show(&self, standing: Standing) -> AccountSnapshot {
        let operations = self.shown();
        let unread = self
            .configured
            .keys()
            .filter(|id| self.chunks.get(**id).is_none())
            .count();
        AccountSnapshot {
            name: Arc::clone(&self.account),
            standing,
            reading: self.counting.reading(),
            totals: self.totals.clone(),
            counters: self.counting.exposed(),
            without_series: (self.chunks.size() + unread - operations.len()) as u64,
            operations,
        }
    }

    /// Until when all operations have been found, if ever.
    #[must_use]
    pub const fn discovered_until(&self) -> Option<Timestamp> {
        self.counting.account().discovered_until
    }

    /// Takes in that all operations created before `moment` have been found.
    pub fn discovered(&mut self, moment: Timestamp) {
        self.counting.discovered(moment);
    }

    /// What is to be saved: the account, and the operations that changed since the last time.
    #[must_use]
    pub fn unsaved(&self) -> ToSave {
        let in_memory = self.unsaved.in_memory();
        let in_memory = in_memory
            .filter_map(|id| self.chunks.get(id))
            .map(|record| record.saved(&self.oddities));
        ToSave {
            account: *self.counting.account(),
            operations: in_memory.chain(self.unsaved.departed().cloned()).collect(),
            covers: self.unsaved.revision(),
        }
    }

    /// Takes in that `saved` has been saved: from now on it is shown. What changed meanwhile is still to be saved.
    pub fn saved(&mut self, saved: &ToSave) {
        self.unsaved.saved(saved.covers);
        self.counting.saved(&saved.account);
    }

    /// Whether there is nothing to save.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.unsaved.is_empty() && self.counting.is_saved()
    }
}

#[cfg(test)]
mod tests;
