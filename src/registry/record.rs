//! One operation in memory: 120 bytes without an allocation, because one account can have millions; packed, about 45. Undocumented
//! values are in a table beside it, so that a record has a fixed size.

mod packing;
#[cfg(test)]
mod tests;

use super::clock_jumps::Jump;
use super::due::Due;
use super::schedule::PollTimes;
use super::undocumented_values::UndocumentedValues;
use crate::operation::{Marks, Operation, OperationId, OperationState, Stat, Stats, Status};
use crate::snapshot::Labels;
use crate::store::SavedOperation;
use crate::timestamp::Timestamp;

/// An operation that was read at least once.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Record {
    pub(super) id: OperationId,
    /// The number of its state in [`UndocumentedValues`].
    state: u8,
    /// [`UPDATED`] and the like.
    flags: u8,
    /// One bit per entry of `quantities` that Twilio returned.
    returned: u8,
    /// Whether the last attempt to read it failed.
    pub(super) failed: bool,
    created: Moment,
    updated: Moment,
    last_success: Moment,
    last_change: Moment,
    pub(super) emails: [u32; Status::ALL.len()],
    /// In the order of [`Stat::QUANTITIES`]; 0 where Twilio returned none.
    quantities: [u32; Stat::QUANTITIES.len()],
    pub(super) marks: Marks,
}

/// Milliseconds since 1970 in six bytes, enough until the year 10889. Times outside are clamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment([u8; 6]);

/// Twilio returned `updatedAt`.
const UPDATED: u8 = 1;
/// It has undocumented stats.
const UNKNOWN: u8 = 2;
/// A source lists it.
const WATCHED: u8 = 4;

/// The place of `total` in [`Stat::QUANTITIES`].
const SIZE: usize = 0;
const _: () = assert!(matches!(Stat::QUANTITIES[SIZE], Stat::Total));
/// Each has a bit in `returned`.
const _: () = assert!(Stat::QUANTITIES.len() <= 8);

/// The characters of a ULID, which Twilio's ids have.
const LENGTH_OF_MOST_IDS: u8 = 26;

/// An operation with fewer emails is small.
const SMALL: u32 = 100;

impl Record {
    /// The record of `operation`, read at `now` and last changed at `change`.
    pub(super) fn new(
        operation: &Operation,
        undocumented: &mut UndocumentedValues,
        marks: Marks,
        change: Timestamp,
        now: Timestamp,
    ) -> Self {
        let stats = &operation.stats;
        let flag = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
        undocumented.set_stats(operation.id, stats.unknown.as_ref());
        Self {
            id: operation.id,
            state: undocumented.number(&operation.state),
            flags: flag(UPDATED, operation.updated.is_some())
                | flag(UNKNOWN, stats.unknown.is_some()),
            returned: returned(stats),
            failed: false,
            created: Moment::of(operation.created),
            updated: Moment::of(operation.updated.unwrap_or_default()),
            last_success: Moment::of(now),
            last_change: Moment::of(change),
            emails: stats.emails,
            quantities: Stat::QUANTITIES.map(|stat| stats.count(stat).unwrap_or_default()),
            marks,
        }
    }

    /// The operation as Twilio returned it.
    pub(super) fn operation(&self, undocumented: &UndocumentedValues) -> Operation {
        Operation {
            id: self.id,
            state: undocumented.state(self.state),
            stats: self.stats(undocumented),
            created: self.created(),
            updated: self.has(UPDATED).then(|| self.updated.get()),
        }
    }

    /// The operation as the store keeps it, without the time for which it is scheduled.
    pub(super) fn to_saved(
        self,
        undocumented: &UndocumentedValues,
        credited: Labels,
        tags: Option<Labels>,
    ) -> SavedOperation {
        SavedOperation {
            operation: self.operation(undocumented),
            last_success: self.last_success(),
            last_change: self.last_change(),
            marks: self.marks,
            credited,
            tags,
            scheduled_for: None,
        }
    }

    fn stats(&self, undocumented: &UndocumentedValues) -> Stats {
        let mut stats = Stats {
            emails: self.emails,
            unknown: self
                .has(UNKNOWN)
                .then(|| undocumented.stats(self.id).cloned())
                .flatten(),
            ..Stats::default()
        };
        for (at, stat) in Stat::QUANTITIES.into_iter().enumerate() {
            if let Some(count) = self.quantity(at) {
                stats.set_count(stat, count);
            }
        }
        stats
    }

    /// The count at this place of [`Stat::QUANTITIES`], if Twilio returned it.
    fn quantity(&self, at: usize) -> Option<u32> {
        (self.returned & 1 << at != 0).then_some(self.quantities[at])
    }

