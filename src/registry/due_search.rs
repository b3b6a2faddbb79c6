//! Finds the operations that are due, in slices. After a long stop all operations are due, and no caller may wait for the registry
//! until millions are found.

use super::agenda::Agenda;
use super::chunk::Chunk;
use super::due::{Due, ListRange};
use super::slice::SLICE;
use crate::operation::OperationId;
use crate::timestamp::Timestamp;

/// A search for the operations that are due and were not read since the collection began.
#[derive(Debug)]
pub struct DueSearch {
    since: Timestamp,
    now: Timestamp,
    /// The first operation of the chunk that was searched last.
    last: Option<OperationId>,
    /// Whether the operations without a record were searched.
    is_begun: bool,
    without_record: Vec<Due>,
    /// Oldest first.
    chunks: Vec<DueInChunk>,
}

/// The due operations of a chunk.
#[derive(Debug)]
struct DueInChunk {
    /// When the first and the last of its operations that a list returns were created.
    created: Option<(Timestamp, Timestamp)>,
    operations: usize,
    /// Those that a list of its creation times returns.
    listed: Vec<Due>,
    unlisted: Vec<Due>,
}

impl DueSearch {
    /// A search for the operations that are due at `now` and were not read since `since`.
    #[must_use]
    pub const fn new(since: Timestamp, now: Timestamp) -> Self {
        Self {
            since,
            now,
            last: None,
            is_begun: false,
            without_record: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// Searches the next `SLICE` chunks that may have due operations. Returns whether there are more. Release the registry between two
    /// calls.
    pub fn step(&mut self, agenda: &Agenda<'_>) -> bool {
        self.search(agenda, SLICE)
    }

    /// Like [`Self::step`], in fewer chunks, for a caller that also changes each operation that was found.
    pub fn short_step(&mut self, agenda: &Agenda<'_>) -> bool {
        self.search(agenda, SLICE / 4)
    }

    fn search(&mut self, agenda: &Agenda<'_>, most: usize) -> bool {
        if !self.is_begun {
            self.is_begun = true;
            self.without_record = agenda.due_without_record(self.since, self.now);
        }
        let mut left = most;
        for chunk in agenda.chunks.iter_after(self.last) {
            let may_have_due = chunk.may_have_due(self.now);
            if may_have_due {
                if left == 0 {
                    return true;
                }
                left -= 1;
            }
            let mut found = DueInChunk::none(chunk);
            if may_have_due {
                for (due, is_listed) in agenda.due_in(chunk, self.since, self.now) {
                    let due_of = if is_listed {
                        &mut found.listed
                    } else {
                        &mut found.unlisted
                    };
                    due_of.push(due);
                }
            }
            self.last = chunk.summary.ids.map(|(first, _)| first);
            self.chunks.push(found);
        }
        false
    }

    /// How many operations were found.
    #[must_use]
    pub fn found(&self) -> usize {
        let in_chunks = self.chunks.iter();
        let in_chunks = in_chunks.map(|chunk| chunk.listed.len() + chunk.unlisted.len());
        self.without_record.len() + in_chunks.sum::<usize>()
    }

    /// Removes what was found so far, and returns its ids.
    pub fn take_ids(&mut self) -> Vec<OperationId> {
        let without_record = std::mem::take(&mut self.without_record);
        let chunks = std::mem::take(&mut self.chunks);
        let in_chunks = chunks
            .into_iter()
            .flat_map(|chunk| chunk.listed.into_iter().chain(chunk.unlisted));
        let due = without_record.into_iter().chain(in_chunks);
        due.map(|due| due.id).collect()
    }

    /// The input of a plan: one range per chunk, oldest first, with the due operations that a list of its creation times returns, and
    /// all other due operations. Each range extends to the next one, so that operations that Twilio lists late in the gaps are found.
    #[must_use]
    pub fn into_ranges(self) -> (Vec<ListRange>, Vec<Due>) {
        let mut others = self.without_record;
        let mut ranges = Vec::with_capacity(self.chunks.len());
        for chunk in self.chunks {
            others.extend(chunk.unlisted);
            ranges.extend(chunk.created.map(|(from, until)| ListRange {
                from,
                until,
                operations: chunk.operations,
                due: chunk.listed,
            }));
        }
        let mut next = self.now;
        for range in ranges.iter_mut().rev() {
            range.until = range.until.max(next);
            next = range.from;
        }
        (ranges, others)
    }
}

impl DueInChunk {
    const fn none(chunk: &Chunk) -> Self {
        Self {
            created: chunk.summary.created,
            operations: chunk.records().len(),
            listed: Vec::new(),
            unlisted: Vec::new(),
        }
    }
}
