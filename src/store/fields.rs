//! The parts of records: counts, times, labels, words. Each is checked when it is read, so a record with an impossible value is
//! damage.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bytes::{Reader, Unreadable, push, push_signed, push_text};
use crate::operation::Word;
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

/// Appends counts as a self-describing list: one bit per place that has a count, then the counts. So a new place at the end needs no
/// new version of the record.
pub(super) fn push_counts(out: &mut Vec<u8>, counts: impl Iterator<Item = Option<u64>> + Clone) {
    let bits = counts.clone().enumerate().fold(0, |bits, (place, count)| {
        bits | u64::from(count.is_some()) << place
    });
    push(out, bits);
    for count in counts.flatten() {
        push(out, count);
    }
}

/// Reads what [`push_counts`] wrote; `take` gets each count with its place.
pub(super) fn counts(
    reader: &mut Reader<'_>,
    mut take: impl FnMut(usize, u64) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let bits = reader.number()?;
    for place in 0..u64::BITS as usize {
        if bits >> place & 1 == 1 {
            take(place, reader.number()?)?;
        }
    }
    Ok(())
}

/// `number` as a count of one operation.
pub(super) fn small(number: u64) -> Result<u32, Unreadable> {
    u32::try_from(number).map_err(|_| Unreadable::Senseless)
}

pub(super) fn push_labels(out: &mut Vec<u8>, labels: &Labels) {
    push(out, labels.len() as u64);
    for (name, value) in labels.iter() {
        push_text(out, name);
        push_text(out, value);
    }
}

pub(super) fn labels(reader: &mut Reader<'_>) -> Result<Labels, Unreadable> {
    let count = reader.number()?;
    let mut labels = BTreeMap::new();
    for _ in 0..count {
        let name = reader.text()?.to_owned();
        labels.insert(name, reader.text()?.to_owned());
    }
    Ok(Arc::new(labels))
}

/// Wraps around, so that any two times are possible.
pub(super) fn push_time(out: &mut Vec<u8>, time: Timestamp, near: Timestamp) {
    push_signed(out, time.as_millis().wrapping_sub(near.as_millis()));
}

pub(super) fn time(reader: &mut Reader<'_>, near: Timestamp) -> Result<Timestamp, Unreadable> {
    Ok(Timestamp::from_millis(
        near.as_millis().wrapping_add(reader.signed()?),
    ))
}

pub(super) fn unknown(reader: &mut Reader<'_>) -> Result<Arc<[(Word, u32)]>, Unreadable> {
    // Grows with the words that are read, because a damaged count may be huge.
    let count = reader.number()?;
    let mut unknown = Vec::new();
    for _ in 0..count {
        unknown.push((word(reader)?, reader.small()?));
    }
    Ok(unknown.into())
}

pub(super) fn word(reader: &mut Reader<'_>) -> Result<Word, Unreadable> {
    let text = reader.text()?;
    let word = Word::new(text);
    // The first version also saved words with spaces. They are not exposed any more.
    let was_fit = || text.contains(' ') && !is_unreadable(&Word::new(&text.replace(' ', "_")));
    if word.as_str() == text || was_fit() {
        Ok(word)
    } else {
        Err(Unreadable::Senseless)
    }
}

fn is_unreadable(word: &Word) -> bool {
    word.as_str() == Word::UNREADABLE
}
