//! Neighboring operations, as many as one page of Twilio's list covers, with a summary. Most queries need only the summaries, so a
//! scrape reads few records.

use std::time::Duration;

use super::record::Record;
use super::records::Records;
use super::schedule;
use crate::operation::{CountingMode, OperationId, RETENTION};
use crate::timestamp::Timestamp;

/// The most operations in a chunk. A page returns 1,000; the rest of it is for operations that are new since the last
/// collection, or that Twilio lists late.
pub const CHUNK_SIZE: usize = 900;
/// If `createdAt` and the time in the id differ by more, a list of the creation times around the id may not return the operation.
const LIST_TOLERANCE: Duration = Duration::from_mins(10);

/// Operations in the order of their ids, with their summary.
#[derive(Debug)]
pub(super) struct Chunk {
    records: Records,
    /// The places of those that are large enough for series, if these are few; else empty.
    large: Box<[u16]>,
    /// The fewest emails for series when the summary was computed. Until a change of it has reached the chunk, the chunk has the series that it
    /// had: a search by another size would visit all operations.
    policy: ChunkPolicy,
    pub(super) summary: Summary,
    /// How many of the [changes](super::pending_changes) to all operations its records have received.
    pub(super) changes: u64,
}

/// What plans and snapshots need to know about a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    /// Its first and its last operation.
    pub(super) ids: Option<(OperationId, OperationId)>,
    /// When the first of its operations is due.
    pub(super) due: Timestamp,
    /// The latest time at which any of its operations was read.
    pub(super) read: Timestamp,
    /// When the first of its operations expires.
    pub(super) expires: Timestamp,
    /// When its first and its last operation were created, without those that are not [in place](is_in_place).
    pub(super) created: Option<(Timestamp, Timestamp)>,
    /// How many of its operations are large enough for series.
    pub(super) large: usize,
    /// The unconfirmed emails of its operations, by [`CountingMode`].
    pub(super) unconfirmed: [u64; CountingMode::ALL.len()],
}

/// The settings that the summary depends on besides the records.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkPolicy {
    /// The fewest emails for series.
    pub(super) min_size: u32,
    /// Whether the intervals of finished operations grow with their age; see [`Record::history`].
    pub(super) by_age: bool,
}

impl ChunkPolicy {
    /// Whether an operation is large enough for series. Without a `total`, or with a `total` of 0 (Twilio has not created the emails
    /// yet), it counts as one email.
    pub(super) fn is_large(self, record: &Record) -> bool {
        record.size().unwrap_or_default().max(1) >= self.min_size
    }
}

/// Whether a list of the creation times around its id returns it.
pub(super) fn is_in_place(record: &Record) -> bool {
    let (created, by_id) = (record.created(), record.id.created());
    created.since(by_id) <= LIST_TOLERANCE && by_id.since(created) <= LIST_TOLERANCE
}

impl Chunk {
    /// A chunk of sorted `records`, at least one, which have received this number of `changes` to all operations.
    pub(super) fn new(records: Box<[Record]>, policy: ChunkPolicy, changes: u64) -> Self {
        let summary = Summary::of(&records, policy);
        Self {
            large: few_large(&records, summary.large, policy),
            policy,
            summary,
            changes,
            records: Records::Open(records),
        }
    }

    /// Changes its records and recomputes the summary. The ids must not change.
    pub(super) fn update<T>(
        &mut self,
        policy: ChunkPolicy,
        change: impl FnOnce(&mut [Record]) -> T,
    ) -> T {
        let records = self.records.open();
        let changed = change(records);
        self.summary = Summary::of(records, policy);
        self.large = few_large(records, self.summary.large, policy);
        self.policy = policy;
        changed
    }

    /// Whether its records are packed. A change unpacks them.
    pub(super) const fn is_packed(&self) -> bool {
        self.records.is_packed()
    }

    pub(super) fn open(&mut self) {
        self.records.open();
    }

