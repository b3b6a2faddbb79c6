//! Which undocumented words of Twilio's have series of their own. Each is a label's value, so their number is limited.

use super::undocumented_values::UndocumentedValues;
use crate::operation::{Operation, OperationState, ResponseField, Stats, Unexpected, Word};
use crate::snapshot::Totals;

/// The most undocumented states of an account with series of their own, and the most undocumented stats: more than twice what Twilio
/// documents. Words that differ from operation to operation would create series without limit.
const MOST_WORDS: usize = 20;

/// Whether `operation` has documented values only, as usual. Then there is nothing to limit.
pub(super) fn is_documented(operation: &Operation) -> bool {
    !matches!(operation.state, OperationState::Other(_)) && operation.stats.unknown.is_none()
}

/// Replaces by [`Word::OTHER`] the words of `operation` that, together with those in `totals`, exceed the limit, and counts each.
///
/// A word stays within the limit for as long as an operation has it.
pub(super) fn limit_words(
    operation: &mut Operation,
    totals: &Totals,
    undocumented: &UndocumentedValues,
    unexpected: &mut Unexpected,
) {
    if let OperationState::Other(word) = &operation.state
        && !has_place(word, totals.undocumented_states(), 0) | !undocumented.has_number_for(word)
    {
        operation.state = OperationState::Other(Word::new(Word::OTHER));
        unexpected.note(ResponseField::Status);
    }
    limit_stats(&mut operation.stats, totals, unexpected);
}

fn limit_stats(stats: &mut Stats, totals: &Totals, unexpected: &mut Unexpected) {
    let mut new = 0;
    let mut others = None;
    let mut held = Vec::new();
    for (word, emails) in stats.unknown() {
        if has_place(word, totals.undocumented_stats(), new) {
            new += usize::from(totals.undocumented_stats().all(|known| known != word));
            held.push((word.clone(), *emails));
        } else {
            others = Some(others.unwrap_or(0_u32).saturating_add(*emails));
            unexpected.note(ResponseField::Stats);
        }
    }
    let Some(others) = others else {
        return;
    };
    let other = Word::new(Word::OTHER);
    match held.iter_mut().find(|(word, _)| *word == other) {
        Some((_, emails)) => *emails = emails.saturating_add(others),
        None => held.push((other, others)),
    }
    held.sort_unstable();
    stats.unknown = Some(held.into());
}

/// Whether `word` is one of `known`, or is within the limit together with them and `more` others.
fn has_place<'a>(word: &Word, known: impl Iterator<Item = &'a Word>, more: usize) -> bool {
    let is_free = |word: &Word| [Word::OTHER, Word::UNREADABLE].contains(&word.as_str());
    let mut own = more;
    for each in known {
        if each == word {
            return true;
        }
        own += usize::from(!is_free(each));
    }
    is_free(word) || own < MOST_WORDS
}
