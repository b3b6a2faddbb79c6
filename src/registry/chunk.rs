//! A run of neighbouring operations, as many as one page of Twilio's list holds.

use std::time::Duration;

use super::record::Record;
use super::schedule;
use crate::operation::{OperationId, RETENTION};
use crate::timestamp::Timestamp;

/// A page has room for 1,000; the rest is for operations that come to be between two looks.
pub(super) const MOST: usize = 900;
/// Twilio's `createdAt` has whole seconds, the id milliseconds; further apart, the id does not tell when it was created.
const SAME_MOMENT: Duration = Duration::from_mins(10);

/// Operations in the order of their ids, with what a plan needs to know of them all.
#[derive(Debug)]
pub(super) struct Chunk {
    records: Box<[Record]>,
    /// Where those stand that are large enough for series, if they are few; else empty.
    large: Box<[u16]>,
    pub(super) summary: Summary,
}

/// What a plan and a snapshot need to know of a chunk without looking into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    /// When the first of its operations is due to be read again.
    pub(super) due: Timestamp,
    /// When the last of its operations to be read was read.
    pub(super) read: Timestamp,
    /// When the first of its operations expires.
    pub(super) expires: Timestamp,
    /// From and until when its operations were created, those left out whose id tells another time.
    pub(super) created: Option<(Timestamp, Timestamp)>,
    /// How many of its operations are large enough for series.
    pub(super) large: usize,
}

/// What decides the summary besides the records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// The fewest emails for series.
    pub(super) min_size: u32,
    /// Whether what is over is swept by its age, because there is so much of it.
    pub(super) by_age: bool,
}

impl Measure {
    /// An operation that tells no size, or 0 because its emails are still to be made, counts as one email.
    pub(super) fn is_large(self, record: &Record) -> bool {
        record.size().unwrap_or(1).max(1) >= self.min_size
    }
}

/// Whether a window over its creation would find it where its id says.
pub(super) fn is_in_place(record: &Record) -> bool {
    let (created, told) = (record.created(), record.id.created());
    created.since(told) <= SAME_MOMENT && told.since(created) <= SAME_MOMENT
}

impl Chunk {
    /// `records` in order; at least one.
    pub(super) fn new(records: Box<[Record]>, measure: Measure) -> Self {
        let mut chunk = Self {
            records,
            large: Box::default(),
            summary: Summary {
                due: Timestamp::default(),
                read: Timestamp::default(),
                expires: Timestamp::default(),
                created: None,
                large: 0,
            },
        };
        chunk.sum_up(measure);
        chunk
    }

    /// To be called after every change.
    pub(super) fn sum_up(&mut self, measure: Measure) {
        let latest = Timestamp::from_millis(i64::MAX);
        let mut summary = Summary {
            due: latest,
            read: Timestamp::default(),
            expires: latest,
            created: None,
            large: 0,
        };
        let spread = self.spread();
        for record in &self.records {
            summary.due = summary
                .due
                .min(schedule::due(record.history(measure.by_age), spread));
            summary.read = summary.read.max(record.last_success());
            summary.expires = summary.expires.min(record.created() + RETENTION);
            summary.large += usize::from(measure.is_large(record));
            if is_in_place(record) {
                let created = record.created();
                let (from, until) = summary.created.unwrap_or((created, created));
                summary.created = Some((from.min(created), until.max(created)));
            }
        }
        self.large = self.few_large(summary.large, measure);
        self.summary = summary;
    }

    /// Looking at each of them costs little where every fourth is wanted, and noting the places little where fewer are.
    fn few_large(&self, large: usize, measure: Measure) -> Box<[u16]> {
        if large * 4 > self.records.len() {
            return Box::default();
        }
        let places = (0_u16..).zip(&self.records);
        places
            .filter(|(_, record)| measure.is_large(record))
            .map(|(place, _)| place)
            .collect()
    }

    /// Those that are large enough for series, newest first.
    pub(super) fn large(&self, measure: Measure) -> impl Iterator<Item = &Record> {
        let few = self.large.iter().rev();
        let few = few.map(|place| &self.records[usize::from(*place)]);
        let many = if self.large.is_empty() && self.summary.large > 0 {
            &*self.records
        } else {
            &[]
        };
        let many = many.iter().rev();
        few.chain(many.filter(move |record| measure.is_large(record)))
    }

    /// Whether any of its operations may be due at `now`. One that was read later than now was read by a clock that has
    /// since been put back.
    pub(super) fn is_worth_a_look(&self, now: Timestamp) -> bool {
        self.summary.due <= now || self.summary.read > now
    }

    /// Those that are due at `now` and were not read since `since`.
    pub(super) fn due(
        &self,
        since: Timestamp,
        now: Timestamp,
        measure: Measure,
    ) -> impl Iterator<Item = &Record> {
        let by_age = measure.by_age;
        let spread = self.spread();
        let is_due = move |record: &&Record| {
            let success = record.last_success();
            !schedule::was_read(success, since, now)
                && schedule::is_due(record.history(by_age), spread, now)
        };
        self.records.iter().filter(is_due)
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Change them, then [`Self::sum_up`]; the ids must stay.
    pub(super) fn records_mut(&mut self) -> &mut [Record] {
        &mut self.records
    }

    pub(super) fn get(&self, id: OperationId) -> Option<&Record> {
        self.records
            .binary_search_by_key(&id, |record| record.id)
            .ok()
            .map(|at| &self.records[at])
    }

    pub(super) fn get_mut(&mut self, id: OperationId) -> Option<&mut Record> {
        let at = self
            .records
            .binary_search_by_key(&id, |record| record.id)
            .ok()?;
        Some(&mut self.records[at])
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records.into_vec()
    }

    /// A number that differs from chunk to chunk, so that they do not all rest for the same time.
    fn spread(&self) -> u8 {
        self.records.first().map_or(0, |first| {
            first
                .id
                .to_bytes()
                .iter()
                .fold(0, |sum: u8, byte| sum.wrapping_mul(31) ^ byte)
        })
    }
}