    /// Whether `id` is between its first and its last operation.
    pub(super) fn may_have(&self, id: OperationId) -> bool {
        let ids = self.summary.ids;
        ids.is_some_and(|(first, last)| (first..=last).contains(&id))
    }

    pub(super) fn pack(&mut self) {
        self.records.pack();
    }

    /// Notes that the last attempt to read an operation failed; the summary does not depend on it. Returns whether the chunk has it.
    pub(super) fn set_failed(&mut self, id: OperationId) -> bool {
        self.records.set_failed(id)
    }

    /// Those that are large enough for series, newest first.
    pub(super) fn large(&self) -> impl Iterator<Item = Record> {
        let few = self.large.iter().rev();
        let few = few.filter_map(|place| self.records.at(usize::from(*place)));
        let has_many = self.large.is_empty() && self.summary.large > 0;
        let many = has_many.then(|| self.records.newest_first());
        let many = many.into_iter().flatten();
        few.chain(many.filter(|record| self.policy.is_large(record)))
    }

    /// Whether any of its operations can be due at `now`. A read in the future means that the clock has since been set back.
    pub(super) fn may_have_due(&self, now: Timestamp) -> bool {
        self.summary.due <= now || self.summary.read > now
    }

    /// The operations that are due at `now` and were not read since `since`.
    pub(super) fn due(
        &self,
        since: Timestamp,
        now: Timestamp,
        policy: ChunkPolicy,
    ) -> impl Iterator<Item = Record> {
        let by_age = policy.by_age;
        let spread = spread(self.records.first().as_ref());
        let is_due = move |record: &Record| {
            let success = record.last_success();
            !schedule::was_read(success, since, now)
                && schedule::is_due(record.history(by_age), spread, now)
        };
        self.records.iter().filter(is_due)
    }

    pub(super) const fn records(&self) -> &Records {
        &self.records
    }

    /// The place of an operation among the records, and its record.
    pub(super) fn find(&self, id: OperationId) -> Option<(usize, Record)> {
        if self.may_have(id) {
            self.records.find(id)
        } else {
            None
        }
    }
}

impl Summary {
    fn of(records: &[Record], policy: ChunkPolicy) -> Self {
        let latest = Timestamp::from_millis(i64::MAX);
        let ids = records.first().zip(records.last());
        let mut summary = Self {
            ids: ids.map(|(first, last)| (first.id, last.id)),
            due: latest,
            read: Timestamp::default(),
            expires: latest,
            created: None,
            large: 0,
            unconfirmed: [0; CountingMode::ALL.len()],
        };
        let spread = spread(records.first());
        for record in records {
            summary.due = summary
                .due
                .min(schedule::due(record.history(policy.by_age), spread));
            summary.read = summary.read.max(record.last_success());
            summary.expires = summary.expires.min(record.created() + RETENTION);
            summary.large += usize::from(policy.is_large(record));
            for mode in CountingMode::ALL {
                summary.unconfirmed[mode as usize] += record.unconfirmed(mode);
            }
            if is_in_place(record) {
                let created = record.created();
                let (from, until) = summary.created.unwrap_or((created, created));
                summary.created = Some((from.min(created), until.max(created)));
            }
        }
        summary
    }
}

/// The places of the `large` operations, if at most one in four is large. If more are large, reading every record costs little.
fn few_large(records: &[Record], large: usize, policy: ChunkPolicy) -> Box<[u16]> {
    if large * 4 > records.len() {
        return Box::default();
    }
    let places = (0_u16..).zip(records);
    places
        .filter(|(_, record)| policy.is_large(record))
        .map(|(place, _)| place)
        .collect()
}

/// A number that differs from chunk to chunk, so that chunks of idle operations are due at different times.
fn spread(first: Option<&Record>) -> u8 {
    let bytes = first.map(|first| first.id.to_bytes());
    let bytes = bytes.iter().flatten();
    bytes.fold(0, |sum: u8, byte| sum.wrapping_mul(31) ^ byte)
}
