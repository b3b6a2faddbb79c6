//! The values of Twilio's that its documentation does not name.
//!
//! A record has a fixed size, so an undocumented state is a number in it, and undocumented stats are in a table beside the
//! records.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::operation::{OperationId, OperationState, Word};

/// The undocumented states, each with a number, and the undocumented stats of the few operations that have some.
#[derive(Debug)]
pub(super) struct UndocumentedValues {
    /// By number, after the documented states.
    states: Vec<Word>,
    stats: BTreeMap<OperationId, Arc<[(Word, u32)]>>,
}

/// Documented states come first.
const KNOWN_STATES: usize = OperationState::KNOWN.len();
/// The most undocumented states with numbers, over the life of the process: a number is one byte.
const MOST_STATES: usize = 200;

impl Default for UndocumentedValues {
    fn default() -> Self {
        Self {
            states: [Word::UNREADABLE, Word::OTHER].map(Word::new).to_vec(),
            stats: BTreeMap::new(),
        }
    }
}

impl UndocumentedValues {
    /// Whether this undocumented state has a number or can get one.
    pub(super) fn has_number_for(&self, word: &Word) -> bool {
        self.states.len() < MOST_STATES || self.states.contains(word)
    }

    /// The number of a state. Without a free number it is that of [`Word::UNREADABLE`]; callers check
    /// [`Self::has_number_for`] first.
    pub(super) fn number(&mut self, state: &OperationState) -> u8 {
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
        let index = found.unwrap_or_else(|| {
            if self.states.len() >= MOST_STATES {
                return 0;
            }
            self.states.push(Word::new(state.as_str()));
            self.states.len() - 1
        });
        narrow(KNOWN_STATES + index)
    }

    /// The state with this number.
    pub(super) fn state(&self, number: u8) -> OperationState {
        let number = usize::from(number);
        match OperationState::KNOWN.get(number) {
            Some(known) => known.clone(),
            None => self.states.get(number - KNOWN_STATES).cloned().map_or_else(
                || OperationState::Other(Word::new("")),
                OperationState::Other,
            ),
        }
    }

    /// The undocumented stats of an operation.
    pub(super) fn stats(&self, id: OperationId) -> Option<&Arc<[(Word, u32)]>> {
        self.stats.get(&id)
    }

    /// Replaces the undocumented stats of an operation.
    pub(super) fn set_stats(&mut self, id: OperationId, stats: Option<&Arc<[(Word, u32)]>>) {
        match stats {
            Some(stats) => drop(self.stats.insert(id, Arc::clone(stats))),
            None => self.remove(id),
        }
    }

    /// Removes an operation that leaves memory.
    pub(super) fn remove(&mut self, id: OperationId) {
        self.stats.remove(&id);
    }
}

fn narrow(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_undocumented_states_is_limited() {
        let mut undocumented = UndocumentedValues::default();
        let numbers: Vec<u8> = (0..300)
            .map(|n| undocumented.number(&OperationState::parse(&format!("S{n}"))))
            .collect();
        assert_eq!(undocumented.state(numbers[99]).as_str(), "S99");
        assert_eq!(undocumented.state(numbers[299]).as_str(), Word::UNREADABLE);
        assert_eq!(undocumented.states.len(), MOST_STATES);
        let has_number = |word| undocumented.has_number_for(&Word::new(word));
        assert!(has_number("S99") && has_number(Word::OTHER) && !has_number("S299"));
    }

    #[test]
    fn the_undocumented_stats_of_an_operation_are_removed_with_it() {
        let mut undocumented = UndocumentedValues::default();
        let id = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        let stats = Arc::from([(Word::new("deferred"), 3)]);
        for last in [false, true] {
            undocumented.set_stats(id, Some(&stats));
            assert_eq!(undocumented.stats(id), Some(&stats));
            if last {
                undocumented.remove(id);
            } else {
                undocumented.set_stats(id, None);
            }
            assert_eq!(undocumented.stats(id), None);
        }
    }
}
