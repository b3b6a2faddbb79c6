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
mod groups;
mod labelling;
mod merging;
mod pool;
mod record;
mod rejected;
mod saving;
mod schedule;
mod shown;
mod unsaved;
mod view;
mod vocabulary;
mod watched;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::chunk::Measure;
use self::chunks::Chunks;
use self::counting::Counting;
use self::failures::Failures;
use self::groups::Seen;
use self::labelling::Labelling;
use self::merging::Merging;
use self::record::{Oddities, Record};
use self::rejected::NeverBelieved;
use self::unsaved::Unsaved;
use self::watched::Watched;
use crate::clock_skew::ClockSkew;
use crate::config::Series;
use crate::operation::{CountingMode, Operation, OperationId, RETENTION, Unexpected};
use crate::reason::Reason;
use crate::snapshot::{AccountSnapshot, CollectionStatus, Labels, ListedOperations, Totals};
use crate::store::SavedOperation;
use crate::timestamp::Timestamp;
pub use due::{Due, ListRange};
pub use merging::Observed;
pub use saving::ToSave;
pub use view::{Page, View};
pub use watched::Source;

/// The operations of one account.
#[derive(Debug)]
pub struct Registry {
    account: Arc<str>,
    /// At most so many operations have series; the watched ones come first and always have them.
    most_shown: usize,
    watched: Watched,
    labelling: Labelling,
    failures: Failures,
    never_believed: NeverBelieved,
    chunks: Chunks,
    oddities: Oddities,
    /// Words that were too many, until somebody counts them.
    unexpected: Unexpected,
    totals: Totals,
    counting: Counting,
    unsaved: Unsaved,
}

impl Registry {
    /// The registry of `account`; `reading` where the user knows it. An account that is watched for
    /// the first time is so from `started` on, by this machine's clock.
    #[must_use]
    pub fn new(
        account: Arc<str>,
        series: &Series,
        mode: Option<CountingMode>,
        started: Timestamp,
    ) -> Self {
        Self {
            account,
            most_shown: series.max_operations,
            watched: Watched::default(),
            labelling: Labelling::new(series),
            failures: Failures::default(),
            never_believed: NeverBelieved::default(),
            chunks: Chunks::new(Measure {
                min_size: series.min_size,
                by_age: false,
            }),
            oddities: Oddities::default(),
            unexpected: Unexpected::default(),
            totals: Totals::default(),
            counting: Counting::new(mode, started),
            unsaved: Unsaved::default(),
        }
    }

    /// Takes in everything that `source` lists now; what is too old for Twilio to tell of is passed over.
    pub fn list(&mut self, source: Source, mut listed: ListedOperations, now: Timestamp) {
        listed.retain(|id, _| !self.is_over(*id, now));
        for id in self.watched.replace(source, listed) {
            self.rewatch(id);
        }
    }

    /// Takes in that `source` lists `id` with these labels, or not any more.
    pub fn set(&mut self, source: &Source, id: OperationId, labels: Option<Labels>) {
        if self.watched.set(source, id, labels) {
            self.rewatch(id);
        }
    }

    /// Goes by other rules from now on; `reading` where the user knows it. What was counted stays counted.
    pub fn reconfigure(&mut self, series: &Series, mode: Option<CountingMode>) {
        self.most_shown = series.max_operations;
        self.chunks.set_min_size(series.min_size);
        self.counting.fix(mode);
        let read = self.chunks.ids(|_| true);
        self.labelling.reconfigure(series, read);
        for id in self.labelling.labelled(&self.watched) {
            self.relabel(id);
        }
    }

    /// At most so many of the newest operations whose tags are wanted and not known.
    #[must_use]
    pub fn untagged(&self, most: usize) -> Vec<OperationId> {
        self.labelling.untagged(most)
    }

    /// Takes in the tags of an operation's first email; `None`: there is none yet, or it does not say whose it is.
    pub fn tagged(&mut self, id: OperationId, tags: Option<&Labels>) {
        if self.chunks.get(id).is_some() {
            self.labelling.tagged(id, tags);
            self.relabel(id);
            self.unsaved.changed(id);
        }
    }

