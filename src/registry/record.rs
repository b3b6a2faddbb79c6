//! One operation as the registry holds it: 120 bytes, no allocation, because one account can have millions.

use std::collections::HashMap;
use std::sync::Arc;

use super::due::Due;
use super::schedule::History;
use crate::operation::{Marks, Operation, OperationId, OperationState, Stats, Status, Word};
use crate::timestamp::Timestamp;

/// What is known of one operation that was read at least once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) id: OperationId,
    state: u8,
    given: u8,
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

/// Milliseconds since 1970 in six bytes: enough until the year 6429; what is outside is brought to the nearest end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment([u8; 6]);

const SIZE: u8 = 1;
const RECIPIENTS: u8 = 2;
const ATTEMPTS: u8 = 4;
const UPDATED: u8 = 8;
const UNKNOWN: u8 = 16;
/// The user wants it watched.
const WATCHED: u8 = 32;

/// A send of fewer emails is small.
const SMALL: u32 = 100;

/// The states Twilio does not document, each as a number; and the rare figures that have no place in a record.
#[derive(Debug)]
pub(super) struct Oddities {
    states: Vec<Word>,
    stats: HashMap<OperationId, Arc<[(Word, u32)]>>,
}

/// Documented states come first.
const KNOWN_STATES: usize = OperationState::KNOWN.len();
/// So many different undocumented states have numbers of their own, over the life of the process; a number is a byte.
const MOST_STATES: usize = 200;

impl Default for Oddities {
    fn default() -> Self {
        Self {
            states: [Word::UNREADABLE, Word::OTHER].map(Word::new).to_vec(),
            stats: HashMap::new(),
        }
    }
}

impl Oddities {
    /// Whether an operation can be in this undocumented state.
    pub(super) fn has_number_for(&self, word: &Word) -> bool {
        self.states.len() < MOST_STATES || self.states.contains(word)
    }

    fn number(&mut self, state: &OperationState) -> u8 {
        if let Some(known) = OperationState::KNOWN
            .iter()
            .position(|known| known == state)
        {
            return narrow(known);
        }
        let found = self
            .states
            .iter()
            .position(|word| word.as_str() == state.as_str());
        // Whoever makes a record asks first whether there is a number; without one, the first word stands.
        let index = found.unwrap_or_else(|| {
            if self.states.len() >= MOST_STATES {
                return 0;
            }
            self.states.push(Word::new(state.as_str()));
            self.states.len() - 1
        });
        narrow(KNOWN_STATES + index)
    }

    fn state(&self, number: u8) -> OperationState {
        let number = usize::from(number);
        match OperationState::KNOWN.get(number) {
            Some(known) => known.clone(),
            None => self.states.get(number - KNOWN_STATES).cloned().map_or_else(
                || OperationState::Other(Word::new("")),
                OperationState::Other,
            ),
        }
    }

    /// Forgets what belongs to an operation that is gone.
    pub(super) fn forget(&mut self, id: OperationId) {
        self.stats.remove(&id);
    }
}

fn narrow(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}

