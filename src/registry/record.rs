//! One operation in memory: 120 bytes without an allocation, because one account can have millions.

use super::clock_jumps::Jump;
use super::due::Due;
use super::schedule::PollTimes;
use super::undocumented_values::UndocumentedValues;
use crate::operation::{Marks, Operation, OperationId, OperationState, Stats, Status};
use crate::snapshot::Labels;
use crate::store::SavedOperation;
use crate::timestamp::Timestamp;

/// An operation that was read at least once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) id: OperationId,
    /// A number of [`UndocumentedValues`].
    state: u8,
    /// [`SIZE`] and the like.
    flags: u8,
    /// Whether the last attempt to read it failed.
    pub(super) failed: bool,
    created: Moment,
    updated: Moment,
    last_success: Moment,
    last_change: Moment,
    emails: [u32; 8],
    size: u32,
    recipients: u32,
    attempts: u32,
    pub(super) marks: Marks,
}

/// Milliseconds since 1970 in six bytes, which last until the year 10889. Times outside are clamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment([u8; 6]);

/// Twilio returned a `total`.
const SIZE: u8 = 1;
/// Twilio returned `recipients`.
const RECIPIENTS: u8 = 2;
/// Twilio returned `attempts`.
const ATTEMPTS: u8 = 4;
/// Twilio returned `updatedAt`.
const UPDATED: u8 = 8;
/// It has undocumented stats.
const UNKNOWN: u8 = 16;
/// A source lists it.
const WATCHED: u8 = 32;

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
            flags: flag(SIZE, stats.size.is_some())
                | flag(RECIPIENTS, stats.recipients.is_some())
                | flag(ATTEMPTS, stats.attempts.is_some())
                | flag(UPDATED, operation.updated.is_some())
                | flag(UNKNOWN, stats.unknown.is_some()),
            failed: false,
            created: Moment::of(operation.created),
            updated: Moment::of(operation.updated.unwrap_or_default()),
            last_success: Moment::of(now),
            last_change: Moment::of(change),
            emails: stats.emails,
            size: stats.size.unwrap_or_default(),
            recipients: stats.recipients.unwrap_or_default(),
            attempts: stats.attempts.unwrap_or_default(),
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

    /// The operation as the store keeps it.
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
        }
    }

    fn stats(&self, undocumented: &UndocumentedValues) -> Stats {
        Stats {
            emails: self.emails,
            size: self.size(),
            recipients: self.has(RECIPIENTS).then_some(self.recipients),
            attempts: self.has(ATTEMPTS).then_some(self.attempts),
            unknown: self
                .has(UNKNOWN)
                .then(|| undocumented.stats(self.id).cloned())
                .flatten(),
        }
    }

    /// `total`, if Twilio returned it.
    pub(super) fn size(&self) -> Option<u32> {
        self.has(SIZE).then_some(self.size)
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

    /// What decides when it is due.
    ///
    /// With `by_age`, finished operations that no source lists and that are small or settled wait at least a tenth of their age. In an
    /// account with many of them, somebody opens one every moment; one opened email must not make an old operation due every minute.
    pub(super) fn history(&self, by_age: bool) -> PollTimes {
        let is_small = || self.size().is_some_and(|size| size < SMALL);
        let goes_by_age =
            by_age && !self.is_watched() && self.is_finished() && (is_small() || self.is_settled());
        let read = self.last_success();
        PollTimes {
            change: self.last_change(),
            read,
            min_interval_from: if goes_by_age { self.created() } else { read },
        }
    }

    /// Whether every email has a final status, in either counting mode.
    fn is_settled(&self) -> bool {
        let ends = [
            Status::Opened,
            Status::Undelivered,
            Status::Failed,
            Status::Canceled,
        ];
        let ended: u64 = ends
            .iter()
            .map(|status| u64::from(self.emails[*status as usize]))
            .sum();
        self.size().is_some_and(|size| ended >= u64::from(size))
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

    /// Notes that a read at `now` found no change. A change in the future was noted by a clock that was set back since, or is
    /// Twilio's time and this machine's clock is behind; as it is, the operation would be due all the time until then.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::operation::Word;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_123);

    #[test]
    fn a_record_stays_small() {
        assert_eq!(size_of::<Record>(), 120);
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut undocumented = UndocumentedValues::default();
        for (state, size, updated, unknown) in [
            ("COMPLETED", Some(7), Some(NOW), None),
            (
                "PAUSED",
                None,
                None,
                Some(Arc::from([(Word::new("deferred"), 3)])),
            ),
        ] {
            let operation = Operation {
                id: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
                    .parse()
                    .unwrap(),
                state: OperationState::parse(state),
                stats: Stats {
                    emails: [1, 2, 3, 4, 5, 6, 7, 8],
                    size,
                    recipients: size,
                    attempts: None,
                    unknown,
                },
                created: NOW,
                updated,
            };
            let record = Record::new(&operation, &mut undocumented, Marks::default(), NOW, NOW);
            assert_eq!(record.operation(&undocumented), operation);
        }
    }

    #[test]
    fn times_out_of_range_are_brought_to_its_ends() {
        assert_eq!(Moment::of(Timestamp::from_millis(-1)).get().as_millis(), 0);
        assert_eq!(
            Moment::of(Timestamp::from_millis(i64::MAX))
                .get()
                .as_millis(),
            Moment::LATEST
        );
        let beyond = Timestamp::from_millis(Moment::LATEST + 5);
        assert_eq!(Moment::of(beyond).get().as_millis(), Moment::LATEST);
        assert_eq!(Moment::of(NOW).get(), NOW);
    }

    const HOUR: Duration = Duration::from_hours(1);

    fn record(state: OperationState, size: Option<u32>, opened: u32, updated: Timestamp) -> Record {
        let mut stats = Stats {
            size,
            ..Stats::default()
        };
        stats.set(Status::Opened, opened);
        let operation = Operation {
            id: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
                .parse()
                .unwrap(),
            state,
            stats,
            created: NOW - 50 * HOUR,
            updated: Some(updated),
        };
        let change = NOW - HOUR;
        Record::new(
            &operation,
            &mut UndocumentedValues::default(),
            Marks::default(),
            change,
            NOW,
        )
    }

    #[test]
    fn only_finished_unwatched_operations_that_are_small_or_settled_are_polled_by_age() {
        use OperationState::{Canceled, Completed, Processing, Scheduled};
        for (state, size, opened, by_age) in [
            (Completed, Some(SMALL - 1), 0, true),
            (Completed, Some(SMALL), 0, false),
            (Completed, Some(SMALL), SMALL - 1, false),
            (Completed, Some(SMALL), SMALL, true),
            (Completed, None, SMALL, false),
            (Canceled, Some(1), 0, true),
            (Processing, Some(1), 1, false),
            (Scheduled, Some(1), 1, false),
        ] {
            let record = record(state.clone(), size, opened, NOW);
            let from = |record: Record, by_age| record.history(by_age).min_interval_from;
            let expected = if by_age { record.created() } else { NOW };
            assert_eq!(from(record, true), expected, "{state:?} {size:?} {opened}");
            assert_eq!(from(record, false), NOW);
            assert_eq!(from(record.watched(true), true), NOW);
            assert_eq!(from(record.watched(true).watched(false), true), expected);
        }
    }

    #[test]
    fn a_clock_that_is_set_moves_what_the_exporter_noted_and_no_time_of_twilios() {
        let noted = NOW - HOUR;
        for (updated, moved) in [(noted, false), (NOW - 2 * HOUR, true)] {
            let mut record = record(OperationState::Completed, None, 0, updated);
            record.shift(Jump::Back(HOUR));
            assert_eq!(record.last_success(), NOW - HOUR);
            let expected = if moved { noted - HOUR } else { noted };
            assert_eq!(record.last_change(), expected);
        }
    }

    #[test]
    fn a_read_without_a_change_ends_a_failure_and_a_change_in_the_future() {
        let mut record = record(OperationState::Completed, None, 0, NOW);
        record.failed = true;
        record.confirm(NOW - 2 * HOUR);
        assert!(!record.failed);
        assert_eq!(record.last_change(), NOW - 2 * HOUR);
        record.confirm(NOW);
        assert_eq!(record.last_change(), NOW - 2 * HOUR);
    }
}