    /// `total`, if Twilio returned it.
    pub(super) fn size(&self) -> Option<u32> {
        self.quantity(SIZE)
    }

    pub(super) fn created(&self) -> Timestamp {
        self.created.get()
    }

    pub(super) fn last_success(&self) -> Timestamp {
        self.last_success.get()
    }

    /// The record as a plan sees it.
    pub(super) fn due(&self) -> Due {
        Due {
            id: self.id,
            last_attempt: self.last_success(),
            processing: OperationState::KNOWN.get(usize::from(self.state))
                == Some(&OperationState::Processing),
        }
    }

    /// The times that decide when it is due.
    ///
    /// With `by_age`, finished operations that no source lists and that are small or unchanging wait at least a tenth of their age. In
    /// an account with many of them, emails are opened all the time; one opened email must not make an old operation due every minute.
    pub(super) fn history(&self, by_age: bool) -> PollTimes {
        let is_small = || self.size().is_some_and(|size| size < SMALL);
        let depends_on_age = by_age
            && !self.is_watched()
            && self.is_finished()
            && (is_small() || self.is_unchanging());
        let read = self.last_success();
        PollTimes {
            change: self.last_change(),
            read,
            min_interval_from: if depends_on_age { self.created() } else { read },
        }
    }

    /// Whether no stat changes any more, in either counting mode: every email is opened, lost or canceled. A settled operation may still
    /// have delivered emails, which are opened later.
    fn is_unchanging(&self) -> bool {
        let ends = [
            Status::Opened,
            Status::Undelivered,
            Status::Failed,
            Status::Canceled,
        ];
        let settled: u64 = ends
            .iter()
            .map(|status| u64::from(self.emails[*status as usize]))
            .sum();
        self.size().is_some_and(|size| settled >= u64::from(size))
    }

    /// Whether Twilio has finished or canceled it.
    fn is_finished(&self) -> bool {
        let finished = |state: &OperationState| {
            matches!(state, OperationState::Completed | OperationState::Canceled)
        };
        OperationState::KNOWN
            .get(usize::from(self.state))
            .is_some_and(finished)
    }

    /// Whether Twilio is to send it later, or some of its emails.
    pub(super) fn is_scheduled(&self) -> bool {
        let state = OperationState::KNOWN.get(usize::from(self.state));
        state == Some(&OperationState::Scheduled) || self.emails[Status::Scheduled as usize] > 0
    }

    /// The same record, with whether a source lists it.
    pub(super) const fn watched(mut self, is_watched: bool) -> Self {
        if is_watched {
            self.flags |= WATCHED;
        } else {
            self.flags &= !WATCHED;
        }
        self
    }

    /// Whether a source lists it.
    pub(super) const fn is_watched(&self) -> bool {
        self.flags & WATCHED != 0
    }

    pub(super) fn last_change(&self) -> Timestamp {
        self.last_change.get()
    }

    /// Notes that a read at `now` found no change. A last change in the future comes from a clock that has since been set back, or from
    /// Twilio's clock if this machine's is behind. It is set to `now`: otherwise the operation would be due all the time until then.
    pub(super) fn confirm(&mut self, now: Timestamp) {
        self.last_success = Moment::of(now);
        self.last_change = Moment::of(self.last_change().min(now));
        self.failed = false;
    }

    /// Notes that this machine's clock was set, so that intervals last as long as before. `updatedAt` is Twilio's time, and stays.
    pub(super) fn shift(&mut self, jump: Jump) {
        self.last_success = Moment::of(jump.apply_to_read(self.last_success()));
        if self.updated != self.last_change {
            self.last_change = Moment::of(jump.apply(self.last_change()));
        }
    }

    fn has(&self, bit: u8) -> bool {
        self.flags & bit != 0
    }
}

/// One bit per entry of [`Stat::QUANTITIES`] that `stats` has.
fn returned(stats: &Stats) -> u8 {
    let bits = Stat::QUANTITIES.into_iter().enumerate();
    let set = bits.filter(|(_, stat)| stats.count(*stat).is_some());
    set.fold(0, |returned, (at, _)| returned | 1 << at)
}

impl Moment {
    const LATEST: i64 = (1 << 48) - 1;

    fn of(time: Timestamp) -> Self {
        let [_, _, bytes @ ..] = time.as_millis().clamp(0, Self::LATEST).to_be_bytes();
        Self(bytes)
    }

    fn get(self) -> Timestamp {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.0);
        Timestamp::from_millis(i64::from_be_bytes(bytes))
    }
}
