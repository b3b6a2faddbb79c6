//! What the exporter knows of one account's operations: which there are, what was last seen of each, who is shown.
//!
//! No request is made here and no clock is read; the collector brings observations and the time.

mod schedule;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::operation::{Operation, OperationId, Reading};
use crate::reason::Reason;
use crate::snapshot::{AccountSnapshot, Labels, ShownOperation, Standing, Totals};
use crate::timestamp::Timestamp;
use tracked::Tracked;

/// Which operations of an account get series of their own.
#[derive(Debug, Clone, Copy)]
pub struct SeriesLimit {
    /// At most so many; the configured ones come first and always have them.
    pub operations: usize,
    /// Only operations of at least so many emails.
    pub min_size: u32,
}

/// The operations of one account.
#[derive(Debug)]
pub struct Registry {
    account: Arc<str>,
    configured: BTreeMap<OperationId, Labels>,
    limit: SeriesLimit,
    operations: BTreeMap<OperationId, Tracked>,
    /// Of every operation that was ever read, oldest first: the end that expires and the end that is shown.
    by_creation: BTreeSet<(Timestamp, OperationId)>,
    totals: Totals,
    fixed_reading: Option<Reading>,
    cumulative_proven: bool,
    /// When the last collection began that was broken off for the whole account.
    account_failed: Option<Timestamp>,
}

impl Registry {
    /// The registry of `account`, with its configured operations and their labels; `reading` where the user knows it.
    #[must_use]
    pub fn new(
        account: Arc<str>,
        configured: BTreeMap<OperationId, Labels>,
        limit: SeriesLimit,
        reading: Option<Reading>,
    ) -> Self {
        let operations = configured
            .keys()
            .map(|id| (*id, Tracked::default()))
            .collect();
        Self {
            account,
            configured,
            limit,
            operations,
            by_creation: BTreeSet::new(),
            totals: Totals::default(),
            fixed_reading: reading,
            cumulative_proven: false,
            account_failed: None,
        }
    }

    /// Takes in what Twilio answered at `now`; what it no longer keeps is passed over. Says how many of the
    /// operations had not been read since `since`.
    pub fn observe(
        &mut self,
        operations: Vec<Operation>,
        since: Timestamp,
        now: Timestamp,
    ) -> usize {
        let mut fresh = 0;
        for operation in operations
            .into_iter()
            .filter(|operation| operation.expires() > now)
        {
            let tracked = self.operations.entry(operation.id).or_default();
            fresh += usize::from(tracked.last_success.is_none_or(|success| success < since));
            if let Some(before) = &tracked.seen {
                self.totals.remove(&before.state, &before.stats);
                if before.created != operation.created {
                    self.by_creation.remove(&(before.created, before.id));
                }
            }
            self.totals.add(&operation.state, &operation.stats);
            self.by_creation.insert((operation.created, operation.id));
            self.cumulative_proven |= operation.stats.proves_cumulative();
            tracked.observe(operation, now);
        }
        fresh
    }

    /// Takes in that `id` could not be read at `now`. Says whether that is news.
    pub fn fail(&mut self, id: OperationId, reason: Reason, now: Timestamp) -> bool {
        self.operations
            .get_mut(&id)
            .is_some_and(|tracked| tracked.fail(reason, now))
    }

    /// Takes in that the collection which began at `since` was broken off: whatever it did not read, it failed to read.
    pub fn fail_unread(&mut self, since: Timestamp) {
        self.account_failed = Some(since);
    }

    /// Forgets the operations that Twilio no longer keeps at `now`, configured ones included. Returns the configured ones among them.
    pub fn expire(&mut self, now: Timestamp) -> Vec<OperationId> {
        while let Some((created, id)) = self
            .by_creation
            .first()
            .copied()
            .filter(|(created, _)| *created + crate::operation::RETENTION <= now)
        {
            self.by_creation.remove(&(created, id));
            if let Some(before) = self.operations.remove(&id).and_then(|tracked| tracked.seen) {
                self.totals.remove(&before.state, &before.stats);
            }
        }
        let gone = |id: &OperationId| {
            self.operations
                .get(id)
                .is_none_or(|tracked| tracked.expires(*id) <= now)
        };
        let expired: Vec<_> = self
            .configured
            .keys()
            .filter(|id| gone(id))
            .copied()
            .collect();
        for id in &expired {
            self.configured.remove(id);
            self.operations.remove(id);
        }
        expired
    }

    /// The operations that are due to be read one by one: those not read since `since`; configured ones first, then the newest.
    #[must_use]
    pub fn due(&self, since: Timestamp, now: Timestamp) -> Vec<OperationId> {
        let due = |id: &OperationId, watched| {
            self.operations.get(id).is_some_and(|tracked| {
                tracked.last_success.is_none_or(|success| success < since)
                    && tracked.is_due(watched, now)
            })
        };
        let configured = self.configured.keys().filter(|id| due(id, true));
        let others = self.by_creation.iter().rev().map(|(_, id)| id);
        configured
            .chain(others.filter(|id| !self.configured.contains_key(id) && due(id, false)))
            .copied()
            .collect()
    }

    /// What a scrape shows, with how the collection stands.
    #[must_use]
    pub fn show(&self, standing: Standing) -> AccountSnapshot {
        let operations = self.shown();
        AccountSnapshot {
            name: Arc::clone(&self.account),
            standing,
            reading: self.reading(),
            totals: self.totals.clone(),
            without_series: (self.operations.len() - operations.len()) as u64,
            operations,
        }
    }

    /// Configured operations always, then the newest that are large enough.
    fn shown(&self) -> Vec<ShownOperation> {
        let show = |id: OperationId, labels: &Labels| {
            self.operations
                .get(&id)
                .map(|tracked| tracked.show(id, Arc::clone(labels), self.account_failed))
        };
        let mut shown: Vec<_> = self
            .configured
            .iter()
            .filter_map(|(id, labels)| show(*id, labels))
            .collect();
        let room = self.limit.operations.saturating_sub(shown.len());
        let none = Labels::default();
        let newest = self.by_creation.iter().rev().map(|(_, id)| *id);
        let newest =
            newest.filter(|id| !self.configured.contains_key(id) && self.is_large_enough(*id));
        shown.extend(newest.filter_map(|id| show(id, &none)).take(room));
        shown
    }

    /// An operation that tells no size, or 0 because its emails are still to be made, counts as one email.
    fn is_large_enough(&self, id: OperationId) -> bool {
        let size = self
            .operations
            .get(&id)
            .and_then(|tracked| tracked.seen.as_ref()?.stats.size);
        size.unwrap_or(1).max(1) >= self.limit.min_size
    }

    fn reading(&self) -> Reading {
        match self.fixed_reading {
            Some(reading) => reading,
            None if self.cumulative_proven => Reading::Cumulative,
            None => Reading::Exclusive,
        }
    }
}

#[cfg(test)]
mod tests;