    /// Everybody who lists operations now.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        self.watched.sources().cloned().collect()
    }

    /// Whether `id` is in memory: it was read, and has not left since.
    #[must_use]
    pub fn has(&self, id: OperationId) -> bool {
        self.chunks.get(id).is_some()
    }

    /// Whether Twilio keeps `id` no longer, as far as its id or what is known of it tell.
    #[must_use]
    pub fn is_over(&self, id: OperationId, now: Timestamp) -> bool {
        self.chunks.get(id).is_none() && id.created() + RETENTION <= now
    }

    /// Forgets the operations that nobody lists, where the account's list is not to be used; and which labels went while
    /// the exporter was away. To be called when all sources have spoken, and after each change from then on.
    pub fn drop_unlisted(&mut self, discovers: bool) {
        for id in self.labelling.groups.members() {
            self.relabel(id);
        }
        if !discovers {
            for id in self.never_believed.clear() {
                self.failures.forget(id);
            }
            for id in self.chunks.ids(|record| !record.is_watched()) {
                if let Some(record) = self.chunks.remove(id) {
                    let saved = self.as_saved(&record);
                    self.leave(&record);
                    self.unsaved.let_go(saved);
                }
            }
        }
    }

    /// Takes in what Twilio answered at `now`; what it no longer keeps is passed over. `kept` looks up what was once
    /// saved of an operation that is not here. The collection began at `since`.
    pub fn observe(
        &mut self,
        mut operations: Vec<Operation>,
        kept: impl Fn(OperationId) -> Option<SavedOperation>,
        since: Timestamp,
        now: Timestamp,
    ) -> Observed {
        operations.retain(|operation| operation.expires() > now);
        // Of two rows with one id, the later one counts.
        operations.reverse();
        operations.sort_by_key(|operation| operation.id);
        operations.dedup_by_key(|operation| operation.id);
        for operation in &operations {
            self.never_believed.remove(operation.id);
        }
        self.counting.consider(operations.iter());
        let mut merging = Merging {
            watched: &mut self.watched,
            labelling: &mut self.labelling,
            oddities: &mut self.oddities,
            totals: &mut self.totals,
            counting: &mut self.counting,
            unsaved: &mut self.unsaved,
            failures: &mut self.failures,
            since,
            now,
            observed: Observed::default(),
            unexpected: &mut self.unexpected,
        };
        self.chunks.absorb(&operations, |before, operation| {
            merging.merge(before, operation, &kept)
        });
        let observed = merging.observed;
        self.labelling.groups.begin(now);
        observed
    }

    /// How many operations are in memory.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.chunks.size()
    }

    /// What had to be shown otherwise than Twilio wrote it, since this was asked last.
    pub fn take_unexpected(&mut self) -> Unexpected {
        std::mem::take(&mut self.unexpected)
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

    /// Forgets the operations that Twilio no longer keeps at `now`, watched ones included. Returns the watched ones among them.
    ///
    /// What they contributed to counters stays.
    pub fn expire(&mut self, now: Timestamp) -> Vec<OperationId> {
        let mut gone = BTreeSet::new();
        for record in self.chunks.expire(now) {
            gone.insert(record.id);
            self.leave(&record);
        }
        self.labelling.groups.expire(now);
        self.labelling.groups.begin(now);
        self.unsaved.expire(now);
        for id in self.never_believed.expire(now) {
            self.failures.forget(id);
        }
        // Ids sort by time.
        let unread = self.watched.unread().iter().copied();
        gone.extend(unread.take_while(|id| id.created() + RETENTION <= now));
        gone.retain(|id| self.watched.contains(*id));
        let expired: Vec<_> = gone.into_iter().collect();
        for id in &expired {
            self.watched.remove(*id);
            self.failures.forget(*id);
            self.labelling.forget(*id);
        }
        expired
    }

    /// What a scrape shows, with how the collection stands.
    #[must_use]
    pub fn show(&self, status: CollectionStatus) -> AccountSnapshot {
        let operations = self.shown();
        let unread = self.watched.unread().len();
        AccountSnapshot {
            name: Arc::clone(&self.account),
            status,
            counting_mode: self.counting.mode(),
            totals: self.totals.clone(),
            counters: self.counting.exposed(),
            groups: self.labelling.groups.show(),
            without_series: (self.chunks.size() + unread + self.never_believed.len()
                - operations.len()) as u64,
            operations,
        }
    }

    /// Decides when counting began, by Twilio's clock; to be called before each answer is observed. `skew` is that of Twilio's
    /// clock, and it is `now` by this machine's. A birth in the future is corrected; returns it as it was then.
    pub fn decide_birth(&mut self, skew: Option<ClockSkew>, now: Timestamp) -> Option<Timestamp> {
        self.counting.decide_birth(skew, now)
    }

    /// The first collection that read anything, or had nothing to read, is over. What it found is baseline.
    pub fn end_first_collection(&mut self) {
        self.counting.end_first();
    }

    /// Takes in that what [`Self::show`] says is exposed.
    pub fn exposed(&mut self) {
        self.labelling.groups.shown();
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

    /// Takes in that users want something else of an operation than before.
    fn rewatch(&mut self, id: OperationId) {
        let is_watched = self.watched.contains(id);
        let is_read = self
            .chunks
            .change(id, |record| *record = record.watched(is_watched));
        self.watched.note(id, is_read);
        self.never_believed.remove(id);
        if !is_watched && !is_read {
            self.failures.forget(id);
            self.labelling.forget(id);
        }
        self.relabel(id);
    }

    fn relabel(&mut self, id: OperationId) {
        let record = self.chunks.get(id);
        let operation = record.map(|record| record.operation(&self.oddities));
        let seen = record
            .zip(operation.as_ref())
            .map(|(record, operation)| Seen {
                operation,
                counted: self.counting.counted(operation, record.marks),
            });
        let is_news = self.labelling.relabel(id, &self.watched, seen.as_ref());
        if is_news && seen.is_some() {
            self.unsaved.changed(id);
        }
    }

    /// Takes in that an operation is not in memory any more.
    fn leave(&mut self, record: &Record) {
        let saved = self.as_saved(record);
        self.watched.note(record.id, false);
        self.totals
            .remove(&saved.operation.state, &saved.operation.stats);
        self.labelling.groups.left(&saved.operation);
        self.labelling.forget(record.id);
        self.unsaved.departs(record.id, || saved);
        self.oddities.forget(record.id);
        self.failures.forget(record.id);
    }
}

#[cfg(test)]
mod tests;