impl Record {
    /// A record of `operation`, read at `now`, which last changed at `change`.
    pub(super) fn new(
        operation: &Operation,
        oddities: &mut Oddities,
        marks: Marks,
        change: Timestamp,
        now: Timestamp,
    ) -> Self {
        let stats = &operation.stats;
        let flag = |bit: u8, given: bool| if given { bit } else { 0 };
        match &stats.unknown {
            Some(unknown) => drop(oddities.stats.insert(operation.id, Arc::clone(unknown))),
            None => oddities.forget(operation.id),
        }
        Self {
            id: operation.id,
            state: oddities.number(&operation.state),
            given: flag(SIZE, stats.size.is_some())
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

    /// As Twilio described it.
    pub(super) fn operation(&self, oddities: &Oddities) -> Operation {
        Operation {
            id: self.id,
            state: oddities.state(self.state),
            stats: self.stats(oddities),
            created: self.created(),
            updated: self.has(UPDATED).then(|| self.updated.get()),
        }
    }

    fn stats(&self, oddities: &Oddities) -> Stats {
        Stats {
            emails: self.emails,
            size: self.size(),
            recipients: self.has(RECIPIENTS).then_some(self.recipients),
            attempts: self.has(ATTEMPTS).then_some(self.attempts),
            unknown: self
                .has(UNKNOWN)
                .then(|| oddities.stats.get(&self.id).cloned())
                .flatten(),
        }
    }

    /// `total`, where Twilio gave it.
    pub(super) fn size(&self) -> Option<u32> {
        self.has(SIZE).then_some(self.size)
    }

    pub(super) fn created(&self) -> Timestamp {
        self.created.get()
    }

    pub(super) fn last_success(&self) -> Timestamp {
        self.last_success.get()
    }

    /// As a plan needs to see it.
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
    /// `by_age`: for sends that are over and are small, or of which nothing can become any more, the least pause grows with
    /// their age, so that a change of one does not bring it forward. Of many such, a few are opened at any moment; that says
    /// nothing of the others, nor of what comes next.
    pub(super) fn history(&self, by_age: bool) -> History {
        let is_small = || self.size().is_some_and(|size| size < SMALL);
        let trickles =
            by_age && !self.is_watched() && self.is_over() && (is_small() || self.is_settled());
        let read = self.last_success();
        History {
            change: self.last_change(),
            read,
            least_since: if trickles { self.created() } else { read },
        }
    }

    /// Whether every email has come to an end from which Twilio knows no way on, under either reading.
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
        self.is_over()
            && self
                .size()
                .is_some_and(|size| size > 0 && ended >= u64::from(size))
    }

    /// Whether Twilio has processed it.
    fn is_over(&self) -> bool {
        let over = |state: &OperationState| {
            matches!(state, OperationState::Completed | OperationState::Canceled)
        };
        OperationState::KNOWN
            .get(usize::from(self.state))
            .is_some_and(over)
    }

    /// The same, and whether the user wants it watched.
    pub(super) const fn watched(mut self, is_watched: bool) -> Self {
        if is_watched {
            self.given |= WATCHED;
        } else {
            self.given &= !WATCHED;
        }
        self
    }

    /// Whether the user wants it watched.
    pub(super) const fn is_watched(&self) -> bool {
        self.given & WATCHED != 0
    }

    pub(super) fn last_change(&self) -> Timestamp {
        self.last_change.get()
    }

    /// Notes that it was read at `now` and was as before.
    pub(super) fn confirm(&mut self, now: Timestamp) {
        self.last_success = Moment::of(now);
        self.failed = false;
    }

    fn has(&self, bit: u8) -> bool {
        self.given & bit != 0
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
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_123);

    #[test]
    fn a_record_stays_small() {
        assert_eq!(size_of::<Record>(), 120);
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut oddities = Oddities::default();
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
            let record = Record::new(&operation, &mut oddities, Marks::default(), NOW, NOW);
            assert_eq!(record.operation(&oddities), operation);
        }
    }

    #[test]
    fn undocumented_states_do_not_grow_without_end() {
        let mut oddities = Oddities::default();
        let numbers: Vec<u8> = (0..300)
            .map(|n| oddities.number(&OperationState::parse(&format!("S{n}"))))
            .collect();
        assert_eq!(oddities.state(numbers[99]).as_str(), "S99");
        assert_eq!(oddities.state(numbers[299]).as_str(), Word::UNREADABLE);
        assert_eq!(oddities.states.len(), MOST_STATES);
        let has_number = |word| oddities.has_number_for(&Word::new(word));
        assert!(has_number("S99") && has_number(Word::OTHER) && !has_number("S299"));
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
        assert_eq!(Moment::of(NOW).get(), NOW);
    }
}
